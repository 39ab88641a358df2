"""What is made for Gateways: whose it is, of which image, for which istiod."""

import asyncio
from pathlib import Path

import pytest

from pytest_ambient.embedded.api.copying import copied
from pytest_ambient.embedded.api.store import Store
from pytest_ambient.embedded.controllers.gateways import Gateways
from pytest_ambient.embedded.objects import labels_of, name_of

from ..kubelet.bench import DEPLOYMENT, SERVICE, Bench, play
from .test_waypoints import ACCOUNT, GATEWAY, NAMESPACE, waypoint


@pytest.mark.parametrize(
    ("named", "runs"), [("hub/proxyv2:9", "hub/proxyv2:9"), ("debug", "/proxyv2:1.30.3-distroless")]
)
def test_a_gateway_may_name_its_image(tmp_path: Path, named: str, runs: str) -> None:
    """By an annotation; a name without a slash counts for nothing (waypoint.yaml of Istio's chart, 1.30.3)."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(GATEWAY, waypoint())
        first = name_of(await bench.ready_pod("waypoint"))
        changed = copied(bench.store.get(GATEWAY, "waypoint", bench.space) or {})
        changed["metadata"]["annotations"] = {"sidecar.istio.io/proxyImage": named}
        bench.store.replace(GATEWAY, changed)
        await bench.until(lambda: first not in [name_of(each) for each in bench.pods("waypoint")])
        assert (await bench.ready_pod("waypoint"))["spec"]["containers"][0]["image"].endswith(runs)

    play(tmp_path, scenario)


def test_what_is_made_for_a_gateway_is_the_controllers(tmp_path: Path) -> None:
    """Whoever applies something else than istiod did meets a conflict with it, as on any cluster."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(GATEWAY, waypoint())
        await bench.ready_pod("waypoint")
        for each in (DEPLOYMENT, SERVICE, ACCOUNT):
            owned = (bench.store.get(each, "waypoint", bench.space) or {})["metadata"]["managedFields"]
            assert [(one["manager"], one["operation"]) for one in owned] == [("istio.io/gateway-controller", "Apply")]
        size = (bench.store.get(DEPLOYMENT, "waypoint", bench.space) or {})["metadata"]["managedFields"][0]["fieldsV1"]
        assert "f:template" in size["f:spec"]

    play(tmp_path, scenario)


@pytest.mark.parametrize("kind", ["istio-waypoint", "istio"])
def test_a_gateway_of_another_revision_is_left_to_its_istiod(kind: str) -> None:
    """Nothing is made for it."""

    async def scenario() -> None:
        store = Store()
        store.create(NAMESPACE, {"metadata": {"name": Bench.space}})
        controller = Gateways(store, "proxyv2")
        for name, labels in (("theirs", {"istio.io/rev": "canary"}), ("ours", {"istio.io/rev": "default"})):
            made = waypoint(**labels)
            made["metadata"]["name"], made["spec"]["gatewayClassName"] = name, kind
            store.create(GATEWAY, made)
        async with asyncio.timeout(5):
            while not store.list(DEPLOYMENT, Bench.space):
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert [name_of(each).removesuffix("-istio") for each in store.list(DEPLOYMENT, Bench.space)] == ["ours"]
        controller.stop()

    asyncio.run(scenario())


def test_what_is_made_for_an_ingress_gateway_is_outside_of_the_mesh(tmp_path: Path) -> None:
    """Its account, Service, Deployment and pods say so, unless its labels say otherwise (Istio 1.30.3)."""

    async def scenario(bench: Bench) -> None:
        front = waypoint()
        listener = {"name": "http", "port": 80, "protocol": "HTTP"}
        front["spec"] = {"gatewayClassName": "istio", "listeners": [listener]}
        bench.store.create(GATEWAY, front)
        made = await bench.ready_pod("waypoint-istio")
        objects = [
            bench.store.get(each, "waypoint-istio", bench.space) or {} for each in (ACCOUNT, SERVICE, DEPLOYMENT)
        ]
        assert {labels_of(each).get("istio.io/dataplane-mode") for each in (made, *objects)} == {"none"}

    play(tmp_path, scenario)
