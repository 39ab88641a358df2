"""A user's own rule whose chain of fixtures ends in doubles for everything below the probes."""

CHAIN = """
import pytest
from bench import DENIED, PLACES, QUICK, RUN, Bench, Reply

@pytest.fixture(scope="session")
def bench():
    def answer(pod, method, url):
        if not bench.there("security.istio.io/v1/AuthorizationPolicy", "only-curl") or "details" not in pod:
            return Reply(body=f"hello from {pod}")
        return DENIED
    bench = Bench(answer)
    return bench

@pytest.fixture(scope="session")
def ambient_kube(bench, ambient_cluster):
    for number, app in enumerate(("istiod", "istio-cni-node", "ztunnel")):
        kind = "Deployment" if app == "istiod" else "DaemonSet"
        label = {"k8s-app" if "cni" in app else "app": app}
        bench.kube.objects[f"apps/v1/{kind}", "istio-system", app] = {
            "metadata": {"name": app, "namespace": "istio-system", "labels": label, "generation": 1},
            "spec": {"replicas": 1, "selector": {"matchLabels": label},
                     "template": {"metadata": {"labels": label},
                                  "spec": {"containers": [{"name": app, "image": f"x/{app}:1.30.3"}]}}},
            "status": {"observedGeneration": 1, "readyReplicas": 1, "availableReplicas": 1, "replicas": 1,
                       "desiredNumberScheduled": 1, "numberReady": 1, "numberAvailable": 1,
                       "updatedNumberScheduled": 1, "updatedReplicas": 1},
        }
    return bench.real

@pytest.fixture(scope="session")
def ambient_places(ambient_mesh):
    return PLACES

@pytest.fixture(scope="session")
def bookinfo(ambient_places):
    from pytest_ambient.mesh.bookinfo import Bookinfo
    return Bookinfo(ambient_places, RUN)
"""

POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: only-curl
  namespace: ${NAMESPACE}
spec:
  rules:
  - from:
    - source:
        principals: ["${TRUST_DOMAIN}/ns/${NAMESPACE}/sa/sa-curl"]
"""

OWN = """
from pytest_ambient import GET, Answered, DeniedL4, Verdict, case, cases

REVIEWS = GET("http://reviews:9080/reviews/0")

@cases(
    case("curl-is-answered", "curl", REVIEWS, Answered(200), unchanged=True),
    case("details-is-reset", "details-v1", REVIEWS, DeniedL4(by="only-curl"), twin="curl-is-answered"),
)
def test_only_curl(verdict: Verdict) -> None:
    verdict.holds()
"""

QUICK = ("--ambient-cluster=fake", "--ambient-timeout=hold=0.01,witness=0.2,control=2,becomes=2,undo=2,mesh=2")
