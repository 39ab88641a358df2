"""Limited accounts: what they may do, what they are told, and in whose name they may ask."""

import json
import subprocess
from pathlib import Path

import pytest

from .world import World

ADMIN = "rbac.authorization.k8s.io"
CLASS = {
    "apiVersion": f"{ADMIN}/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "gateways", "labels": {f"{ADMIN}/aggregate-to-view": "true"}},
    "rules": [{"apiGroups": ["gateway.networking.k8s.io"], "resources": ["gateways"], "verbs": ["get", "list"]}],
}
POD = """
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME, namespace: default}
data: {a: b}
"""


def run(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    """What kubectl says, whatever comes of it."""
    with world.start_kubectl(*words) as process:
        output, complaint = process.communicate(timeout=30)
    return subprocess.CompletedProcess(words, process.returncode, output, complaint)


def can(world: World, who: str, *words: str) -> bool:
    """The answer of `kubectl auth can-i`."""
    said = run(world, "auth", "can-i", "--as", who, *words)
    assert said.stdout in ("yes\n", "no\n"), said
    return said.stdout == "yes\n"


@pytest.mark.parametrize(
    ("role", "yes", "no"),
    [
        (
            "view",
            ["get pods", "get pods --subresource=log"],
            ["get pods --subresource=exec", "get secrets", "patch pods"],
        ),
        (
            "edit",
            ["create pods --subresource=exec", "get secrets", "create serviceaccounts --subresource=token"],
            ["create roles", "patch namespaces", "list nodes"],
        ),
        ("admin", ["create roles", "create rolebindings", "delete deployments.apps"], ["delete nodes"]),
    ],
)
def test_default_roles_allow_what_they_allow_everywhere(world: World, role: str, yes: list[str], no: list[str]) -> None:
    """In the namespace where they are bound; looking is not entering: `view` has no exec and no secrets."""
    world.kubectl("create", "rolebinding", f"{role}s", f"--clusterrole={role}", f"--user={role}-user")
    for words in yes:
        assert can(world, f"{role}-user", *words.split()), words
    for words in no:
        assert not can(world, f"{role}-user", *words.split()), words
    assert not can(world, f"{role}-user", "list", "pods", "-n", "kube-system")


def test_roles_gather_others_by_label(world: World, tmp_path: Path) -> None:
    """`view` has the rules of every ClusterRole that says so of itself."""
    world.kubectl("create", "rolebinding", "gathers", "--clusterrole=view", "--user=gina")
    assert not can(world, "gina", "list", "gateways.gateway.networking.k8s.io")
    (tmp_path / "role.json").write_text(json.dumps(CLASS))
    world.kubectl("apply", "-f", str(tmp_path / "role.json"))
    assert can(world, "gina", "list", "gateways.gateway.networking.k8s.io")
    world.kubectl("delete", "clusterrole", "gateways")


def test_an_apply_that_creates_needs_both_verbs(world: World, tmp_path: Path) -> None:
    """Whoever may patch alone can apply to what is there, and is refused the creation."""
    world.kubectl("create", "role", "patches", "--verb=get,patch", "--resource=configmaps")
    world.kubectl("create", "rolebinding", "patches", "--role=patches", "--user=pat")
    world.kubectl("create", "configmap", "there")
    for name in ("there", "absent"):
        (tmp_path / f"{name}.yaml").write_text(POD.replace("NAME", name))
    words = ("apply", "--server-side", "--force-conflicts", "--as", "pat", "-f")
    assert "serverside-applied" in world.kubectl(*words, str(tmp_path / "there.yaml"))
    said = run(world, *words, str(tmp_path / "absent.yaml"))
    assert said.returncode == 1
    assert 'User "pat" cannot create resource "configmaps" in API group "" in the namespace "default"' in said.stderr


def test_subresources_and_names_are_weighed(world: World) -> None:
    """A right to pods is none to their logs; one to a named object is none to list."""
    world.kubectl("create", "role", "pods-only", "--verb=get,list", "--resource=pods")
    world.kubectl("create", "role", "logs", "--verb=get", "--resource=pods/log")
    world.kubectl("create", "role", "one", "--verb=get,list", "--resource=secrets", "--resource-name=mine")
    for role, user in (("pods-only", "polly"), ("logs", "lola"), ("one", "oscar")):
        world.kubectl("create", "rolebinding", role, f"--role={role}", f"--user={user}")
    assert can(world, "polly", "get", "pods")
    assert not can(world, "polly", "get", "pods", "--subresource=log")
    assert can(world, "lola", "get", "pods", "--subresource=log")
    assert not can(world, "lola", "get", "pods")
    assert can(world, "oscar", "get", "secrets/mine")
    assert not can(world, "oscar", "get", "secrets/yours")
    assert not can(world, "oscar", "list", "secrets")


def test_everybody_may_ask_about_themselves(world: World) -> None:
    """`auth can-i --list` and `auth whoami` need no right of one's own; others are asked about by those who may."""
    listed = world.kubectl("auth", "can-i", "--list", "--as", "nobody-special")
    assert "selfsubjectaccessreviews.authorization.k8s.io" in listed
    assert "[/healthz]" in listed
    assert "nobody-special" in world.kubectl("auth", "whoami", "--as", "nobody-special")
    assert not can(world, "nobody-special", "create", "subjectaccessreviews.authorization.k8s.io")


def test_whoami_tells_what_was_asked_for(world: World) -> None:
    """Groups, uid and extras of `--as` come out as they went in."""
    said = json.loads(
        world.kubectl("auth", "whoami", "--as", "ann", "--as-group", "ops", "--as-uid", "7", "-o", "json")
    )
    assert said["status"]["userInfo"] == {"username": "ann", "groups": ["ops", "system:authenticated"], "uid": "7"}


def test_nobody_speaks_for_others_unasked(world: World) -> None:
    """Impersonation is a right like others, of users, groups and uids each; without a user it is nonsense."""
    world.kubectl("create", "clusterrole", "as-ann", "--verb=impersonate", "--resource=users", "--resource-name=ann")
    world.kubectl("create", "clusterrolebinding", "as-ann", "--clusterrole=as-ann", "--serviceaccount=default:speaker")
    world.kubectl("create", "serviceaccount", "speaker")
    token = world.kubectl("create", "token", "speaker").strip()
    config = world.folder / "speaker.yaml"
    config.write_text(
        f"apiVersion: v1\nkind: Config\ncurrent-context: s\ncontexts: [{{name: s, context: {{cluster: c, user: u}}}}]\n"
        f"clusters: [{{name: c, cluster: {{server: '{world.url}', certificate-authority: pki/ca.crt}}}}]\n"
        f"users: [{{name: u, user: {{token: {token}}}}}]\n"
    )
    words = ("--kubeconfig", str(config), "get", "pods")
    assert 'pods is forbidden: User "ann" cannot list' in run(world, *words, "--as", "ann").stderr
    said = run(world, *words, "--as", "bob").stderr
    assert 'users "bob" is forbidden: User "system:serviceaccount:default:speaker" cannot impersonate' in said
    assert 'groups "ops" is forbidden' in run(world, *words, "--as", "ann", "--as-group", "ops").stderr
    assert 'uids.authentication.k8s.io "7" is forbidden' in run(world, *words, "--as", "ann", "--as-uid", "7").stderr


def test_tokens_say_for_how_long_and_for_whom(world: World) -> None:
    """`create token` takes a duration and an audience; one for somebody else's audience opens nothing here."""
    world.kubectl("create", "serviceaccount", "brief")
    own = world.kubectl("create", "token", "brief", "--duration=20m").strip()
    foreign = world.kubectl("create", "token", "brief", "--audience=vault").strip()
    refused = world.kubectl("create", "token", "brief", "--duration=1m", code=1)
    assert "spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes" in refused
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
    for token, good in ((own, True), (foreign, False)):
        path = world.folder / "review.json"
        path.write_text(json.dumps(review | {"spec": {"token": token}}))
        said = json.loads(world.kubectl("create", "-f", str(path), "-o", "json"))
        assert bool(said["status"].get("authenticated")) is good


def test_a_review_of_somebody_else(world: World, tmp_path: Path) -> None:
    """SubjectAccessReview answers for any user and groups, and for paths."""
    world.kubectl("create", "rolebinding", "crew", "--clusterrole=view", "--group=crew")
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"}
    wish = {"verb": "list", "resource": "pods", "namespace": "default"}
    asked: list[tuple[dict[str, object], bool]] = [
        ({"user": "zoe", "groups": ["crew"], "resourceAttributes": wish}, True),
        ({"user": "zoe", "groups": ["other"], "resourceAttributes": wish}, False),
        ({"user": "zoe", "nonResourceAttributes": {"verb": "get", "path": "/metrics"}}, False),
    ]
    for spec, wanted in asked:
        (tmp_path / "r.json").write_text(json.dumps(review | {"spec": spec}))
        said = json.loads(world.kubectl("create", "-f", str(tmp_path / "r.json"), "-o", "json"))
        assert said["status"]["allowed"] is wanted
