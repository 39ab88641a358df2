"""What tests of rules share: a manifest, a table, a mesh that keeps its promise, and the judging of cases."""

from pytest_ambient.manifest import Manifests
from pytest_ambient.probe.converge import Clock
from pytest_ambient.probe.result import CaseResult
from pytest_ambient.probe.rule import RuleRun
from pytest_ambient.probe.source import Sources
from pytest_ambient.probe.timing import Timing
from pytest_ambient.verdict.call import GET
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Answered, DeniedL4
from pytest_ambient.verdict.pairing import pair
from tests.probe.bench import DENIED, PLACES, QUICK, RUN, Bench, Reply

POLICY = "security.istio.io/v1/AuthorizationPolicy"
REVIEWS = GET("http://reviews:9080/reviews/0")
MANIFEST = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: only-curl
  namespace: ${NAMESPACE}
spec:
  action: ALLOW
"""
POD = """\
---
apiVersion: v1
kind: Pod
metadata:
  name: late
  namespace: ${NAMESPACE}
spec:
  containers: []
"""
ANSWERED = Case("curl-is-answered", "curl", REVIEWS, Answered(200), Answered(200), unchanged=True)
REFUSED = Case("details-is-reset", "details-v1", REVIEWS, DeniedL4(by="only-curl"), Answered(200))
TABLE = pair([ANSWERED, REFUSED])


def enforced(where: str, bench: Bench) -> Reply:
    """What a mesh does that keeps its promise: only curl is let in while the policy is there."""
    return DENIED if bench.there(POLICY, "only-curl") and "details" in where else Reply()


def bench_of(answer: object = enforced) -> Bench:
    """A bench whose policy is attached and whose mesh does what `answer` says."""
    bench = Bench(lambda where, method, url: answer(where, bench))  # type: ignore[operator]  # a function of both
    bench.attach("shop/only-curl")
    return bench


def run_of(bench: Bench, manifests: Manifests, selected: tuple[Case, ...] = TABLE, timing: Timing = QUICK) -> RuleRun:
    """A rule that was not asked for any case yet."""
    clock = Clock(bench.clock, bench.clock.sleep)
    sources = Sources(bench.real, PLACES, RUN, image="curl", within=timing.setup)
    return RuleRun(bench.real, PLACES, manifests, selected, sources=sources, timing=timing, clock=clock)


def judged(
    bench: Bench, manifests: Manifests, *wanted: Case, selected: tuple[Case, ...] = TABLE, timing: Timing = QUICK
) -> list[CaseResult]:
    """The results of some cases."""
    run = run_of(bench, manifests, selected, timing)
    try:
        return [run.result(case) for case in wanted]
    finally:
        run.close()
