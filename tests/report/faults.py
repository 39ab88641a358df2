"""`python -m tests.report.faults`: writes what reports say of the fault table, docs/faults.md, into the package."""

import hashlib
import json
import sys
from typing import Any, TypeAlias

from pytest_ambient.report.provenance import FAULTS
from tests.conformance.catalogue import catalogue
from tests.conformance.document import FILE
from tests.conformance.expected import seen, table

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


if __name__ == "__main__":
    FAULTS.write_text(json.dumps(told(), indent=2) + "\n")
    sys.stdout.write(f"{FAULTS}\n")
