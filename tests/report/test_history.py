"""Many reports as a history: groups of versions, since when a rule is red, the table and the page."""

import re
from xml.etree import ElementTree

import pytest

from pytest_ambient.report import history, history_page
from pytest_ambient.report.history import Group
from tests.report.pairs import Object, report

GREEN = {"R1": {"a": "holds"}, "R2": {"b": "holds"}, "R10": {"c": "holds"}}
RED = {**GREEN, "R10": {"c": "broken"}}


def night(day: int, rules: Object = GREEN, **more: str) -> Object:
    """One night's report."""
    return report(rules, date=f"2026-11-{day:02}", times={"R1": 300.0 + day}, **more)  # type: ignore[arg-type]  # words


@pytest.fixture
def found() -> list[Group]:
    """Two Istio minors; in the newer one R10 broke twice, the second time over a new patch."""
    nights = [night(1, RED), night(2), night(3), night(4, RED, istio="1.30.5"), night(5, RED, istio="1.30.5")]
    return history.groups([*reversed(nights), night(3, istio="1.29.7", run="x"), night(2, istio="1.29.7", run="y")])


def test_runs_stand_by_their_versions_in_order_of_time(found: list[Group]) -> None:
    """Older minors first; a patch does not begin anew."""
    assert [(group.name, [run.day[-2:] for run in group.runs]) for group in found] == [
        ("Istio 1.29, Kubernetes 1.34, ztunnel, kind", ["02", "03"]),
        ("Istio 1.30, Kubernetes 1.34, ztunnel, kind", ["01", "02", "03", "04", "05"]),
    ]


def test_a_report_that_lies_in_two_places_counts_once() -> None:
    """By its run and its date."""
    assert len(history.groups([night(1), night(1)])[0].runs) == 1


def test_a_rule_is_red_since_its_last_green(found: list[Group]) -> None:
    """Not since the first time that it ever broke; and not at all where it is green by now."""
    older, newer = found
    red = newer.since("R10")
    assert red is not None
    assert (red.day, red.istio) == ("2026-11-04", "1.30.5")
    assert newer.since("R1") is None
    assert older.since("R10") is None


def test_a_night_without_the_rule_ends_no_red() -> None:
    """Nothing was shown in it."""
    group = history.groups([night(1, RED), night(2, {"R1": {"a": "holds"}}), night(3, RED)])[0]
    red = group.since("R10")
    assert red is not None
    assert red.day == "2026-11-01"
    last = history.groups([night(1, RED), night(2, {"R1": {"a": "holds"}})])[0]
    assert last.word("R10") == "RED since 2026-11-01"


TABLE = """\
rule  Istio 1.29, Kubernetes 1.34, ztunnel, kind (2)  Istio 1.30, Kubernetes 1.34, ztunnel, kind (5)
R10   ok                                              RED since 2026-11-04
R1    ok                                              ok
R2    ok                                              ok"""


def test_the_table_has_what_is_red_on_top(found: list[Group]) -> None:
    """Then the others by name, R2 before R10 where both are green."""
    assert "\n".join(history.table(found)) == TABLE


def test_a_program_gets_values(found: list[Group]) -> None:
    """Runs and reds of each group."""
    told = history.plain(found)[1]
    assert told["red"] == {"R10": {"since": "2026-11-04T03:00:00Z", "run": "r04", "istio": "1.30.5"}}
    assert [run["result"] for run in told["runs"]] == ["failure", "success", "success", "failure", "failure"]


def test_the_page_shows_since_when_a_rule_is_red(found: list[Group]) -> None:
    """In words on top, and beside a bar for each run; the bars say what broke, by their height too."""
    page = history_page.page(found)
    assert "7 runs from 2026-11-01 to 2026-11-05. Red by now:" in page
    assert (
        '<li><b class="since">R10</b> since 2026-11-04, run r04 with Istio 1.30.5 '
        "(Istio 1.30, Kubernetes 1.34, ztunnel, kind): c: broken<br/>what R10 promises.</li>"
    ) in page
    assert '<span class="since">red since 2026-11-04</span>' in page
    row = re.findall(r'<tr><th scope="row" title="what R10 promises.">R10</th>(.*?)</tr>', page, re.DOTALL)[0]
    assert re.findall(r'<rect class="(\w+)"', row) == ["ok", "ok", "red", "ok", "ok", "red", "red"]
    assert re.findall(r'height="(\d+)">', row) == ["5", "5", "11", "5", "5", "11", "11"]
    assert "<title>2026-11-04T03:00:00Z, Istio 1.30.5, run r04: failure\nc: broken</title>" in page


def test_a_page_without_reds_says_so() -> None:
    """In a sentence, with no list."""
    page = history_page.page(history.groups([night(1), night(2)]))
    assert "2 runs from 2026-11-01 to 2026-11-02. No rule was red in its last run." in page
    assert "<ul>" not in page


def test_the_page_needs_nothing_else_and_is_well_formed(found: list[Group]) -> None:
    """No address, no script; what is drawn is XML."""
    page = history_page.page(found)
    assert not re.search(r"https?:|<script|<link|@import|url\(", page)
    ElementTree.fromstring(page.partition("<body>")[2].partition("</body>")[0].join(("<body>", "</body>")))
    assert page.count("<figure>") == 4
    assert page.count("<polyline") == 4


def test_what_a_report_says_is_text(found: list[Group]) -> None:
    """A rule with a tag in its name is no tag."""
    page = history_page.page(history.groups([night(1, {"<b>": {"<i>": "broken"}})]))
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    assert "&lt;i&gt;: broken" in page


def test_a_report_whose_versions_are_not_known_has_a_place() -> None:
    """A bring-up that failed is a run, too."""
    one = report({}, state="bring-up-failed")
    one["environment"] = {"unknown": ["all of it"]}
    assert history.groups([one])[0].name == "Istio unknown, Kubernetes unknown, kind"
    assert "<html" in history_page.page(history.groups([one]))
