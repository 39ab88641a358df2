"""The kubeconfig with which an administrator reaches the API."""

import base64
from pathlib import Path

import yaml

from ..objects import Object
from .pki import Credentials


def write(path: Path, *, name: str, url: str, credentials: Credentials, namespace: str = "default") -> None:
    """Write a kubeconfig whose only context is `name`; the file is mode 0600 from the start."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(yaml.safe_dump(content(name, url, credentials, namespace), sort_keys=False), "utf-8")


def content(name: str, url: str, credentials: Credentials, namespace: str) -> Object:
    """The kubeconfig as data."""
    user = {
        "client-certificate-data": _text(credentials.client_certificate),
        "client-key-data": _text(credentials.client_key),
    }
    cluster = {"server": url, "certificate-authority-data": _text(credentials.authority)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
        "current-context": name,
    }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
