"""Expectations elsewhere: which condition counts, what a row becomes under it, and what is refused as a mistake."""

from typing import Any

import pytest

from pytest_ambient import DELETE, GET, STATUS, Answered, DeniedL4, DeniedL7, HasCondition, TimedOut, Unsupported
from pytest_ambient.mesh.dataplane import KNOWN
from pytest_ambient.table import case, cases
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.pairing import pair
from pytest_ambient.verdict.variant import DATAPLANES, Where, World

URL = GET("http://reviews:9080/reviews/0")
REFUSED = DeniedL4(by="only-curl")
KMESH = World("kmesh", (("istio", "1.26.8"), ("kmesh", "1.2.0")))
SILENT = World("kmesh", silent="Kmesh says nothing")
ALLOWED = case("curl-is-answered", "curl", URL, Answered(200), unchanged=True)


def istio(*versions: str) -> World:
    """A mesh whose parts run these versions."""
    return World("ztunnel", tuple(("istio", version) for version in versions))


def denied(on: Any = None, **told: Any) -> Case:
    """A denial beside its twin."""
    return pair([ALLOWED, case("details-is-reset", "details-v1", URL, REFUSED, on=on, **told)])[1]


def there(row: Case, world: World) -> Case:
    """The row where this runs; it is supported there."""
    found = row.there(world)
    assert isinstance(found, Case)
    return found


@pytest.mark.parametrize(
    ("text", "world", "held"),
    [
        ("kmesh", KMESH, True),
        ("ztunnel", KMESH, False),
        ("istio<1.29", istio("1.28.10"), True),
        ("istio<1.29", istio("1.29.0"), False),
        ("istio<=1.26", istio("1.26.8"), True),
        ("istio>1.26", istio("1.26.8"), False),
        ("istio==1.30", istio("1.30.3-distroless"), True),
        ("istio==1.30.2", istio("1.30.3"), False),
        ("istio>=1.27.9", istio("1.27.10"), True),
        ("istio>=1.31", istio("1.31.0-rc.0"), True),
        ("istio<1.29", istio(), None),
        ("istio<1.29", istio("latest"), None),
        ("istio<1.29", istio("1.28.1", "1.29.0"), None),
        ("istio<1.29", istio("1.27.1", "1.28.0"), True),
        ("kmesh istio<1.27", KMESH, True),
        ("kmesh istio<1.27", istio(), False),
        ("kmesh<1.2", KMESH, False),
        ("ztunnel<1.29", KMESH, False),
    ],
)
def test_a_condition_holds_for_what_runs(text: str, world: World, held: bool | None) -> None:
    """Compared as far as it is written; versions that nobody knows, or that disagree about it, decide nothing."""
    assert Where.of(text).holds(world) is held


def test_the_data_planes_of_conditions_are_those_there_are() -> None:
    """Two lists that must say the same."""
    assert set(DATAPLANES) == set(KNOWN)


def test_the_first_condition_that_holds_counts() -> None:
    """In the order in which they are written; where none holds the table's own expectation does."""
    row = case("a", "curl", URL, Answered(500), on={"istio==1.30": Answered(404), "istio>=1.29": Answered(503)})
    found = {version: there(row, istio(version)) for version in ("1.28.1", "1.29.1", "1.30.1")}
    assert {version: one.expectation for version, one in found.items()} == {
        "1.28.1": Answered(500),
        "1.29.1": Answered(503),
        "1.30.1": Answered(404),
    }
    assert [one.where for one in found.values()] == ["", "istio>=1.29", "istio==1.30"]


def test_unsupported_says_why() -> None:
    """Also where nobody knows which expectation is the right one."""
    why = Unsupported("there is no certificate")
    row = case("a", "curl", URL, Answered(500), on={"kmesh": why, "istio<1.29": Answered(404)})
    assert row.there(KMESH) is why
    assert str(why) == "unsupported: there is no certificate"
    assert row.there(istio()) == Unsupported("the version of istio decides (istio<1.29), and no image tells it")
    assert row.there(istio("1.29.0", "1.28.1")) == Unsupported(
        "the version of istio decides (istio<1.29), and its parts run 1.28.1 and 1.29.0"
    )


def test_silence_in_the_place_of_a_denial_is_one() -> None:
    """It keeps its twin, and is looked at again after the hold."""
    row = there(denied({"kmesh": TimedOut()}), KMESH)
    assert (row.expectation, row.twin, row.holds_still) == (TimedOut(), "curl-is-answered", True)
    assert row.answered_twin is not None
    alone = case("a", "curl", URL, TimedOut())
    assert not alone.holds_still


def test_what_is_no_denial_there_has_no_twin() -> None:
    """A policy that an older version does not know refuses nobody."""
    row = there(denied({"istio<1.25": Answered(404)}), istio("1.24.1"))
    assert (row.twin, row.answered_twin) == (None, None)
    assert there(denied({"istio<1.25": Answered(404)}), istio("1.25.1")).twin == "curl-is-answered"


def test_a_denial_only_elsewhere_has_a_twin_there_alone() -> None:
    """The table's own expectation needs none."""
    row = case("a", "details-v1", URL, Answered(404), on={"istio>=1.30": REFUSED})
    found = pair([ALLOWED, row])[1]
    assert there(found, istio("1.29.1")).twin is None
    assert there(found, istio("1.30.1")).twin == "curl-is-answered"


def test_a_twin_is_what_it_is_there() -> None:
    """Its own expectation there is what must be seen beside the denial."""
    twin = case("curl-is-answered", "curl", URL, Answered(200), before=Answered(404), on={"kmesh": Answered(201)})
    row = pair([twin, case("details-is-reset", "details-v1", URL, REFUSED, on={"kmesh": TimedOut()})])[1]
    found = there(row, KMESH).answered_twin
    assert found is not None
    assert found.expectation == Answered(201)


def test_a_row_that_needs_a_proxys_word_is_unsupported_where_none_is_given() -> None:
    """Unless it says what is expected there: nothing is read as a denial that no one calls so."""
    row = denied()
    assert row.there(SILENT) == Unsupported(
        "denied at L4: connection closed without an HTTP byte, refused by ztunnel, by only-curl needs a proxy's word; "
        "Kmesh says nothing"
    )
    named, unnamed = DeniedL7(by="x"), DeniedL7()
    for expectation, supported in ((named, False), (unnamed, True)):
        other = case("delete-is-denied", "curl", DELETE("http://reviews:9080/reviews/0"), expectation)
        assert isinstance(pair([ALLOWED, other])[1].there(SILENT), Case) is supported
    assert isinstance(denied({"kmesh": TimedOut()}).there(SILENT), Case)
    before = case("a", "curl", URL, Answered(200), before=REFUSED)
    assert isinstance(before.there(SILENT), Unsupported)


def test_a_row_says_whether_what_runs_decides() -> None:
    """A mesh is asked for nobody else's sake."""
    assert not ALLOWED.varies
    assert denied().varies
    assert case("a", "curl", URL, Answered(404), on={"kmesh": Unsupported("x")}).varies
    assert ALLOWED.there(KMESH) == ALLOWED


def test_names_are_filled_in_where_something_else_is_expected() -> None:
    """As in the table's own expectation."""
    row = case("a", "curl", URL, Answered(404), on={"kmesh": Answered(200, body="${NAMESPACE}")}, before=Answered(500))
    assert there(row, KMESH).filled({"NAMESPACE": "shop"}).expectation == Answered(200, body="shop")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: case("a", "curl", URL, Answered(404), on={"cilium": TimedOut()}),
            "case 'a': on: unknown condition 'cilium', known are ztunnel, kmesh and versions like istio<1.29",
        ),
        (
            lambda: case("a", "curl", URL, Answered(404), on={"istio": TimedOut()}),
            "case 'a': on: unknown condition 'istio', known are ztunnel, kmesh and versions like istio<1.29",
        ),
        (
            lambda: case("a", "curl", URL, Answered(404), on={"kmesh istio<1": TimedOut()}),
            "case 'a': on: unknown condition 'istio<1' in 'kmesh istio<1', known are ztunnel, kmesh and versions like "
            "istio<1.29",
        ),
        (lambda: case("a", "curl", URL, Answered(404), on={" ": TimedOut()}), "case 'a': on: a condition is empty"),
        (
            lambda: case("a", "curl", URL, Answered(404), on={"kmesh": Answered(200)}),
            "case 'a': on kmesh: before and after are equal there, which proves nothing; say Unsupported there and "
            "write a row for it",
        ),
        (
            lambda: case("a", None, STATUS("v1/Service", "x"), HasCondition("A"), on={"kmesh": TimedOut()}),
            "case 'a': on kmesh: TimedOut() says nothing about a status",
        ),
        (
            lambda: cases(case("a", "curl", URL, Answered(404), on={"kmesh": REFUSED})),
            "case 'a': a denial needs twin=, an answered case that differs in one thing; found none",
        ),
        (
            lambda: cases(
                case("b", "curl", URL, Answered(200), unchanged=True, on={"kmesh": Unsupported("who knows")}),
                case("a", "details-v1", URL, REFUSED, on={"kmesh": TimedOut()}),
            ),
            "case 'a': on kmesh its twin 'b' is no answered case there: unsupported: who knows",
        ),
        (
            lambda: cases(
                case("b", "curl", URL, Answered(200), unchanged=True, on={"istio<1.27": TimedOut()}),
                case("a", "details-v1", URL, REFUSED, on={"istio<1.26": Unsupported("too old")}),
            ),
            "case 'a': on istio<1.27 its twin 'b' is no answered case there: must see no answer in time",
        ),
    ],
)
def test_a_mistake_is_one_line(make: Any, text: str) -> None:
    """It fails collection, whatever runs then."""
    with pytest.raises(pytest.Collector.CollectError) as error:
        make()
    assert str(error.value) == text


def test_unsupported_needs_a_reason() -> None:
    """A skip without one helps nobody."""
    with pytest.raises(ValueError, match="needs a reason"):
        Unsupported(" ")
