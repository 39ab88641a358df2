"""`python -m tests.conformance.table [DIR [FAULT...]]`: runs each fault, or those, with all that it can touch.

Results are kept in DIR, a folder for each fault; runs that are there are not repeated. What turned red goes into
`seen.yaml`, which docs/faults.md, written anew, shows beside `faults.yaml`.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from pytest_ambient.embedded.faults import Fault

from . import page, suite
from .catalogue import catalogue, touched
from .expected import FOLDER, Seen, seen, table
from .suite import RED, Row

LIMIT = 3600.0
_HEAD = "# Written by `python -m tests.conformance.table`: the modules run with each fault, and what turned red.\n"


def main(arguments: list[str]) -> int:
    """The exit code: 1 when a row was not as the table says, and nothing is written of its fault."""
    chosen = [Fault(each) for each in arguments[1:]] or list(table().faults)
    found, wrong = dict(seen()), False
    with TemporaryDirectory(prefix="faults-") as passing:
        folder = Path(arguments[0]).absolute() if arguments else Path(passing)
        for fault in chosen:
            modules = _modules(fault)
            rows: Mapping[str, Row] = suite.results(folder / fault)
            if not rows:
                rows = suite.run(fault, table(), folder / fault, modules=modules, limit=LIMIT).rows
            wanted = [row for row, module in catalogue().items() if module in modules]
            differing = suite.differences(fault, table(), rows, wanted, beyond=True)
            red = sum(row.word in RED for row in rows.values())
            sys.stdout.write(f"{fault}: {red} of {len(rows)} red\n")
            sys.stdout.write("".join(f"  {row}: {what}\n" for row, what in differing.items()))
            sys.stdout.flush()
            wrong = wrong or bool(differing)
            if not differing:
                found[fault] = _seen(modules, rows)
    _write({fault: found[fault] for fault in table().faults if fault in found})
    seen.cache_clear()
    page.write()
    return int(wrong)


def _modules(fault: Fault) -> tuple[str, ...]:
    if table().faults[fault].concerns == "all":
        return tuple(sorted(set(catalogue().values())))
    return tuple(dict.fromkeys((*table().modules(fault), *table().faults[fault].also, *touched(fault))))


def _seen(modules: tuple[str, ...], rows: Mapping[str, Row]) -> Seen:
    red: dict[str, tuple[str, ...]] = {}
    for name in sorted(name for name, row in rows.items() if row.word in RED):
        rule, _, case = name.partition("/")
        red[rule] = (*red.get(rule, ()), case)
    return Seen(tuple(sorted(modules)), red)


def _write(found: Mapping[Fault, Seen]) -> None:
    plain = {
        str(fault): {"modules": [*each.modules], "red": {rule: [*cases] for rule, cases in each.red.items()}}
        for fault, each in found.items()
    }
    (FOLDER / "seen.yaml").write_text(
        _HEAD + yaml.safe_dump(plain, sort_keys=False, width=118, default_flow_style=None)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
