"""Kubeconfigs whose credentials come from elsewhere: an exec plugin, a file with a token, an OIDC provider."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.errors import BrokenEnvironment

from .estate import Estate, roles

PLUGIN = """#!/bin/sh
echo called >> '{calls}'
cat <<END
{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {{"token": "{token}"{until}}}}}
END
"""


def plugin(estate: Estate, folder: Path, name: str, until: str = "") -> tuple[Path, Path]:
    """The kubeconfig of an account whose token a script gives, and the file that counts how often it was asked."""
    estate.account(name, roles())
    script, calls = folder / "login", folder / "calls"
    token = estate.token(name)
    script.write_text(PLUGIN.format(calls=calls, token=token, until=until and f', "expirationTimestamp": "{until}"'))
    script.chmod(0o700)
    user: dict[str, Any] = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script), "args": ["token"]}
    return estate.config(f"{name}-exec", {"exec": {**user, "interactiveMode": "Never"}}), calls


def test_a_run_with_an_exec_plugin_holds(owned_by_others: Estate, tmp_path: Path) -> None:
    """As clouds log in: rows are judged with the token that the script gives, execs included."""
    config, calls = plugin(owned_by_others, tmp_path, "by-plugin")
    words = ("conformance/l4/test_allow_principal.py", "--ambient-artifacts=always")
    ran = owned_by_others.pytest(config, *words, state=tmp_path / "state", report=tmp_path / "report")
    assert {row["word"] for row in ran.rows.values()} == {"holds"}, ran.text
    assert calls.exists()


def test_an_expired_token_is_asked_for_again(owned_by_others: Estate, tmp_path: Path) -> None:
    """A run may be longer than a token lives."""
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    config, calls = plugin(owned_by_others, tmp_path, "expires", until)
    kube = Kube(config)
    kube.server_version()
    first = len(calls.read_text().splitlines())
    time.sleep(2)  # the token must have run out, and nothing but time does that
    kube.server_version()
    assert len(calls.read_text().splitlines()) > first
    kube.close()


def test_a_plugin_that_fails_is_told_in_one_line(owned_by_others: Estate, tmp_path: Path) -> None:
    """With what it said, and without a traceback; one that is not there too."""
    script = tmp_path / "login"
    script.write_text("#!/bin/sh\necho 'please run: cloud login' >&2\nexit 1\n")
    script.chmod(0o700)
    user = {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never"}
    for command, told in ((str(script), "please run: cloud login"), (str(tmp_path / "absent"), "absent")):
        config = owned_by_others.config("fails", {"exec": {**user, "command": command}})
        with pytest.raises(BrokenEnvironment) as caught:
            Kube(config).server_version()
        assert told in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_token_may_lie_in_a_file(owned_by_others: Estate, tmp_path: Path) -> None:
    """As it does in a pod."""
    owned_by_others.account("by-file", roles())
    (tmp_path / "token").write_text(owned_by_others.token("by-file"))
    kube = Kube(owned_by_others.config("by-file", {"tokenFile": str(tmp_path / "token")}))
    assert kube.can("list", "nodes")
    assert not kube.can("delete", "nodes")
    kube.close()


def test_an_oidc_token_is_used_while_it_lives(owned_by_others: Estate) -> None:
    """A kubeconfig of kubectl's own OIDC provider."""
    owned_by_others.account("by-oidc", roles())
    token = owned_by_others.token("by-oidc")
    body = token.split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["exp"] > time.time()
    provider = {"name": "oidc", "config": {"id-token": token, "idp-issuer-url": "https://issuer.example"}}
    kube = Kube(owned_by_others.config("by-oidc", {"auth-provider": provider}))
    assert kube.can("list", "nodes")
    kube.close()
