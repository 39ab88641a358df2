"""The rows of the suite, by name and module, and the modules that a fault can touch."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from pytest_ambient.embedded.faults import Fault
from pytest_ambient.embedded.istiod.misread import Misreader
from pytest_ambient.embedded.istiod.view import SOURCES, View
from pytest_ambient.embedded.objects import Object

ROOT = Path(__file__).parent.parent.parent
_SUITE = ROOT / "conformance"
_FIELDS = {kind: field for field, (kind, _) in SOURCES.items()}
_ROUTED = ("HTTPRoute", "VirtualService", "GRPCRoute", "TCPRoute")


@cache
def catalogue() -> dict[str, str]:
    """The module of each row, such as `l4/test_port`, by `RULE/CASE`; no name may be there twice."""
    command = [sys.executable, "-m", "pytest", "conformance", "--collect-only", "-q", "-p", "no:cacheprovider"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "AMBIENT_"))}
    listed = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, str] = {}
    for line in listed.stdout.splitlines():
        path, there, test = line.partition("::")
        if there:
            row = _row(path, test)
            assert row not in found, f"{row} is there twice"
            found[row] = path.removeprefix("conformance/").removesuffix(".py")
    return found


def _row(path: str, test: str) -> str:
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    name, _, argument = test.partition("[")
    marks = getattr(getattr(module, name), "pytestmark", ())
    from_table = any(each.name == "parametrize" and each.args[0] == "verdict" for each in marks)
    own = module.pytestmark if isinstance(module.pytestmark, list) else [module.pytestmark]
    rule = next(each.kwargs["rule"] for each in own if "rule" in each.kwargs)
    return f"{rule}/{argument.rstrip(']') if from_table else test}"


def touched(fault: Fault) -> tuple[str, ...]:
    """The modules that have objects which this fault misreads, or routes when it is about those."""
    return tuple(each for each in sorted(set(catalogue().values())) if _touches(fault, each))


def _touches(fault: Fault, module: str) -> bool:
    objects = [*_objects(module)]
    if fault in _about_routes():
        return any(each.get("kind") in _ROUTED for each in objects)
    kept: dict[str, list[Object]] = {}
    for each in objects:
        if field := _FIELDS.get(str(each.get("kind"))):
            kept.setdefault(field, []).append({**each, "metadata": {"uid": str(each["metadata"]), **each["metadata"]}})
    view = View(**kept)
    return Misreader({fault})(view) != view


def _about_routes() -> set[Fault]:
    from pytest_ambient.embedded.istiod.faulty_routes import ROUTE_FAULTS

    return {*ROUTE_FAULTS, Fault.SPLIT_62_38, Fault.SPLIT_FROZEN, Fault.HEADER_ROUTE_IGNORED}


def _objects(module: str) -> Iterator[Object]:
    for file in sorted(_SUITE.glob(f"{module}.*yaml")):
        for each in yaml.safe_load_all(file.read_text()):
            yield {**each, "metadata": {"namespace": "${NAMESPACE}", **each["metadata"]}}
