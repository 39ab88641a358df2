"""Two recorded runs on the embedded mesh, one of them with a fault: what each can show to whoever was not there.

`recorded/whole.jsonl` and `recorded/unenforced.jsonl` are results as runs of two modules left them.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.cli import main
from pytest_ambient.report import files, html, schema, verify
from pytest_ambient.report.document import document
from tests.report import browser
from tests.report.runs import Object

RECORDED = Path(__file__).parent / "recorded"
PROMISE = "at a waypoint an ALLOW for GET by one account answers that and gives 403 to every other method and account."


def made(name: str) -> Object:
    """The document of a recorded run."""
    path = RECORDED / f"{name}.jsonl"
    lines = files.results(path)
    assert lines.end is not None
    return document(lines.head, lines.rows, {**lines.end, "results": files.summed(path.read_bytes())})


def left(folder: Path, name: str) -> Path:
    """A folder as that run left it."""
    folder.mkdir()
    (folder / "results.jsonl").write_bytes((RECORDED / f"{name}.jsonl").read_bytes())
    files.write(folder / "report.yaml", files.dumped(made(name)))
    files.write(folder / "report.html", html.page(made(name)))
    return folder


def leaves(value: Any, *way: Any) -> Iterator[tuple[Any, ...]]:
    """The way to every value that holds no other."""
    if isinstance(value, dict | list) and value:
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(one, *way, key)
    else:
        yield way


def edited(value: Any) -> Any:
    """Another value of its kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}x" if isinstance(value, str) else ["x"]


@pytest.mark.parametrize("name", ["whole", "unenforced"])
def test_a_recorded_run_verifies(tmp_path: Path, name: str) -> None:
    """Its document follows the schema, and follows from its results."""
    assert schema.errors(made(name)) == []
    assert verify.problems(left(tmp_path / name, name)) == []


def test_no_value_can_be_edited_unseen() -> None:
    """Not one of all that a report says; each is told by its place."""
    told = made("unenforced")
    ways = list(leaves(told))
    assert len(ways) > 500
    for way in ways:
        other = deepcopy(told)
        place: Any = other
        for key in way[:-1]:
            place = place[key]
        place[way[-1]] = edited(place[way[-1]])
        (line,) = verify.differences(other, told, "")
        assert line.startswith(str(way[0])), line


def test_the_one_rule_that_changed_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what it promises, its cases and the fault that was switched on; nothing else is worse."""
    folders = [str(left(tmp_path / name, name)) for name in ("whole", "unenforced")]
    assert main(["report", "compare", *folders]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert f"  worse  R3  success -> failure: {PROMISE}" in lines
    assert "  options.fault  - -> l7-policy-unenforced" in lines
    assert lines[-1] == "worse: R3"
    assert main(["report", "compare", *reversed(folders)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nothing got worse; better: R3"


def test_what_holds_can_be_seen_too() -> None:
    """Every case says who called, what was wanted and what came; every rule has its manifest."""
    for rule in made("whole")["rules"]:
        assert all(case["called"] and case["wanted"] and case["got"] and case["repeat"] for case in rule["cases"])
        assert any(case.get("manifest") for case in rule["cases"])


BOX = """(() => {
  const box = document.querySelector(%s).getBoundingClientRect();
  return [box.top + scrollY, box.bottom + scrollY, box.left, box.right];
})()"""


def test_a_stranger_sees_what_is_broken_and_how_to_see_it(tmp_path: Path) -> None:
    """On a desk without scrolling, on a phone by one screen: the promise, what came instead, the lines to type."""
    if browser.found() is None:
        pytest.skip(f"none of {', '.join(browser.NAMES)} is on the PATH")
    page_file = left(tmp_path / "run", "unenforced") / "report.html"
    (tmp_path / "browser").mkdir()
    with browser.browsing(tmp_path / "browser") as page:
        for width, screens in ((1280, 1), (390, 2)):
            page.open(page_file, width)
            text = page.evaluate("document.querySelector('article.cause').innerText")
            assert PROMISE in text
            assert "HTTP 405 from the application" in text
            assert "apply --server-side -f artifacts/R3/post-is-denied-at-l7.manifest.yaml" in text
            top = page.evaluate(BOX % json.dumps("article.cause h3"))[1]
            bottom = page.evaluate(BOX % json.dumps("details.hand summary"))[1]
            assert top < 900
            assert bottom < 900 * screens, (width, bottom)
        assert page.complaints == []
