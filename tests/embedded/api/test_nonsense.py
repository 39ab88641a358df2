"""Whatever a client sends, it is taken or refused; nothing breaks inside."""

import contextlib
import json
import random
from typing import Any

import pytest

from pytest_ambient.embedded.api import crds, writes
from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.route import Target
from pytest_ambient.embedded.api.store import Resource, Store, find
from pytest_ambient.embedded.api.table import table
from pytest_ambient.embedded.api.write_options import Options
from pytest_ambient.embedded.objects import Object

from .test_definitions import WIDGETS
from .world import deployment, pod

VALUES: tuple[Any, ...] = (
    None,
    [],
    {},
    "",
    0,
    -1,
    "x",
    True,
    1.5,
    [None],
    [{}],
    {"a": None},
    ["a"],
    {"name": "x"},
    1 << 40,
)
ODD_KEYS = (
    "foo",
    "$patch",
    "$retainKeys",
    "$setElementOrder/containers",
    "$deleteFromPrimitiveList/finalizers",
    "spec",
)
PATCHES = (writes.MERGE_PATCH, writes.STRATEGIC_PATCH, writes.APPLY_PATCH, writes.JSON_PATCH)
ROUTE = {
    "metadata": {"name": "r"},
    "spec": {
        "parentRefs": [{"name": "a"}],
        "rules": [
            {"matches": [{"headers": [{"name": "a", "value": "b"}]}], "backendRefs": [{"name": "a", "port": 80}]}
        ],
    },
}
POLICY = {
    "metadata": {"name": "p"},
    "spec": {"action": "DENY", "selector": {"matchLabels": {"a": "b"}}, "rules": [{"from": [{"source": {}}]}]},
}
EVENT = {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod"}, "lastTimestamp": "2026-01-01T00:00:00Z"}


def places(item: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything in a structure."""
    found = [path]
    pairs = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    for key, value in pairs:
        found += places(value, (*path, key))
    return found


def mangled(item: Object, dice: random.Random) -> Object:
    """A copy with one to three things changed for the worse."""
    copy: Object = json.loads(json.dumps(item))
    for _ in range(dice.randint(1, 3)):
        *path, last = dice.choice([each for each in places(copy) if each] or [("metadata",)])
        parent: Any = copy
        for key in path:
            parent = parent[key]
        value = json.loads(json.dumps(dice.choice(VALUES)))
        choice = dice.random()
        if choice < 0.25 and last in (parent if isinstance(parent, dict) else range(len(parent))):
            del parent[last]
        elif choice < 0.4 and isinstance(parent, dict):
            parent[dice.choice(ODD_KEYS)] = value
        else:
            parent[last] = value
    return copy


@pytest.mark.parametrize(
    ("resource", "item"),
    [
        (find("Deployment", "apps"), deployment(env=[{"name": "A", "value": "x"}], ports=[{"containerPort": 80}])),
        (find("Pod"), pod("p", "a", "b", x="y")),
        (find("Service"), {"metadata": {"name": "s"}, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}}),
        (find("Event"), EVENT),
        (find("HTTPRoute", "gateway.networking.k8s.io"), ROUTE),
        (find("AuthorizationPolicy", "security.istio.io"), POLICY),
        (crds.DEFINITIONS, WIDGETS),
    ],
    ids=lambda value: value.kind if isinstance(value, Resource) else "",
)
def test_nothing_breaks(resource: Resource, item: Object) -> None:
    """Mangled objects and patches end in an object or in a refusal, and what is stored can be shown."""
    dice = random.Random(7)
    store = Store()
    crds.seed(store)
    store.create(find("Namespace"), {"metadata": {"name": "default"}})
    about = Target(resource, resource.version, "default" if resource.namespaced else "", item["metadata"]["name"])
    for _ in range(150):
        if store.get(resource, about.name, about.namespace) is None:
            writes.create(store, about, json.loads(json.dumps(item)), Options("t"))
        how = Options(dice.choice("ab"), force=True, validation=dice.choice(("Warn", "Strict", "Ignore")))
        bad = mangled(item, dice)
        kind = dice.choice(PATCHES)
        with contextlib.suppress(ApiError):
            if dice.random() < 0.4:
                writes.update(store, about, bad, how)
            else:
                writes.patch(store, about, kind, json.dumps(bad).encode(), how)
        table(store.registry, resource, store.list(resource), include="None", version="1")
