"""`python -m tests.conformance.table [DIR]`: runs the suite with every fault and writes docs/faults.md.

Results are kept in DIR, a folder for each fault; runs that are there already are not repeated.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from . import suite
from .document import FILE, document
from .expected import GREEN, table


def main(arguments: list[str]) -> int:
    """The exit code: 1 when a row was not as the table says, and the page is left alone."""
    with TemporaryDirectory(prefix="faults-") as passing:
        folder = Path(arguments[0]).absolute() if arguments else Path(passing)
        wrong = False
        for fault in table().faults:
            rows = suite.results(folder / fault) or suite.run(fault, table(), folder / fault).rows
            found = suite.differences(fault, table(), rows)
            red = sum(row.word != GREEN for row in rows.values())
            sys.stdout.write(f"{fault}: {red} of {len(rows)} red\n")
            sys.stdout.write("".join(f"  {row}: {what}\n" for row, what in found.items()))
            wrong = wrong or bool(found)
    if not wrong:
        FILE.write_text(document(table()))
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
