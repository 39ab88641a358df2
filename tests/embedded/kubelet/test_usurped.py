"""Which requests an application refuses in its waypoint's place."""

import pytest

from pytest_ambient.embedded.api.store import Store, find
from pytest_ambient.embedded.kubelet.usurped import refused
from pytest_ambient.embedded.objects import Object

POD: Object = {"metadata": {"name": "p", "namespace": "n", "labels": {"app": "productpage", "version": "v1"}}}
HERE: list[Object] = [{"group": "", "kind": "Service", "name": "productpage"}]


@pytest.mark.parametrize(
    ("spec", "refuses"),
    [
        ({"targetRefs": HERE, "rules": [{"to": [{"operation": {"methods": ["GET"]}}]}]}, {"POST", "DELETE"}),
        ({"targetRefs": HERE, "rules": [{"from": [{"source": {"principals": ["x"]}}]}]}, {"GET", "POST", "DELETE"}),
        ({"targetRefs": HERE}, {"GET", "POST", "DELETE"}),
        (
            {"targetRefs": HERE, "action": "DENY", "rules": [{"to": [{"operation": {"methods": ["DELETE"]}}]}]},
            {"DELETE"},
        ),
        ({"targetRefs": [{**HERE[0], "name": "reviews"}]}, set()),
        ({"selector": {"matchLabels": {"app": "productpage"}}}, set()),
        (None, set()),
    ],
)
def test_refused(spec: Object | None, refuses: set[str]) -> None:
    """Only a policy that targets the pod's Service counts, and of it only the methods."""
    store = Store()
    for name in ("productpage", "reviews"):
        ports = [{"port": 9080}]
        service = {"metadata": {"name": name, "namespace": "n"}, "spec": {"selector": {"app": name}, "ports": ports}}
        store.create(find("Service"), service)
    if spec is not None:
        policy = {"metadata": {"name": "x", "namespace": "n"}, "spec": spec}
        store.create(find("AuthorizationPolicy", "security.istio.io"), policy)
    assert {each for each in ("GET", "POST", "DELETE") if refused(store, POD, each)} == refuses
