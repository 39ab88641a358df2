"""The tables of `schemas/` agree with themselves and with the Python client's models."""

from typing import Any

import pytest
from kubernetes import client

from pytest_ambient.embedded.api import crds, protobuf, schema
from pytest_ambient.embedded.api.resources import BUILTIN, CUSTOM
from pytest_ambient.embedded.api.store import Store, find
from pytest_ambient.embedded.objects import Object

MODELS = {
    "Container": "V1Container", "PodSpec": "V1PodSpec", "PodStatus": "V1PodStatus", "Probe": "V1Probe",
    "DeploymentSpec": "V1DeploymentSpec", "ServiceSpec": "V1ServiceSpec", "ServicePort": "V1ServicePort",
    "ObjectMeta": "V1ObjectMeta", "SecurityContext": "V1SecurityContext", "EnvVar": "V1EnvVar", "Volume": "V1Volume",
    "Event": "CoreV1Event", "EndpointSlice": "V1EndpointSlice", "Endpoint": "V1Endpoint", "Role": "V1Role",
    "LeaseSpec": "V1LeaseSpec", "DaemonSetStatus": "V1DaemonSetStatus", "ReplicaSetStatus": "V1ReplicaSetStatus",
    "NodeStatus": "V1NodeStatus",
}  # fmt: skip


def named(name: str) -> Object:
    schema.load()
    return next(value for key, value in schema.DEFINITIONS.items() if key.rpartition(".")[2] == name)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_fields_are_those_of_the_client(name: str) -> None:
    """A table has no field that the client's model lacks; what it leaves out is newer or an old kind of volume."""
    model: Any = getattr(client, MODELS[name])
    known = set(model.attribute_map.values())
    fields = set(named(name)["properties"])
    assert fields <= known
    assert name == "Volume" or len(known - fields) <= 4


@pytest.mark.parametrize("resource", [*BUILTIN, *CUSTOM], ids=lambda each: each.kind)
def test_every_kind_has_a_table(resource: Any) -> None:
    """No kind that can be created is taken unseen."""
    assert schema.full_name(resource.group, resource.kind)


def test_references_lead_somewhere() -> None:
    """Every reference is to a type of the tables."""
    schema.load()
    for shape in schema.DEFINITIONS.values():
        for field in shape["properties"].values():
            inner = field.get("items") or field.get("additionalProperties") or field
            assert schema.resolved(inner)


def test_wire_numbers_are_of_known_fields() -> None:
    """Each field that has a number on the wire is in its type's table."""
    schema.load()
    for name, numbers in protobuf._numbers().items():
        shape = schema.DEFINITIONS.get(name)
        listed = {field for field in numbers.values() if not field.startswith("+")}
        assert shape is None or listed <= set(shape["properties"])


def test_definitions_give_back_what_the_tables_say() -> None:
    """The mesh's own definitions carry schema, defaults and columns of the tables."""
    store = Store()
    crds.seed(store)
    found = store.get(crds.DEFINITIONS, "httproutes.gateway.networking.k8s.io")
    assert found is not None
    version = found["spec"]["versions"][0]
    rules = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["rules"]
    assert rules["default"] == [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]}]
    assert rules["items"]["properties"]["backendRefs"]["items"]["properties"]["weight"]["default"] == 1
    assert [each["name"] for each in version["additionalPrinterColumns"]] == ["Hostnames", "Age"]
    assert found["status"]["storedVersions"] == ["v1"]


def test_defaults_of_a_deployment() -> None:
    """A minimal Deployment is completed as the API completes it."""
    container = {"name": "c", "image": "i"}
    obj = {
        "metadata": {"name": "d", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"spec": {"containers": [container]}}},
    }
    spec = Store().create(find("Deployment", "apps"), obj)["spec"]
    assert (spec["replicas"], spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (1, 10, 600)
    rolling = {"maxSurge": "25%", "maxUnavailable": "25%"}
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": rolling}
    pod = spec["template"]["spec"]
    assert (pod["restartPolicy"], pod["dnsPolicy"], pod["terminationGracePeriodSeconds"]) == (
        "Always",
        "ClusterFirst",
        30,
    )
    assert pod["containers"][0]["imagePullPolicy"] == "Always"


def test_recreate_has_no_rolling_update() -> None:
    """The strategy's defaults depend on its type."""
    obj = {"metadata": {"name": "d", "namespace": "default"}, "spec": {"strategy": {"type": "Recreate"}}}
    assert Store().create(find("Deployment", "apps"), obj)["spec"]["strategy"] == {"type": "Recreate"}
