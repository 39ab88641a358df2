"""What Kiali must show, and the words for what it shows in its place."""

import json

import pytest

from pytest_ambient.verdict.expectation import Expectation, HasEdge, HasWorkload, Word, judge
from pytest_ambient.verdict.outcome import Outcome
from tests.verdict.kiali import BOOKINFO, WORKLOADS, answered, graph, workloads


def edge(source: str, target: str, *, mtls: bool = False) -> HasEdge:
    """The expectation, its namespace filled in."""
    return HasEdge(source, target, namespace="shop", mtls=mtls)


@pytest.mark.parametrize(
    "expected",
    [
        edge("productpage", "details"),
        edge("productpage-v1", "details-v1"),
        edge("productpage", "reviews-waypoint"),
        edge("reviews-waypoint", "reviews"),
        edge("reviews", "ratings", mtls=True),
        edge("productpage", "details", mtls=True),
    ],
    ids=str,
)
def test_traffic_that_is_drawn_holds(expected: HasEdge) -> None:
    """By app or by workload; a waypoint has no app."""
    assert judge(expected, answered(graph())).word is Word.HOLDS


@pytest.mark.parametrize(
    ("expected", "body", "reason"),
    [
        (
            edge("details", "productpage"),
            graph(BOOKINFO[:2]),
            "a graph without traffic from details to productpage, but with visitor -> productpage-v1, "
            "productpage-v1 -> details-v1",
        ),
        (edge("a", "b"), graph([]), "a graph without traffic from a to b, and with no traffic at all"),
        (
            edge("productpage", "details"),
            graph(namespace="other"),
            "a graph without traffic from productpage to details, but with visitor -> productpage-v1, "
            "productpage-v1 -> details-v1, productpage-v1 -> reviews-v2, productpage-v1 -> reviews-waypoint, "
            "reviews-waypoint -> reviews-v2, reviews-v2 -> ratings-v1",
        ),
        (
            edge("x", "y"),
            graph((f"a{n}", f"b{n}", None) for n in range(10)),
            "a graph without traffic from x to y, but with a0 -> b0, a1 -> b1, a2 -> b2, a3 -> b3, a4 -> b4, a5 -> b5, "
            "a6 -> b6, a7 -> b7 and 2 more",
        ),
    ],
)
def test_traffic_that_is_missing_is_told_with_what_is_there(expected: HasEdge, body: str, reason: str) -> None:
    """The other way round, nothing, another namespace's, and a list that would be too long."""
    judgement = judge(expected, answered(body))
    assert (judgement.word, judgement.reason) == (Word.BROKEN, reason)


@pytest.mark.parametrize(
    ("shares", "reason"),
    [
        (["100"], None),
        (["100", None], None),
        (["100", "100"], None),
        ([None], "traffic from a to b of which nothing is shown as mutual TLS"),
        (["57"], "traffic from a to b of which 57 % is shown as mutual TLS"),
        (["100", "0"], "traffic from a to b of which 0 % is shown as mutual TLS"),
    ],
)
def test_mutual_tls_is_all_or_it_does_not_hold(shares: list[str | None], reason: str | None) -> None:
    """Two protocols are two edges: one may say nothing, none may say less than all."""
    body = graph([("a", "b", share) for share in shares])
    assert edge("a", "b", mtls=True).explain(answered(body)) == reason
    assert edge("a", "b").explain(answered(body)) is None


def test_workloads_are_known_by_name_and_place() -> None:
    """A ztunnel under another name is known by what it is, wherever it lives."""
    listed = answered(workloads())
    assert HasWorkload("reviews-waypoint", "shop").explain(listed) is None
    assert HasWorkload("ztunnel", None).explain(listed) is None
    renamed = answered(workloads([("kube-system", "release-ztunnel", "isZtunnel")]))
    assert HasWorkload("ztunnel", None).explain(renamed) is None
    unmarked = answered(workloads([("istio-system", "ztunnel", "")]))  # Kiali 2.5
    assert HasWorkload("ztunnel", None).explain(unmarked) is None


@pytest.mark.parametrize(
    ("expected", "items", "reason"),
    [
        (
            HasWorkload("reviews-waypoint", "other"),
            WORKLOADS,
            "a list without other/reviews-waypoint, but with istio-system/ztunnel, shop/reviews-waypoint, shop/x",
        ),
        (HasWorkload("ztunnel", None), (), "a list without ztunnel, and with no workload at all"),
        (
            HasWorkload("ztunnel", None),
            (("a", "waypoint", "isWaypoint"),),
            "a list without ztunnel, but with a/waypoint",
        ),
    ],
)
def test_a_workload_that_is_missing_is_told(
    expected: HasWorkload, items: tuple[tuple[str, str, str], ...], reason: str
) -> None:
    """With those that are there."""
    assert expected.explain(answered(workloads(items))) == reason


@pytest.mark.parametrize("expected", [edge("a", "b"), HasWorkload("a", "shop")])
@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (answered("no", 503), "HTTP 503 from the application"),
        (Outcome(7, error="refused"), "TCP was refused or had no route (curl exit 7)"),
        (answered("<html>"), "in the body, which is '<html>'"),
        (answered("[1]"), "in the body, which is '[1]'"),
        (answered("{}"), "in the body, which is '{}'"),
    ],
)
def test_an_answer_of_another_kind_is_told(expected: Expectation, outcome: Outcome, reason: str) -> None:
    """A failure keeps its own words; what is no such JSON is quoted."""
    assert (expected.explain(outcome) or "").endswith(reason)


@pytest.mark.parametrize("elements", [None, {}, {"nodes": None, "edges": [1, {"data": {"id": "e"}}, {}]}])
def test_a_graph_of_strange_parts_has_no_traffic(elements: object) -> None:
    """It is told, not an accident of ours."""
    body = json.dumps({"elements": elements})
    assert edge("a", "b").explain(answered(body)) == "a graph without traffic from a to b, and with no traffic at all"


def test_what_is_wanted_reads_as_a_sentence() -> None:
    """As the failure shows it."""
    assert str(edge("a", "b")) == "Kiali's graph shows traffic from a to b"
    assert str(edge("a", "b", mtls=True)) == "Kiali's graph shows traffic from a to b over mutual TLS alone"
    assert str(HasWorkload("w", "shop")) == "Kiali knows the workload shop/w"
    assert str(HasWorkload("ztunnel", None)) == "Kiali knows the workload ztunnel"
