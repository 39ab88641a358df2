"""`python -m tests.conformance.page`: writes docs/faults.md, and into the package what reports say of that page."""

import hashlib
import json
import sys
from typing import Any, TypeAlias

from pytest_ambient.report.provenance import FAULTS

from .catalogue import catalogue
from .document import FILE, document
from .expected import seen, table

Object: TypeAlias = dict[str, Any]


def told() -> Object:
    """The page's digest, and how many of the suite's rows some fault turns red."""
    red = {row for expected in table().faults.values() for row in expected.red}
    red |= {row for one in seen().values() for row in one.rows}
    rows = set(catalogue())
    return {
        "digest": f"sha256:{hashlib.sha256(FILE.read_bytes()).hexdigest()}",
        "faults": len(table().faults),
        "rows": len(rows),
        "caught": len(rows & red),
    }


def write() -> None:
    """Write both files anew."""
    FILE.write_text(document(table(), seen(), catalogue()))
    FAULTS.write_text(json.dumps(told(), indent=2) + "\n")


if __name__ == "__main__":
    write()
    sys.stdout.write(f"{FILE}\n{FAULTS}\n")
