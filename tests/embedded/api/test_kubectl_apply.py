"""kubectl apply, client-side and server-side, diff, replace and prune."""

import json
from pathlib import Path

import yaml

from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.objects import Object

from .world import World, deployment

GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: waypoint}
spec:
  gatewayClassName: istio-waypoint
  listeners: [{name: mesh, port: 15008, protocol: HBONE}]
"""


def text(obj: Object) -> str:
    return json.dumps(obj)


def test_second_apply_merges_lists_by_their_keys(world: World) -> None:
    """A changed Deployment is patched: one variable goes, another comes, a container joins, order is kept."""
    first = deployment("twice", env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    assert world.kubectl("apply", "-f", "-", stdin=text(first)) == "deployment.apps/twice created\n"
    assert world.kubectl("apply", "-f", "-", stdin=text(first)) == "deployment.apps/twice unchanged\n"
    second = deployment(
        "twice", image="curlimages/curl:8.2", env=[{"name": "C", "value": "3"}, {"name": "A", "value": "1"}]
    )
    second["spec"]["template"]["spec"]["containers"].insert(0, {"name": "extra", "image": "nginx:1"})
    assert world.kubectl("apply", "-f", "-", stdin=text(second)) == "deployment.apps/twice configured\n"
    stored = world.get("Deployment", "twice", "apps")
    extra, main = stored["spec"]["template"]["spec"]["containers"]
    assert (extra["name"], main["name"], main["image"]) == ("extra", "main", "curlimages/curl:8.2")
    assert [each["name"] for each in main["env"]] == ["C", "A"]
    assert stored["metadata"]["generation"] == 2


def test_lists_are_applied_item_by_item(world: World) -> None:
    """A `kind: List`, as `kubectl get -o yaml` prints it, is taken, and its items are looked into."""
    maps = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}} for name in ("one", "two")]
    listed = text({"apiVersion": "v1", "kind": "List", "items": maps})
    assert world.kubectl("apply", "-f", "-", stdin=listed) == "configmap/one created\nconfigmap/two created\n"
    world.kubectl("delete", "configmap", "one", "two")
    assert world.kubectl("create", "-f", "-", stdin=listed) == "configmap/one created\nconfigmap/two created\n"
    maps[1]["dada"] = "x"
    wrong = text({"apiVersion": "v1", "kind": "List", "items": maps})
    assert 'unknown field "dada"' in world.kubectl("apply", "-f", "-", stdin=wrong, code=1)


def test_what_nobody_is_said_to_own_is_kept_from_the_first_apply_on(world: World) -> None:
    """The API server says that somebody had written it before: what an apply takes and gives up again stays there."""
    made = {"metadata": {"name": "ownerless", "namespace": "default"}, "data": {"a": "1", "b": "2"}}
    world.store.create(find("ConfigMap"), made)
    ours = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ownerless"}}
    applying = ("apply", "--server-side", "-f", "-", "--field-manager", "us")
    refused = world.kubectl(*applying, stdin=text(ours | {"data": {"a": "3"}}), code=1)
    assert 'conflict with "before-first-apply" using v1: .data.a' in refused
    world.kubectl(*applying, stdin=text(ours | {"data": {"a": "1"}}))
    world.kubectl(*applying, stdin=text(ours))
    stored = world.get("ConfigMap", "ownerless")
    assert stored["data"] == {"a": "1", "b": "2"}
    assert [each["manager"] for each in stored["metadata"]["managedFields"]] == ["before-first-apply"]


def test_fields_of_others_survive_an_apply(world: World) -> None:
    """What somebody else set and the manifest never said stays."""
    world.kubectl("apply", "-f", "-", stdin=text(deployment("shared")))
    world.kubectl("label", "deployment", "shared", "owner=else")
    world.kubectl("apply", "-f", "-", stdin=text(deployment("shared", image="curlimages/curl:9")))
    assert world.get("Deployment", "shared", "apps")["metadata"]["labels"] == {"owner": "else"}


def test_custom_resources_are_merged_without_strategy(world: World) -> None:
    """A Gateway is created with its defaults and patched as JSON."""
    assert world.kubectl("apply", "-f", "-", stdin=GATEWAY) == "gateway.gateway.networking.k8s.io/waypoint created\n"
    listener = world.get("Gateway", "waypoint", "gateway.networking.k8s.io")["spec"]["listeners"][0]
    assert listener["allowedRoutes"] == {"namespaces": {"from": "Same"}}
    world.kubectl("apply", "-f", "-", stdin=GATEWAY.replace("HBONE", "HTTP"))
    assert world.get("Gateway", "waypoint", "gateway.networking.k8s.io")["spec"]["listeners"][0]["protocol"] == "HTTP"


def test_conflicts_name_manager_and_field(world: World) -> None:
    """Server-side apply refuses to take another manager's field, word for word as Kubernetes does."""
    applying = ("apply", "--server-side", "-f", "-", "--field-manager")
    world.kubectl(*applying, "one", stdin=text(deployment("owned")))
    refused = world.kubectl(*applying, "two", stdin=text(deployment("owned", replicas=5)), code=1)
    assert 'Apply failed with 1 conflict: conflict with "one": .spec.replicas' in refused
    both = deployment("owned", image="nginx:2", replicas=5)
    refused = world.kubectl(*applying, "two", stdin=text(both), code=1)
    assert (
        'Apply failed with 2 conflicts: conflicts with "one":\n- .spec.replicas\n'
        '- .spec.template.spec.containers[name="main"].image' in refused
    )
    world.kubectl(*applying, "two", "--force-conflicts", stdin=text(both))
    assert world.get("Deployment", "owned", "apps")["spec"]["replicas"] == 5


def test_dropped_fields_fall_away(world: World) -> None:
    """A field that its only manager no longer applies is removed; one with a second owner stays."""
    applying = ("apply", "--server-side", "-f", "-", "--field-manager")
    first = deployment("falls")
    first["metadata"]["labels"] = {"mine": "1", "ours": "1"}
    world.kubectl(*applying, "one", stdin=text(first))
    shared = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "falls", "labels": {"ours": "1"}}}
    world.kubectl(*applying, "two", stdin=text(shared))
    world.kubectl(*applying, "one", stdin=text(deployment("falls")))
    assert world.get("Deployment", "falls", "apps")["metadata"]["labels"] == {"ours": "1"}


def test_kubectl_may_go_over_to_server_side(world: World) -> None:
    """After a client-side apply the same user may apply a changed manifest server-side without a conflict."""
    world.kubectl("apply", "-f", "-", stdin=text(deployment("moves")))
    moved = deployment("moves", replicas=7)
    assert "serverside-applied" in world.kubectl("apply", "--server-side", "-f", "-", stdin=text(moved))
    stored = world.get("Deployment", "moves", "apps")
    assert stored["spec"]["replicas"] == 7
    managers = {each["manager"] for each in stored["metadata"]["managedFields"]}
    assert "kubectl-client-side-apply" not in managers


def test_unknown_fields_are_refused_or_warned_about(world: World) -> None:
    """Strict validation names the unknown field; a warning lets the object through without it."""
    bad = deployment("odd")
    bad["spec"]["foo"] = 1
    refused = world.kubectl("apply", "-f", "-", stdin=text(bad), code=1)
    assert 'strict decoding error: unknown field "spec.foo"' in refused
    assert (
        world.complaint("apply", "--validate=warn", "-f", "-", stdin=text(bad)) == 'Warning: unknown field "spec.foo"\n'
    )
    assert "foo" not in world.get("Deployment", "odd", "apps")["spec"]
    refused = world.kubectl("apply", "--server-side", "-f", "-", stdin=text(bad), code=1)
    assert ".spec.foo: field not declared in schema" in refused


def test_wrong_values_of_custom_kinds_are_refused(world: World) -> None:
    """Enum, type and range are checked, with the API's words."""
    policy = {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "p"},
        "spec": {"action": "FORBID"},
    }
    refused = world.kubectl("apply", "-f", "-", stdin=text(policy), code=1)
    words = 'spec.action: Unsupported value: "FORBID": supported values: "ALLOW", "DENY", "AUDIT", "CUSTOM"'
    assert words in refused
    refused = world.kubectl("apply", "-f", "-", stdin=GATEWAY.replace("15008", "99999"), code=1)
    assert "spec.listeners[0].port in body should be less than or equal to 65535" in refused
    refused = world.kubectl("create", "-f", "-", stdin=GATEWAY.replace("15008", "many"), code=1)
    assert 'spec.listeners[0].port in body must be of type integer: "string"' in refused


def test_diff_shows_what_an_apply_would_do(world: World) -> None:
    """diff asks for a dry run and leaves the object alone."""
    world.kubectl("apply", "-f", "-", stdin=text(deployment("differs")))
    shown = world.kubectl("diff", "-f", "-", stdin=text(deployment("differs", replicas=9)), code=1)
    assert "-  replicas: 2\n+  replicas: 9" in shown
    assert world.get("Deployment", "differs", "apps")["spec"]["replicas"] == 2


def test_replace_and_replace_by_force(world: World) -> None:
    """replace puts a new object in the place of the old; with --force it is a new one."""
    world.kubectl("create", "-f", "-", stdin=text(deployment("swap")))
    before = world.get("Deployment", "swap", "apps")["metadata"]["uid"]
    world.kubectl("replace", "-f", "-", stdin=text(deployment("swap", replicas=4)))
    after = world.get("Deployment", "swap", "apps")
    assert (after["spec"]["replicas"], after["metadata"]["uid"]) == (4, before)
    manifest = world.folder / "swap.json"
    manifest.write_text(text(deployment("swap")))
    world.kubectl("replace", "--force", "-f", str(manifest))
    assert world.get("Deployment", "swap", "apps")["metadata"]["uid"] != before


def test_kustomize_and_prune(world: World, tmp_path: Path) -> None:
    """A kustomization is applied; what left it is pruned by its label."""
    for name in ("one", "two"):
        content = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content))
    kustomization = {"namePrefix": "k-", "labels": [{"pairs": {"set": "k"}}], "resources": ["one.yaml", "two.yaml"]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    world.kubectl("apply", "-k", str(tmp_path))
    assert world.kubectl("get", "cm", "-l", "set=k", "-o", "name") == "configmap/k-one\nconfigmap/k-two\n"
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization | {"resources": ["one.yaml"]}))
    assert "configmap/k-two pruned" in world.kubectl("apply", "-k", str(tmp_path), "--prune", "-l", "set=k")


def test_dry_run_stores_nothing(world: World) -> None:
    """--dry-run=server goes through validation and leaves no object."""
    said = world.kubectl("apply", "--dry-run=server", "-f", "-", stdin=text(deployment("never")))
    assert said == "deployment.apps/never created (server dry run)\n"
    assert "NotFound" in world.kubectl("get", "deployment", "never", code=1)
