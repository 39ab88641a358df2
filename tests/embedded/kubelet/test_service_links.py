"""Variables by which containers find Services."""

from pathlib import Path

from pytest_ambient.embedded.api.store import Store, find
from pytest_ambient.embedded.kubelet.service_links import service_links
from pytest_ambient.embedded.objects import Object

from .bench import POD, Bench, play
from .specs import container, pod, service

SERVICE, NAMESPACE = find("Service"), find("Namespace")


def kept() -> Store:
    """A store with the API's Service, one of two ports, a headless one, and one of another namespace."""
    store = Store()
    for space in ("default", "bookinfo", "other"):
        store.create(NAMESPACE, {"metadata": {"name": space}})
    api: Object = {"name": "https", "port": 443}
    many: list[Object] = [{"name": "http-web", "port": 80}, {"name": "admin", "port": 81}]
    store.create(SERVICE, service("kubernetes", api, namespace="default", clusterIP="10.0.0.1"))
    store.create(SERVICE, service("my-shop", *many, clusterIP="10.0.0.2"))
    store.create(SERVICE, service("headless", {"port": 80}, clusterIP="None"))
    store.create(SERVICE, service("far", {"port": 80}, namespace="other", clusterIP="10.0.0.3"))
    return store


def test_services_of_the_namespace_and_the_apis_own() -> None:
    """Host, ports by name and number, and the links' older form."""
    found = service_links(kept(), pod("p"))
    assert found["KUBERNETES_SERVICE_HOST"] == "10.0.0.1"
    assert found["KUBERNETES_SERVICE_PORT_HTTPS"] == "443"
    assert {name: value for name, value in found.items() if name.startswith("MY_SHOP")} == {
        "MY_SHOP_SERVICE_HOST": "10.0.0.2",
        "MY_SHOP_SERVICE_PORT": "80",
        "MY_SHOP_SERVICE_PORT_HTTP_WEB": "80",
        "MY_SHOP_SERVICE_PORT_ADMIN": "81",
        "MY_SHOP_PORT": "tcp://10.0.0.2:80",
        "MY_SHOP_PORT_80_TCP": "tcp://10.0.0.2:80",
        "MY_SHOP_PORT_80_TCP_PROTO": "tcp",
        "MY_SHOP_PORT_80_TCP_PORT": "80",
        "MY_SHOP_PORT_80_TCP_ADDR": "10.0.0.2",
        "MY_SHOP_PORT_81_TCP": "tcp://10.0.0.2:81",
        "MY_SHOP_PORT_81_TCP_PROTO": "tcp",
        "MY_SHOP_PORT_81_TCP_PORT": "81",
        "MY_SHOP_PORT_81_TCP_ADDR": "10.0.0.2",
    }
    assert {name.partition("_")[0] for name in found} == {"KUBERNETES", "MY"}


def test_a_pod_without_links_knows_the_api_alone() -> None:
    """As `enableServiceLinks: false` asks for."""
    found = service_links(kept(), pod("p", enableServiceLinks=False))
    assert {name.partition("_")[0] for name in found} == {"KUBERNETES"}


def test_a_containers_own_variables_come_first(tmp_path: Path) -> None:
    """Its own value stands, and may refer to what the Services gave."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(SERVICE, service("shop", {"port": 80}, clusterIP=""))
        env = [{"name": "SHOP_PORT", "value": "mine"}, {"name": "URL", "value": "http://x:$(SHOP_SERVICE_PORT)"}]
        bench.store.create(POD, pod("p", container("busybox", "sleep", "inf", env=env)))
        made = await bench.ready_pod("p")
        told = (await bench.run(made, "env"))[1].splitlines()
        assert {"SHOP_PORT=mine", "URL=http://x:80", "SHOP_SERVICE_PORT=80"} <= set(told)

    play(tmp_path, scenario)
