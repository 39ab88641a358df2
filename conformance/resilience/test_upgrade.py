"""S4: while the mesh is upgraded calls are answered and nothing comes through that must not."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Steady, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="S4", needs=("Identity", "Upgrade"), disruptive=True)

RATINGS, SERVED = GET("http://ratings:9080/ratings/0"), Answered(200)
BY_ZTUNNEL = DeniedL4(by="${NAMESPACE}/ratings-not-from-details")
KMESH = {"kmesh": Unsupported("Kmesh has no ztunnel")}


@cases(
    case("calls-resume", "curl", RATINGS, Steady(SERVED)),
    case("denied-calls-never-pass", "details-v1", RATINGS, Steady(BY_ZTUNNEL), twin="calls-resume"),
    scope="mesh",
    on=KMESH,
)
def test_upgrade(verdict: Verdict) -> None:
    """Skipped wherever it runs: no run has a second version to upgrade to (decision record 12)."""
    verdict.holds()
