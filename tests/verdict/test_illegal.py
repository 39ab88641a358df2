"""Rows of values that are of no use there: nobody checks the types of a user's module."""

from typing import Any

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, case, cases

ROW: dict[str, Any] = {"id": "a-b", "source": "curl", "call": GET("http://reviews:9080/"), "expectation": Answered(404)}
EXPECTED = "must be Answered(200), DeniedL4() or the like, not"
PROFILE = "must be AMBIENT-L4, AMBIENT-L7, AMBIENT-ENROLMENT or AMBIENT-TELEMETRY, not"
CALLED = "case 'a-b': call must be GET(url), STATUS(kind, name) or the like, not"
WRONG: dict[str, tuple[dict[str, object], str]] = {
    "id": ({"id": 3}, "case 3: the id must be a sentence in kebab case, like get-is-answered"),
    "source": ({"source": 3}, "case 'a-b': source must be WORKLOAD, other/WORKLOAD or outside/WORKLOAD, not 3"),
    "profile": ({"profile": "l8"}, f"case 'a-b': profile {PROFILE} 'l8' (AMBIENT-L4 or AMBIENT-L7?)"),
    "a-profile": ({"profile": "AMBIENT-L8"}, f"case 'a-b': profile {PROFILE} 'AMBIENT-L8' (AMBIENT-L4 or AMBIENT-L7?)"),
    "its-profile": ({"profile": "Enrollment"}, f"case 'a-b': profile {PROFILE} 'Enrollment' (AMBIENT-ENROLMENT?)"),
    "any-profile": ({"profile": "mine"}, f"case 'a-b': profile {PROFILE} 'mine'"),
    "no-profile": ({"profile": 7}, f"case 'a-b': profile {PROFILE} 7"),
    "state": ({"state": 3}, "case 'a-b': state must be in kebab case, not 3"),
    "within": ({"within": "3"}, "case 'a-b': within must be seconds above 0, not '3'"),
    "call-text": ({"call": "http://a/"}, f"{CALLED} 'http://a/'"),
    "call-uncalled": ({"call": GET}, f"{CALLED} GET without ()"),
    "expectation-number": ({"expectation": 200}, f"case 'a-b': expectation {EXPECTED} 200"),
    "expectation-uncalled": ({"expectation": DeniedL4}, f"case 'a-b': expectation {EXPECTED} DeniedL4 without ()"),
    "before": ({"before": 404}, f"case 'a-b': before {EXPECTED} 404"),
    "elsewhere": ({"on": {"kmesh": 404}}, f"case 'a-b': on kmesh {EXPECTED} 404"),
    "on": ({"on": ["kmesh"]}, "case 'a-b': on must be a dict like {'kmesh': Answered(200)}, not ['kmesh']"),
    "needs": ({"needs": 3}, "case 'a-b': needs must be names of features, not 3"),
    "a-need": ({"needs": ["Waypoint", None]}, "case 'a-b': needs must be names of features, not None"),
}


@pytest.mark.parametrize(("wrong", "text"), WRONG.values(), ids=WRONG)
def test_a_value_of_another_type_is_told_with_what_is_wanted(wrong: dict[str, object], text: str) -> None:
    """One line, as soon as the row is written."""
    with pytest.raises(pytest.Collector.CollectError) as caught:
        case(**{**ROW, **wrong})
    assert str(caught.value) == text


def test_values_that_are_right_are_taken() -> None:
    """Features in any collection, whole seconds, no expectation elsewhere."""
    row = case(**{**ROW, "needs": {"Waypoint"}, "within": 3, "on": {"kmesh": Unsupported("it has none")}})
    assert (row.features, row.within) == (("Waypoint",), 3)


def test_a_table_holds_rows_alone() -> None:
    """What is none is shown."""
    with pytest.raises(pytest.Collector.CollectError) as caught:
        cases(*[("a-b", "curl")])  # type: ignore[arg-type]  # the mistake
    assert str(caught.value) == "cases: a table is made of case(...) rows, not of ('a-b', 'curl')"
