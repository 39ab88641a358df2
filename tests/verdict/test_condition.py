"""Status conditions as expectations."""

import pytest

from pytest_ambient.verdict.condition import Condition, HasCondition, LacksCondition, ObjectStatus
from pytest_ambient.verdict.expectation import Answered, Judgement, Word, judge
from pytest_ambient.verdict.outcome import Lost, Outcome

BOUND = Condition("istio.io/WaypointBound", "True", "WaypointAccepted", "Successfully attached to waypoint", 2)
NOT_READY = Condition("istio.io/WaypointBound", "False", "WaypointIsNotReady")
READY = Condition("Ready", "True", "Fine")
ABSENT = ObjectStatus(False)
WANTED = HasCondition("istio.io/WaypointBound", "True", "WaypointAccepted")
UNWANTED = LacksCondition("istio.io/WaypointBound", "True", "WaypointAccepted")


@pytest.mark.parametrize(
    ("status", "has", "lacks"),
    [
        (
            ObjectStatus(True, (READY, BOUND), 2),
            None,
            "istio.io/WaypointBound=True (WaypointAccepted): Successfully attached to waypoint",
        ),
        (ABSENT, "no such object", None),
        (ObjectStatus(True), "no conditions", None),
        (ObjectStatus(True, (READY,)), "conditions Ready=True (Fine)", None),
        (ObjectStatus(True, (NOT_READY,)), "istio.io/WaypointBound=False (WaypointIsNotReady)", None),
        (
            ObjectStatus(True, (BOUND,), 3),
            "istio.io/WaypointBound=True (WaypointAccepted) of an older generation",
            "istio.io/WaypointBound=True (WaypointAccepted): Successfully attached to waypoint",
        ),
        (
            ObjectStatus(True, (BOUND, NOT_READY), 2),
            "istio.io/WaypointBound=True (WaypointAccepted): Successfully attached to waypoint, "
            "istio.io/WaypointBound=False (WaypointIsNotReady)",
            "istio.io/WaypointBound=True (WaypointAccepted): Successfully attached to waypoint",
        ),
    ],
)
def test_a_condition_is_there_or_not(status: ObjectStatus, has: str | None, lacks: str | None) -> None:
    """Present with its status and reason, for the present generation; several parents must all agree."""
    assert WANTED.explain(status) == has
    assert UNWANTED.explain(status) == lacks


def test_a_reason_may_be_left_open() -> None:
    """Without a reason any will do."""
    assert HasCondition("Ready").explain(ObjectStatus(True, (READY,))) is None


def test_conditions_say_what_they_want() -> None:
    """The words for "wanted"."""
    assert str(WANTED) == "condition istio.io/WaypointBound=True (WaypointAccepted)"
    assert str(UNWANTED) == "no condition istio.io/WaypointBound=True (WaypointAccepted)"
    assert str(HasCondition("Ready")) == "condition Ready=True"


def test_conditions_are_judged_like_calls() -> None:
    """The same three words; a status can't be judged as an answer."""
    assert judge(WANTED, ObjectStatus(True, (BOUND,), 2)) == Judgement(Word.HOLDS)
    assert judge(WANTED, ABSENT) == Judgement(Word.BROKEN, "no such object")
    assert judge(WANTED, Lost("the API server is gone")) == Judgement(Word.INCONCLUSIVE, "the API server is gone")
    with pytest.raises(TypeError, match="cannot judge ObjectStatus"):
        judge(Answered(), ABSENT)
    with pytest.raises(TypeError, match="cannot judge Outcome"):
        judge(WANTED, Outcome(0, 200))


def test_a_listener_speaks_for_itself() -> None:
    """A condition of a Gateway's listener is neither the Gateway's nor another listener's."""
    refused = Condition("Accepted", "False", "UnsupportedProtocol", listener="mesh")
    status = ObjectStatus(True, (Condition("Accepted", "True", "Accepted"), refused))
    wanted = HasCondition("Accepted", "False", "UnsupportedProtocol", listener="mesh")
    assert wanted.explain(status) is None
    assert HasCondition("Accepted", "True").explain(status) is None
    assert HasCondition("Accepted", listener="mesh").explain(status) == "Accepted=False (UnsupportedProtocol) of mesh"
    assert HasCondition("Accepted", listener="web").explain(status) == (
        "conditions Accepted=True (Accepted), Accepted=False (UnsupportedProtocol) of mesh"
    )
    assert str(wanted) == "condition Accepted=False (UnsupportedProtocol) of listener mesh"
