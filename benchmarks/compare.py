"""How long it takes to compare two reports of a thousand cases, as files and as values."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pytest_ambient.report import compared, files, history, history_page
from pytest_ambient.report.compare import compare
from tests.report.pairs import Object, report

RULES, CASES = 100, 10


def made(day: int) -> Object:
    """A report of a thousand cases, all rules with times and fifty shares of splits."""
    rules = {f"R{n}": {f"case-{m}-is-answered": "holds" for m in range(CASES)} for n in range(RULES)}
    rules["R7"]["case-3-is-answered"] = "broken" if day == 2 else "holds"
    one = report(rules, date=f"2026-11-{day:02}", times=dict.fromkeys(rules, 300.0 + day))
    share = {"wanted": 0.9, "share": 0.9 + day / 1000, "low": 0.0, "high": 1.0, "total": 2800, "p": 0.5}
    one["splits"] = [{"rule": f"R{n}", "case": "is-split", "backend": f"v{n}", **share} for n in range(50)]
    for rule in one["rules"]:
        for case in rule["cases"]:
            case |= {"witness": ["a line of ztunnel's access log, as long as such lines are " * 4], "attempts": 3}
    return one


def seconds(act: Callable[[], object]) -> float:
    """The best of five."""
    found = []
    for _ in range(5):
        began = time.perf_counter()
        act()
        found.append(time.perf_counter() - began)
    return min(found)


def main() -> None:
    """Print the figures."""
    old, new = made(1), made(2)
    with tempfile.TemporaryDirectory() as name:
        paths = [Path(name) / f"{number}.yaml" for number in (1, 2)]
        for path, one in zip(paths, (old, new), strict=True):
            path.write_text(files.dumped(one))
        whole = seconds(lambda: compared.text(compare(*(files.read(path) for path in paths))))
    values = seconds(lambda: compared.text(compare(old, new)))
    nights = [made(day) for day in range(1, 29)]
    page = seconds(lambda: history_page.page(history.groups(nights)))
    print(
        f"compare two reports of {RULES * CASES} cases: {whole:.2f} s from files, {values:.3f} s of it the comparison"
    )
    print(f"history of {len(nights)} such reports, drawn: {page:.3f} s")


if __name__ == "__main__":
    main()
