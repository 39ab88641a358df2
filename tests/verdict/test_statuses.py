"""Shares of statuses: answers of the application and those that a proxy makes."""

import pytest

from pytest_ambient.verdict.distribution import Statuses
from pytest_ambient.verdict.outcome import Outcome

NEW = {"x-share": ("tenth",)}
ABORTED = Outcome(0, 418, {"server": ("istio-envoy",)}, "fault filter abort")
TENTH = Statuses({"200": 90, "418": 10}, header=("x-share", "tenth"))


@pytest.mark.parametrize(
    ("aborted", "reason"),
    [(288, None), (0, "200 answered 100.0% of 2,728 [99.8%, 100.0%], wanted 90%")],
)
def test_statuses_are_shared_out_too(aborted: int, reason: str | None) -> None:
    """A proxy's own answers count beside those of the application."""
    sample = TENTH.sample([ABORTED] * aborted + [Outcome(0, 200, NEW, "{}")] * (2728 - aborted))
    assert sample.reason is None if reason is None else reason in str(sample.reason)


@pytest.mark.parametrize(
    ("stray", "reason"),
    [
        (Outcome(0, 200), "wanted header x-share: tenth, got none of that name"),
        (Outcome(0, 418), "HTTP 418 from the application"),
        (Outcome(0, 503, {"server": ("istio-envoy",)}), "HTTP 503 made by a proxy"),
    ],
)
def test_a_status_must_be_made_by_whom_it_must(stray: Outcome, reason: str) -> None:
    """Answers of before, and those that the application or another mechanism makes, do not belong to it."""
    assert TENTH.explain(ABORTED) is None
    assert reason in str(TENTH.explain(stray))
