"""Mistakes in Services, containers, roles and StatefulSets are refused in the API's words."""

import json
from typing import Any

import pytest

from pytest_ambient.embedded.objects import Object

from .world import World, deployment, pod

OTHER_FIELDS = (
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are "
    "forbidden"
)
GET = {"httpGet": {"port": 80}}
COMMAND = {"exec": {"command": ["true"]}}
NAMED = {"secretKeyRef": {"name": "s", "key": "k"}}
OF_THE_POD = {"fieldRef": {"fieldPath": "metadata.name"}}


def refused(world: World, item: Object) -> list[str]:
    """What kubectl lists as wrong with an object."""
    said = world.kubectl("create", "-f", "-", stdin=json.dumps(item), code=1)
    return said.strip().removeprefix(f'The {item["kind"]} "{item["metadata"]["name"]}" is invalid: ').splitlines()


@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
def test_ports_of_a_service_differ(world: World, protocol: str) -> None:
    """Two ports of a Service may have the same number with different protocols only."""
    ports = [{"name": "a", "port": 80, "targetPort": 1, "protocol": protocol}, {"name": "b", "port": 80}]
    item = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "twice"}, "spec": {"ports": ports}}
    if protocol == "UDP":
        world.kubectl("create", "-f", "-", stdin=json.dumps(item))
        return
    value = '{"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}'
    assert refused(world, item) == [f"spec.ports[1]: Duplicate value: {value}"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"ports": [{"name": "web", "containerPort": 80}, {"name": "web", "containerPort": 81}]},
            'ports[1].name: Duplicate value: "web"',
        ),
        (
            {"ports": [{"name": "sixteen-letters-", "containerPort": 80}]},
            'ports[0].name: Invalid value: "sixteen-letters-": must be no more than 15 characters\n'
            'ports[0].name: Invalid value: "sixteen-letters-": must not begin or end with a hyphen',
        ),
        (
            {"ports": [{"name": "8--0", "containerPort": 80}]},
            'ports[0].name: Invalid value: "8--0": must contain at least one letter (a-z)\n'
            'ports[0].name: Invalid value: "8--0": must not contain consecutive hyphens',
        ),
        (
            {"ports": [{"name": "Web", "containerPort": 80}]},
            'ports[0].name: Invalid value: "Web": must contain only alpha-numeric characters (a-z, 0-9), and '
            "hyphens (-)",
        ),
        (
            {"env": [{"name": "A", "value": "x", "valueFrom": NAMED}]},
            'env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
        ),
        (
            {"env": [{"name": "A", "valueFrom": NAMED | OF_THE_POD}]},
            'env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time',
        ),
        (
            {"env": [{"name": "A", "valueFrom": {}}]},
            'env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, '
            "`configMapKeyRef` or `secretKeyRef`",
        ),
        (
            {"env": [{"name": "A=B", "value": "x"}]},
            'env[0].name: Invalid value: "A=B": a valid environment variable name must consist only of printable '
            "ASCII characters other than '='",
        ),
        ({"env": [{"name": "", "value": "x"}]}, "env[0].name: Required value"),
        ({"livenessProbe": {}}, "livenessProbe: Required value: must specify a handler type"),
        (
            {"readinessProbe": COMMAND | GET},
            "readinessProbe.httpGet: Forbidden: may not specify more than 1 handler type",
        ),
        (
            {"startupProbe": GET | {"periodSeconds": -1}},
            "startupProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
        ),
        ({"lifecycle": {"preStop": {}}}, "lifecycle.preStop: Required value: must specify a handler type"),
    ],
)
def test_mistakes_in_a_container(world: World, more: Object, said: str) -> None:
    """Names of ports and of variables, sources of values, and what a probe asks, in pods and in templates alike."""
    item = pod("bad")
    item["spec"]["containers"][0] |= more
    assert _bare(refused(world, item)) == [f"spec.containers[0].{each}" for each in said.split("\n")]
    template = deployment("bad", **more)
    assert _bare(refused(world, template)) == [f"spec.template.spec.containers[0].{each}" for each in said.split("\n")]


def _bare(lines: list[str]) -> list[str]:
    return [each.removeprefix("* ") for each in lines if each]


def test_what_containers_may_have(world: World) -> None:
    """Two containers may name their ports alike; an empty value goes with a source."""
    item = pod("good", "a", "b")
    for number, each in enumerate(item["spec"]["containers"]):
        each["ports"] = [{"name": "fifteen-letters", "containerPort": 80 + number}]
        each["env"] = [{"name": "a.b-c d", "value": "", "valueFrom": NAMED}]
        each["livenessProbe"] = GET | {"initialDelaySeconds": 0}
    world.kubectl("create", "-f", "-", stdin=json.dumps(item))


@pytest.mark.parametrize("kind", ["Role", "ClusterRole"])
@pytest.mark.parametrize("verbs", [{}, {"verbs": []}])
def test_a_rule_has_verbs(world: World, kind: str, verbs: dict[str, Any]) -> None:
    """A rule without verbs allows nothing and is refused."""
    rule = {"apiGroups": [""], "resources": ["pods"]} | verbs
    item = {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "idle"}, "rules": [rule],
    }  # fmt: skip
    assert refused(world, item) == ["rules[0].verbs: Required value: verbs must contain at least one value"]


@pytest.mark.parametrize(
    "change",
    [
        {"serviceName": "other"},
        {"podManagementPolicy": "Parallel"},
        {"volumeClaimTemplates": [{"metadata": {"name": "more"}}]},
        {"selector": {"matchLabels": {"app": "db", "more": "yes"}}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_most_of_a_stateful_set_stays(world: World, change: Object) -> None:
    """Its Service, its order, its volumes and its selector can't be changed; all that is left can."""
    item = deployment("db") | {"kind": "StatefulSet"}
    item["spec"]["serviceName"] = "db"
    item["spec"]["template"]["metadata"]["labels"] = {"app": "db", "more": "yes"}
    world.kubectl("apply", "-f", "-", stdin=json.dumps(item))
    said = world.kubectl("patch", "statefulset", "db", "--type=merge", "-p", json.dumps({"spec": change}), code=1)
    assert said.strip() == f'The StatefulSet "db" is invalid: {OTHER_FIELDS}'
    free = {"replicas": 3, "minReadySeconds": 1, "ordinals": {"start": 1}, "revisionHistoryLimit": 2}
    free |= {"updateStrategy": {"type": "OnDelete", "rollingUpdate": None}}
    world.kubectl("patch", "statefulset", "db", "--type=merge", "-p", json.dumps({"spec": free}))
