"""Where istiod looks at some namespaces alone, a run's own get the labels that let it look at them."""

from pathlib import Path
from typing import Any, cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.errors import BrokenEnvironment
from pytest_ambient.manifest import Document
from pytest_ambient.mesh import meshwide
from pytest_ambient.mesh.bookinfo import labelled
from pytest_ambient.mesh.discovery import NAME, needed, selected
from tests.mesh.test_meshwide import mesh

SHOP = {NAME: "shop", "team": "a"}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    """A selector of one expression."""
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ({}, True),
        ({"matchLabels": {"team": "a"}}, True),
        ({"matchLabels": {"team": "b"}}, False),
        (expression("team", "In", "a", "b"), True),
        (expression("team", "In", "b"), False),
        (expression("team", "NotIn", "a"), False),
        (expression("istio.io/test-exclude-namespace", "NotIn", "true"), True),
        (expression("team", "Exists"), True),
        (expression("owner", "Exists"), False),
        (expression("team", "DoesNotExist"), False),
        (expression("owner", "DoesNotExist"), True),
        ({"matchLabels": {"team": "a"}, **expression("owner", "Exists")}, False),
    ],
)
def test_selectors_take_what_kubernetes_lets_them_take(selector: dict[str, Any], wanted: bool) -> None:
    """By labels and by expressions, both together."""
    assert selected(selector, SHOP) is wanted


def test_a_namespace_gets_what_it_lacks() -> None:
    """Nothing where it is looked at already or where all are; else what the first selector asks for that can be met."""
    by_label, by_key = {"matchLabels": {"mesh": "yes"}}, expression("stage", "In", "test", "prod")
    assert needed([], SHOP) == {}
    assert needed([by_label, {"matchLabels": {"team": "a"}}], SHOP) == {}
    assert needed([by_label], SHOP) == {"mesh": "yes"}
    assert needed([by_key], SHOP) == {"stage": "test"}
    assert needed([expression("owner", "Exists")], SHOP) == {"owner": "true"}
    assert needed([{"matchLabels": {NAME: "prod"}}, by_label], SHOP) == {"mesh": "yes"}


def test_a_namespace_gets_nothing_that_gives_its_pods_sidecars() -> None:
    """Ambient mode would leave those alone: another selector is met, another value taken; else there is no way."""
    injected, revised = {"matchLabels": {"istio-injection": "enabled"}}, expression("istio.io/rev", "Exists")
    assert needed([injected, revised, {"matchLabels": {"mesh": "yes"}}], SHOP) == {"mesh": "yes"}
    assert needed([expression("istio-injection", "In", "enabled", "disabled")], SHOP) == {"istio-injection": "disabled"}
    with pytest.raises(BrokenEnvironment, match="or take it for one whose pods get sidecars"):
        needed([injected, revised], SHOP)


def test_a_mesh_that_takes_named_namespaces_alone_is_a_broken_environment() -> None:
    """No label would let it look at ours: rows would be red for no fault of the mesh."""
    with pytest.raises(BrokenEnvironment, match="istiod does not look at namespace shop, nor would it by labels"):
        needed([{"matchLabels": {NAME: "prod"}}], SHOP)


def test_namespaces_are_labelled_as_the_mesh_configuration_asks() -> None:
    """Other objects are left as they are."""
    discovery = meshwide.read(cast(Kube, mesh(discoverySelectors="[{matchLabels: {mesh: 'yes'}}]"))).discovery
    item = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"a": "b"}}}
    made = labelled(Document(item, Path("x"), 1), "r1", discovery)
    assert made["metadata"]["labels"] == {"a": "b", "pytest-ambient/run": "r1", "mesh": "yes"}
    other = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}}
    assert labelled(Document(other, Path("x"), 1), "r1", discovery) == other
