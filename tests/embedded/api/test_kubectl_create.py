"""kubectl create, run, expose: typed clients send protobuf."""

import base64
import json

import pytest

from .world import World


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["create", "namespace", "made"], "namespace/made created\n"),
        (["create", "serviceaccount", "made"], "serviceaccount/made created\n"),
        (["create", "configmap", "made", "--from-literal=a=b"], "configmap/made created\n"),
        (["create", "secret", "generic", "made", "--from-literal=a=b"], "secret/made created\n"),
        (["create", "service", "clusterip", "made", "--tcp=80:8080"], "service/made created\n"),
        (["create", "role", "made", "--verb=get", "--resource=pods"], "role.rbac.authorization.k8s.io/made created\n"),
        (
            ["create", "rolebinding", "made", "--role=made", "--serviceaccount=default:made"],
            "rolebinding.rbac.authorization.k8s.io/made created\n",
        ),
        (
            ["create", "clusterrole", "made", "--verb=get", "--resource=nodes"],
            "clusterrole.rbac.authorization.k8s.io/made created\n",
        ),
        (
            ["create", "clusterrolebinding", "made", "--clusterrole=made", "--user=u"],
            "clusterrolebinding.rbac.authorization.k8s.io/made created\n",
        ),
    ],
    ids=lambda value: value[1] if isinstance(value, list) else "",
)
def test_typed_creations(world: World, words: list[str], said: str) -> None:
    """Every typed `create` is taken."""
    assert world.kubectl(*words) == said


def test_deployment_is_read_whole_from_protobuf(world: World) -> None:
    """Replicas, selector, template and ports of `create deployment` arrive."""
    world.kubectl("create", "deployment", "typed", "--image=nginx:1", "--replicas=0", "--port=80", "--", "sleep", "1")
    spec = world.get("Deployment", "typed", "apps")["spec"]
    assert (spec["replicas"], spec["selector"]) == (0, {"matchLabels": {"app": "typed"}})
    (container,) = spec["template"]["spec"]["containers"]
    assert (container["image"], container["command"]) == ("nginx:1", ["sleep", "1"])
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP"}]


def test_secret_bytes_survive_protobuf(world: World) -> None:
    """Secret data is bytes on the wire and base64 in JSON."""
    world.kubectl("create", "secret", "generic", "bytes", "--from-literal=a=\u00fc")
    assert base64.b64decode(world.get("Secret", "bytes")["data"]["a"]).decode() == "\u00fc"


def test_token_is_accepted_as_bearer(world: World) -> None:
    """`create token` gives a token that says who its account is."""
    world.kubectl("create", "serviceaccount", "bearer")
    token = world.kubectl("create", "token", "bearer").strip()
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    answer = json.loads(world.kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(review)))
    assert answer["status"]["authenticated"] is True
    assert answer["status"]["user"]["username"] == "system:serviceaccount:default:bearer"


def test_run_and_expose(world: World) -> None:
    """`run` makes a pod, `expose` a Service for it."""
    world.kubectl("run", "ran", "--image=nginx:1", "--port=80", "--labels=app=ran")
    assert world.kubectl("expose", "pod", "ran", "--port=8080", "--target-port=80") == "service/ran exposed\n"
    spec = world.get("Service", "ran")["spec"]
    assert spec["selector"] == {"app": "ran"}
    assert (spec["ports"][0]["port"], spec["ports"][0]["targetPort"]) == (8080, 80)


def test_kinds_without_effect_are_refused_by_name(world: World) -> None:
    """A kind on which nothing here would act can be listed, but not created."""
    assert "No resources found" in world.complaint("get", "networkpolicies,cronjobs,pdb,hpa")
    refused = world.kubectl("create", "cronjob", "j", "--image=nginx", "--schedule=* * * * *", code=1)
    assert "the embedded cluster does not implement CronJob objects (batch/v1)" in refused


def test_writers_are_warned(world: World) -> None:
    """What the mesh has to say about an object reaches its writer as a warning."""
    world.warnings["warned"] = ['this is "odd"']
    assert world.complaint("create", "configmap", "warned") == 'Warning: this is "odd"\n'
    assert world.complaint("delete", "configmap", "warned") == ""


def test_unknown_namespace_is_named(world: World) -> None:
    """Nothing can be created in a namespace that does not exist."""
    refused = world.kubectl("create", "configmap", "c", "-n", "nowhere", code=1)
    assert 'namespaces "nowhere" not found' in refused


def test_taken_names_are_refused(world: World) -> None:
    """A second object of the same name is refused."""
    world.kubectl("create", "configmap", "once")
    refused = world.kubectl("create", "configmap", "once", code=1)
    assert 'configmaps "once" already exists' in refused


def test_a_services_name_begins_with_a_letter(world: World) -> None:
    """Its name is one of DNS, which a namespace's need not be."""
    refused = world.kubectl("create", "service", "clusterip", "1st", "--tcp=80", code=1)
    assert 'metadata.name: Invalid value: "1st": a DNS-1035 label must consist of lower case' in refused
    world.kubectl("create", "namespace", "1st")


def test_mistakes_in_a_deployment_are_listed(world: World) -> None:
    """Everything that is wrong is named at once, as the API does."""
    asks = {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "1500m", "memory": "1Gi"}}
    bad = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "bad"},
        "spec": {
            "selector": {"matchLabels": {"app": "a"}},
            "template": {
                "metadata": {"labels": {"app": "b"}},
                "spec": {"containers": [{"name": "x_", "resources": asks}]},
            },
        },
    }
    refused = world.kubectl("create", "-f", "-", stdin=json.dumps(bad), code=1)
    assert "* spec.template.metadata.labels: Invalid value" in refused
    assert "`selector` does not match template `labels`" in refused
    assert "* spec.template.spec.containers[0].image: Required value" in refused
    why = 'Invalid value: "2": must be less than or equal to cpu limit of 1500m'
    assert f"* spec.template.spec.containers[0].resources.requests: {why}" in refused
    assert "memory" not in refused
    assert '* spec.template.spec.containers[0].name: Invalid value: "x_": a lowercase RFC 1123 label must' in refused
    elsewhere = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"type": "ExternalName"}}
    refused = world.kubectl("create", "-f", "-", stdin=json.dumps(elsewhere), code=1)
    assert "spec.externalName: Required value" in refused
