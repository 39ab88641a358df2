"""The document: counts, results, what makes them less than a success, and its schema."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_ambient.report import schema
from pytest_ambient.report.document import document
from tests.report.runs import RED, SHARE, WHOLE, Object, beside, feature, head, row


def core(made: Object, name: str) -> Object:
    """A profile's core."""
    found: Object = next(one["core"] for one in made["profiles"] if one["name"] == name)
    return found


def test_a_whole_run_in_which_all_holds_is_a_success() -> None:
    """Each profile has its own counts; a level without rows is untested, which costs nothing."""
    made = document(head(), WHOLE, beside(feature("Waypoint")))
    assert (made["result"], made["reasons"], made["publishable"]) == ("success", [], True)
    assert core(made, "AMBIENT-L7") == {
        "result": "success", "passed": 2, "failed": 0, "skipped": 0, "unsupported": 0, "unverified": 0,
    }  # fmt: skip
    assert core(made, "AMBIENT-TELEMETRY")["result"] == "untested"
    assert [one["extended"]["result"] for one in made["profiles"]] == ["untested"] * 4


def test_a_steady_stream_is_told_with_its_case() -> None:
    """As the line of results has it, by the schema."""
    stream: Object = {
        "requests": 214, "seconds": 21.3, "rate": 10.05, "good": 208, "wrong": 0, "lost": 0,
        "errors": {"no address": 6}, "gaps": [{"start_ms": 412, "ms": 612}],
    }  # fmt: skip
    made = document(head(), [*WHOLE, row("R2", "calls-resume", stream=stream)], beside())
    cases = [case for rule in made["rules"] for case in rule["cases"]]
    assert [case["stream"] for case in cases if "stream" in case] == [stream]
    assert schema.errors(made) == []
    broken = copy.deepcopy(made)
    told = next(case["stream"] for rule in broken["rules"] for case in rule["cases"] if "stream" in case)
    told["gaps"][0]["ms"], told["more"] = -1, 1
    assert len(schema.errors(broken)) == 2


@pytest.mark.parametrize("word", ["broken", "inconclusive", "error"])
def test_any_failure_or_error_is_a_failure(word: str) -> None:
    """Of its rule, its profile and the whole."""
    made = document(head(), [*WHOLE, row("R3", "put-is-denied", word)], beside())
    assert (made["result"], core(made, "AMBIENT-L7")["result"]) == ("failure", "failure")
    assert core(made, "AMBIENT-L7")["failed"] == 1
    assert core(made, "AMBIENT-L4")["result"] == "success"
    assert made["reasons"] == [f"1 {word}: R3/put-is-denied"]


def test_a_skip_makes_it_partial_and_has_its_reason() -> None:
    """A feature that the mesh lacks is no skip."""
    skipped = row("R2", "b", "skipped", reason="it disturbs the mesh for others")
    made = document(head(), [*WHOLE, skipped], beside())
    assert (made["result"], core(made, "AMBIENT-L4")["result"]) == ("partial", "partial")
    assert made["reasons"] == ["1 skipped: it disturbs the mesh for others"]
    lacking = row("R2", "b", "skipped", reason="the mesh has no Kiali", lacks=["Kiali"])
    made = document(head(), [*WHOLE, lacking], beside())
    assert (made["result"], core(made, "AMBIENT-L4")["unsupported"]) == ("success", 1)


def test_a_claimed_feature_without_a_passed_case_is_unverified() -> None:
    """It makes its profile partial, for nothing has shown that it is there; one that is absent is just absent."""
    rows = [*WHOLE, row("R4", "grpc", "skipped", needs=["GRPCRoute"], reason="left out")]
    made = document(head(), rows, beside(feature("Waypoint"), feature("GRPCRoute"), feature("Kiali", present=False)))
    assert {one["name"]: one["state"] for one in made["features"]} == {
        "Waypoint": "verified", "GRPCRoute": "unverified", "Kiali": "absent",
    }  # fmt: skip
    assert core(made, "AMBIENT-L7")["unverified"] == 1
    assert "claimed and not verified by a passed case: GRPCRoute" in made["reasons"]


def test_what_weakens_a_run_is_named_and_makes_it_partial() -> None:
    """Every profile's result, too."""
    made = document(head(weakening=["-k 'not split'"]), WHOLE, beside())
    assert (made["result"], core(made, "AMBIENT-L4")["result"]) == ("partial", "partial")
    assert made["reasons"] == ["weakened by -k 'not split'"]


def test_rules_that_did_not_run_are_missed() -> None:
    """A part of a suite is no success."""
    made = document(head(), WHOLE[:2], beside())
    assert made["reasons"] == ["AMBIENT-L7: 1 rules did not run: R4"]
    assert (core(made, "AMBIENT-L7")["result"], core(made, "AMBIENT-L4")["result"]) == ("partial", "success")


def test_a_rule_of_rows_about_documents_alone_has_run() -> None:
    """They count nowhere, but nothing is missing."""
    rows = [*WHOLE[:2], row("R4", "as-documented", "differs", level="documented")]
    made = document(head(), rows, beside())
    assert (made["reasons"], core(made, "AMBIENT-L7")["result"]) == ([], "success")


def test_a_rule_of_several_files_has_run_when_all_of_them_have() -> None:
    """Whoever names the files that are to run may leave out the one that is red."""
    told = head()
    told["suite"]["files"] = {"R4": ["conformance/test_r4.py", "conformance/test_other.py"]}
    made = document(told, WHOLE, beside())
    assert made["reasons"] == ["AMBIENT-L7: 1 rules did not run: R4 (conformance/test_other.py)"]
    assert core(made, "AMBIENT-L7")["result"] == "partial"
    whole = [*WHOLE, {**row("R4", "b"), "nodeid": "any/where/conformance/test_other.py::test_it[b]"}]
    assert document(told, whole, beside())["reasons"] == []


def test_rows_about_documents_stand_apart() -> None:
    """What differs from the documents is told and counted nowhere; taken at their word, it is a failure."""
    rows = [*WHOLE, row("R2", "as-documented", "differs", level="documented")]
    made = document(head(), rows, beside())
    assert (made["result"], core(made, "AMBIENT-L4")["passed"]) == ("success", 1)
    assert made["documented"] == [{"rule": "R2", "case": "as-documented", "word": "differs", "reason": "HTTP 405"}]
    strict = document(head(), [*WHOLE, row("R2", "as-documented", "broken", level="documented")], beside())
    assert (strict["result"], core(strict, "AMBIENT-L4")["failed"]) == ("failure", 0)


def test_a_test_is_counted_once_by_its_worst_row() -> None:
    """A row that holds and errors in its teardown has not held."""
    made = document(head(), [*WHOLE, row("R2", "details-is-reset", "error")], beside())
    assert (core(made, "AMBIENT-L4")["passed"], core(made, "AMBIENT-L4")["failed"]) == (0, 1)


@pytest.mark.parametrize(
    ("state", "result"), [("interrupted", "partial"), ("bring-up-failed", "failure")], ids=["interrupted", "bring-up"]
)
def test_an_early_end_is_told(state: str, result: str) -> None:
    """With its reason; nothing that ran short is a success."""
    made = document(head(), WHOLE, beside(state=state, ended="SIGTERM\nand more"))
    assert (made["result"], made["reasons"]) == (result, [f"{state}: SIGTERM"])


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"publishable": False}, ["the embedded mesh is a test bench"]),
        ({"publishable": None}, ["it is not known whose mesh it was: no cluster came up"]),
        ({"settings": {"fault": "split-62-38"}}, ["the mesh was broken on purpose: split-62-38"]),
    ],
)
def test_a_test_bench_is_never_published(more: Object, why: list[str]) -> None:
    """The reason is told."""
    made = document(head(**more), WHOLE, beside())
    assert (made["publishable"], made["unpublishable"]) == (False, why)


def test_cases_times_and_splits_are_kept() -> None:
    """What a case says, what a rule took, and each share."""
    made = document(head(), [*WHOLE, RED, row("R4", "split", "broken", split=[SHARE], stable_ms=80.0)], beside())
    rule = next(one for one in made["rules"] if one["rule"] == "R3")
    assert (rule["convergence"], rule["attempts"], rule["seconds"]) == ({"median": 120.0, "slowest": 120.0}, 6, 1.0)
    assert rule["cases"][1]["witness"] == ["a line of a log & more"]
    assert made["splits"] == [{"rule": "R4", "case": "split", **SHARE}]


def test_the_order_is_that_of_rules_and_files_however_rows_came() -> None:
    """Under xdist they come in any."""
    rows = [row("R10", "a"), *reversed(WHOLE)]
    assert [one["rule"] for one in document(head(), rows, beside())["rules"]] == ["R2", "R3", "R4", "R10"]


def test_it_never_claims_to_conform_to_the_gateway_api() -> None:
    """That word is upstream's."""
    assert "conformant" not in json.dumps(document(head(), WHOLE, beside())).lower()


DAMAGES: dict[str, Callable[[Any], object]] = {
    "nothing": lambda made: None,
    "no kind": lambda made: made.pop("kind"),
    "foreign version": lambda made: made.update(apiVersion="v2"),
    "unknown key": lambda made: made.update(more=1),
    "negative count": lambda made: made["others"].update(passed=-1),
    "word for a count": lambda made: made["others"].update(passed="1"),
    "true for a count": lambda made: made["others"].update(passed=True),
    "unknown result": lambda made: made.update(result="conformant"),
    "unknown profile": lambda made: made["profiles"][0].update(name="AMBIENT-L5"),
    "bad date": lambda made: made.update(date="yesterday"),
    "bad digest": lambda made: made["results"].update(sha256="0"),
    "case without a word": lambda made: made["rules"][0]["cases"][0].pop("word"),
    "image that is no text": lambda made: made["environment"].update(images={"istiod": [1]}),
    "nobody's implementation": lambda made: made.update(implementation={"organization": ""}),
    "rules that are no list": lambda made: made.update(rules={}),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_our_check_agrees_with_the_library_s(damage: str) -> None:
    """The schema is a true JSON Schema, and what it refuses we refuse."""
    made = copy.deepcopy(document(head(), [*WHOLE, RED], beside(feature("Waypoint"))))
    DAMAGES[damage](made)
    checker = jsonschema.Draft202012Validator(schema.schema())
    checker.check_schema(schema.schema())
    assert bool(schema.errors(made)) == bool(list(checker.iter_errors(made))) == (damage != "nothing")


def test_a_complaint_says_where_and_what() -> None:
    """Line by line."""
    made = copy.deepcopy(document(head(), WHOLE, beside()))
    made["others"]["passed"] = "1"
    made["rules"][0]["cases"][0]["word"] = "fine"
    del made["run"]["id"]
    assert schema.errors(made) == [
        "run: lacks id",
        'others.passed: wanted integer, got "1"',
        "rules[0].cases[0].word: wanted one of holds, differs, broken, inconclusive, error, unsupported, skipped, "
        'got "fine"',
    ]


def test_the_schema_uses_no_keyword_that_our_check_does_not_know() -> None:
    """Or it would be passed over in silence."""
    known = {*schema.CHECKS, "$schema", "$id", "$defs", "$ref", "anyOf", "type", "title", "description"}

    def keywords(shape: object) -> set[str]:
        if not isinstance(shape, dict):
            return set()
        inner = [*shape.get("properties", {}).values(), *shape.get("$defs", {}).values(), *shape.get("anyOf", ())]
        inner += [shape.get("items"), shape.get("additionalProperties")]
        return set(shape) | {word for one in inner for word in keywords(one)}

    assert keywords(json.loads(Path(schema.FILE).read_text())) <= known
