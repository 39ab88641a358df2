"""The text of a red test, pinned whole."""

from pytest_ambient.verdict.call import DELETE, GET, STATUS
from pytest_ambient.verdict.condition import HasCondition
from pytest_ambient.verdict.curl import pasteable
from pytest_ambient.verdict.expectation import Answered, DeniedL4, DeniedL7
from pytest_ambient.verdict.failure import Failure
from tests.verdict.outcomes import OUTCOMES, ZTUNNEL_MISS

DELETE_PAGE = DELETE("http://productpage:9080/productpage")
REVIEWS = GET("http://reviews:9080/reviews/0")
POLICY = "l7/test_allow_method.yaml: AuthorizationPolicy default/productpage-get-only"


def test_a_broken_denial() -> None:
    """The 405 comes from the application, so the policy never ran."""
    expectation = DeniedL7(by="productpage-get-only")
    failure = Failure(
        source="curl",
        pod="default/curl-7f6",
        call=DELETE_PAGE,
        wanted=str(expectation),
        got=expectation.explain(OUTCOMES["answer 405"]) or "",
        attempts=14,
        seconds=30.2,
        alike=3,
        applied=[POLICY],
        repeat=pasteable(DELETE_PAGE, "deploy/curl", "default", context="kind-ambient"),
    )
    assert str(failure) == (
        "curl (default/curl-7f6) -> DELETE http://productpage:9080/productpage\n"
        "  wanted   denied at L7: HTTP 403 from the waypoint, by productpage-get-only\n"
        "  got      HTTP 405 from the application, 14 attempts in 30.2 s, last 3 alike\n"
        "  applied  l7/test_allow_method.yaml: AuthorizationPolicy default/productpage-get-only\n"
        "  repeat   kubectl --context kind-ambient -n default exec deploy/curl -- "
        "curl -sS -X DELETE http://productpage:9080/productpage"
    )


def test_a_denial_that_did_not_stay() -> None:
    """Several manifests and the proxies' own lines stand below each other."""
    failure = Failure(
        source="details-v1",
        pod="default/details-v1-5d9",
        call=REVIEWS,
        wanted=str(DeniedL4()),
        got="HTTP 200 from the application in reviews-v1-x",
        attempts=20,
        seconds=1.04,
        alike=1,
        applied=["l4/test_x.setup.yaml: Service default/a", "l4/test_x.yaml: AuthorizationPolicy default/b"],
        repeat="kubectl -n default exec deploy/details-v1 -- curl -sS http://reviews:9080/reviews/0",
        phase="stays",
        evidence=["line one", "line two"],
    )
    assert str(failure) == (
        "details-v1 (default/details-v1-5d9) -> GET http://reviews:9080/reviews/0\n"
        "  wanted   to stay: denied at L4: connection closed without an HTTP byte, refused by ztunnel\n"
        "  got      HTTP 200 from the application in reviews-v1-x, 20 attempts in 1.0 s, last 1 alike\n"
        "  said     line one\n"
        "           line two\n"
        "  applied  l4/test_x.setup.yaml: Service default/a\n"
        "           l4/test_x.yaml: AuthorizationPolicy default/b\n"
        "  repeat   kubectl -n default exec deploy/details-v1 -- curl -sS http://reviews:9080/reviews/0"
    )


def test_a_control_that_did_not_hold() -> None:
    """Before the manifest nothing is applied, and the text does not pretend so."""
    failure = Failure(
        source="curl",
        pod="",
        call=REVIEWS,
        wanted=str(Answered(200)),
        got=str(Answered(200).explain(OUTCOMES["reset by an ALLOW"])),
        attempts=1,
        seconds=0.1,
        alike=1,
        applied=[],
        repeat="kubectl -n default exec deploy/curl -- curl -sS http://reviews:9080/reviews/0",
        phase="control",
    )
    assert str(failure) == (
        "curl -> GET http://reviews:9080/reviews/0\n"
        "  wanted   before the manifest: HTTP 200 from the application\n"
        "  got      connected, then reset without an HTTP byte (curl exit 56), "
        f"refused by ztunnel: {ZTUNNEL_MISS.reason}, 1 attempt in 0.1 s\n"
        "  repeat   kubectl -n default exec deploy/curl -- curl -sS http://reviews:9080/reviews/0"
    )


def test_a_policy_that_outlived_its_deletion() -> None:
    """Undoing leaves nothing applied, and the text says so."""
    failure = Failure(
        "curl", "default/curl-7f6", REVIEWS, "HTTP 200", "HTTP 403", 40, 30.0, 40, [], "kubectl get pods", phase="undo"
    )
    assert str(failure) == (
        "curl (default/curl-7f6) -> GET http://reviews:9080/reviews/0\n"
        "  wanted   once the manifest is undone: HTTP 200\n"
        "  got      HTTP 403, 40 attempts in 30.0 s, last 40 alike\n"
        "  applied  nothing\n"
        "  repeat   kubectl get pods"
    )


def test_a_status_that_did_not_come() -> None:
    """Nobody calls for a status; the API server is asked."""
    failure = Failure(
        source="",
        pod="",
        call=STATUS("v1/Service", "reviews", "default"),
        wanted=str(HasCondition("istio.io/WaypointBound")),
        got="no conditions",
        attempts=12,
        seconds=30.0,
        alike=12,
        applied=["l7/test_waypoint_serves.yaml: Service default/reviews"],
        repeat="kubectl -n default get service reviews -o yaml",
    )
    assert str(failure) == (
        "status of Service default/reviews\n"
        "  wanted   condition istio.io/WaypointBound=True\n"
        "  got      no conditions, 12 attempts in 30.0 s, last 12 alike\n"
        "  applied  l7/test_waypoint_serves.yaml: Service default/reviews\n"
        "  repeat   kubectl -n default get service reviews -o yaml"
    )
