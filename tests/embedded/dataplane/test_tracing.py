"""Spans that a real Envoy sends to a collector, and what it hands on."""

import json
from typing import Any

import pytest

from pytest_ambient.embedded.dataplane.checks import Checks
from pytest_ambient.embedded.dataplane.tracing import tracing
from pytest_ambient.embedded.faults import Fault
from pytest_ambient.embedded.istiod.model import Tracer

from .conftest import Bookinfo
from .world import eventually

TRACE, CALLER = "8" * 32, "7" * 16
TRACED = ("-H", f"x-b3-traceid: {TRACE}", "-H", f"x-b3-spanid: {CALLER}", "-H", "x-b3-sampled: 1")
TRACER = Tracer("bookinfo/details", 9080, path="/spans", sampling=0)


@pytest.mark.parametrize("hands_on", [True, False])
def test_spans_go_to_the_collector(bookinfo: Bookinfo, hands_on: bool) -> None:
    """The caller's decision counts, not the sampling; the backend learns of the waypoint's span unless it must not."""
    world = bookinfo.world
    known: Any = {"Service/bookinfo/reviews": Tracer(**{**TRACER.__dict__, "hands_on": hands_on})}
    with world.having(tracers=known):
        world.asked.clear()
        reply = world.call(bookinfo.curl, bookinfo.to_reviews, "/traced", *TRACED)
        told = json.loads(reply.body)["headers"]
        assert told["x-b3-traceid"] == TRACE
        assert (told["x-b3-spanid"] == CALLER) is not hands_on
        assert eventually(lambda: "details-v1 /spans" in world.asked, 5)


def test_nobody_is_told_without_a_tracer(bookinfo: Bookinfo) -> None:
    """Headers pass as they are."""
    world = bookinfo.world
    reply = world.call(bookinfo.curl, bookinfo.to_reviews, "/untraced", *TRACED)
    assert json.loads(reply.body)["headers"]["x-b3-spanid"] == CALLER


def test_faults() -> None:
    """telemetry-miscounts hands nothing on; telemetry-ignored leaves no tracer to be asked about."""
    assert tracing(Checks()) == {}
    assert "no_context_propagation" not in tracing(Checks(tracer=TRACER))
    silent = tracing(Checks(tracer=TRACER, faults=frozenset({Fault.TELEMETRY_MISCOUNTS})))
    assert silent["no_context_propagation"] is True
