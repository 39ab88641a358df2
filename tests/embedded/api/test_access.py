"""Who is let in, and what for."""

import base64
import json
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from pytest_ambient.embedded.api import pki

from .world import World


@pytest.fixture(scope="module")
def token(world: World) -> str:
    """The token of the service account `reader`, which may read pods of `default`."""
    world.kubectl("create", "serviceaccount", "reader")
    world.kubectl("create", "role", "reads", "--verb=get,list,watch", "--resource=pods")
    world.kubectl("create", "rolebinding", "reads", "--role=reads", "--serviceaccount=default:reader")
    return world.kubectl("create", "token", "reader").strip()


def answer(world: World, path: str, token: str = "", method: str = "GET") -> tuple[int, dict[str, object]]:
    """Status and body of a request without a certificate."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(world.url + path, headers=headers, method=method)
    context = ssl.create_default_context(cafile=str(world.folder / "pki" / "ca.crt"))
    try:
        with urllib.request.urlopen(request, context=context, timeout=10) as found:
            return found.status, json.load(found)
    except urllib.error.HTTPError as fault:
        with fault:
            return fault.code, json.load(fault)


@pytest.mark.parametrize("path", ["/api/v1/pods", "/version", "/healthz", "/nothing"])
def test_nobody_is_answered(world: World, path: str) -> None:
    """Without certificate and token everything is 401."""
    assert answer(world, path)[0] == 401
    assert answer(world, path, "no.such.token")[0] == 401


def test_strict_client_trusts_the_server(world: World) -> None:
    """A client that keeps to RFC 5280 in all, as Python does from 3.13 on, takes the server's certificate."""
    context = ssl.create_default_context(cafile=str(world.folder / "pki" / "ca.crt"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        urllib.request.urlopen(world.url + "/version", context=context, timeout=10)
    refused.value.close()


def test_foreign_certificate_is_refused(world: World, tmp_path: Path) -> None:
    """Whoever shows a certificate of another authority gets no answer."""
    other = pki.create(tmp_path / "pki")
    (tmp_path / "client").write_bytes(other.client_certificate + other.client_key)
    authority = str(world.folder / "pki" / "ca.crt")
    words = ["curl", "-sS", "--cacert", authority, "--cert", str(tmp_path / "client"), world.url + "/version"]
    said = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    assert said.returncode in (35, 52, 56)
    assert said.stdout == ""


def test_role_allows_what_it_says(world: World, token: str) -> None:
    """The account reads pods of its namespace and nothing else; refusals are worded as the API words them."""
    assert answer(world, "/api/v1/namespaces/default/pods", token)[0] == 200
    assert answer(world, "/version", token)[0] == 200
    status, body = answer(world, "/api/v1/namespaces/kube-system/pods", token)
    assert (status, body["message"]) == (
        403,
        'pods is forbidden: User "system:serviceaccount:default:reader" cannot list resource "pods" in API group "" '
        'in the namespace "kube-system"',
    )
    status, body = answer(world, "/apis/apps/v1/namespaces/default/deployments/x", token, "DELETE")
    assert status == 403
    assert 'cannot delete resource "deployments" in API group "apps"' in str(body["message"])
    assert answer(world, "/api/v1/nodes", token)[1]["message"] == (
        'nodes is forbidden: User "system:serviceaccount:default:reader" cannot list resource "nodes" in API group "" '
        "at the cluster scope"
    )


def test_forged_and_orphaned_tokens_are_refused(world: World, token: str) -> None:
    """A changed token, and that of an account which was deleted or made anew, do not count."""
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["sub"] = "system:serviceaccount:kube-system:default"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert answer(world, "/version", f"{head}.{forged}.{signature}")[0] == 401
    world.kubectl("create", "serviceaccount", "brief")
    brief = world.kubectl("create", "token", "brief").strip()
    assert answer(world, "/version", brief)[0] == 200
    world.kubectl("delete", "serviceaccount", "brief")
    world.kubectl("create", "serviceaccount", "brief")
    assert answer(world, "/version", brief)[0] == 401


def test_cluster_role_in_one_namespace(world: World) -> None:
    """A RoleBinding of the ClusterRole `view` allows reading in its namespace, secrets excepted."""
    world.kubectl("create", "rolebinding", "sees", "--clusterrole=view", "--user=eve")
    may = ("auth", "can-i", "--as", "eve")
    assert world.kubectl(*may, "list", "deployments.apps") == "yes\n"
    assert world.kubectl(*may, "list", "secrets", code=1) == "no\n"
    assert world.kubectl(*may, "create", "pods", code=1) == "no\n"
    assert world.kubectl(*may, "list", "pods", "-n", "kube-system", code=1) == "no\n"
    assert "[get list watch]" in world.kubectl("auth", "can-i", "--list", "--as", "eve")


def test_rules_may_name_objects(world: World) -> None:
    """A rule with resourceNames holds for those objects alone."""
    names = ("--verb=get", "--resource=configmaps", "--resource-name=mine")
    world.kubectl("create", "role", "named", *names)
    world.kubectl("create", "rolebinding", "named", "--role=named", "--user=nora")
    assert world.kubectl("auth", "can-i", "--as", "nora", "get", "configmaps/mine") == "yes\n"
    assert world.kubectl("auth", "can-i", "--as", "nora", "get", "configmaps/other", code=1) == "no\n"


def test_administrator_may_do_everything(world: World) -> None:
    """The client certificate of the kubeconfig belongs to system:masters."""
    assert world.kubectl("auth", "can-i", "*", "*") == "yes\n"
    assert "system:masters" in world.kubectl("auth", "whoami")


def test_keys_are_private(world: World) -> None:
    """Kubeconfig and keys can be read by their owner alone."""
    files = [world.kubeconfig, *(world.folder / "pki").iterdir()]
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}
    assert (world.folder / "pki").stat().st_mode & 0o777 == 0o700


def test_certificate_names_its_address(world: World) -> None:
    """curl trusts the server by the authority of the kubeconfig."""
    authority = str(world.folder / "pki" / "ca.crt")
    words = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", authority, world.url + "/version"]
    said = subprocess.run(words, capture_output=True, text=True, timeout=20, check=True)
    assert said.stdout == "401"
