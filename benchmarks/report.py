"""What reports cost: 1,000 cases made, written, verified and drawn; PAIRS of runs, one with a report, one without."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pytest_ambient.report import files, html, markdown, verify
from pytest_ambient.report.document import document
from tests.report.runs import RED, SHARE, beside, feature, folder, head, row

CASES, RULES = 1000, 60
PROGRAM = "import sys; from pytest_ambient.cli import main; sys.exit(main())"
MODULES = ("conformance/l4/test_allow_principal.py", "conformance/l7/test_allow_method.py", "conformance/install")


def best(act: Callable[[], object], times: int = 5) -> float:
    """Milliseconds of the fastest of some runs."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        found.append(time.perf_counter() - began)
    return 1000 * min(found)


def rows() -> list[dict[str, object]]:
    """Every tenth is red and says all that one can say; every twentieth has a split."""
    told = []
    for number in range(CASES):
        rule, name = f"R{number % RULES}", f"case-{number}-says-what-must-happen"
        facts = {**RED, "rule": rule, "case": name, "nodeid": f"conformance/test_{rule}.py::test_it[{name}]"}
        one = facts if number % 10 == 0 else row(rule, name, stable_ms=float(number), needs=["Waypoint"])
        told.append({**one, "split": [SHARE, SHARE]} if number % 20 == 1 else one)
    return told


def values() -> None:
    """Figures that need no cluster."""
    lines, extra = rows(), beside(feature("Waypoint"))
    made = document(head(), lines, extra)
    with tempfile.TemporaryDirectory() as name:
        path = folder(Path(name), lines, extra)
        print(f"{CASES} cases, report.yaml {(path / 'report.yaml').stat().st_size / 1024:.0f} KiB")
        print(f"a line of results {1000 * best(lambda: json.dumps(lines[0])):.0f} µs")
        print(f"document made {best(lambda: document(head(), lines, extra)):.0f} ms")
        print(
            f"document as YAML {best(lambda: files.dumped(made)):.0f} ms, read {best(lambda: files.read(path)):.0f} ms"
        )
        print(f"page {best(lambda: html.page(made)):.0f} ms, Markdown {best(lambda: markdown.whole(made)):.0f} ms")
        print(f"verified {best(lambda: verify.problems(path)):.0f} ms")
        command = [sys.executable, "-c", PROGRAM, "report", "render", str(path)]
        whole = best(lambda: subprocess.run(command, check=True, capture_output=True))
        print(f"`report render`, its whole process {whole:.0f} ms")


def runs(pairs: int) -> None:
    """Pairs of runs on the embedded cluster, one with a report and one without, each kind first in every other pair."""
    _run()  # whatever has to be compiled or read for the first time
    with tempfile.TemporaryDirectory() as name:
        both = [_pair(f"--ambient-report={name}/{number}", plain_first=number % 2 == 1) for number in range(pairs)]
    with_report, without = (statistics.median(column) for column in zip(*both, strict=True))
    costs = [100 * (reported / plain - 1) for reported, plain in both]
    print(f"{len(MODULES)} modules with a report {with_report:.1f} s, without {without:.1f} s (medians)")
    print(f"  median of {pairs} pairs: {statistics.median(costs):+.1f} % ({min(costs):+.1f} to {max(costs):+.1f})")


def _pair(report: str, *, plain_first: bool) -> tuple[float, float]:
    """Seconds with a report and without, of runs one right after the other: what the machine does else meets both."""
    if plain_first:
        plain = _run()
        return _run(report), plain
    return _run(report), _run()


def _run(*more: str) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--ambient-cluster=embedded"]
    subprocess.run([*command, *MODULES, *more], check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    values()
    if sys.argv[1:]:
        runs(int(sys.argv[1]))
