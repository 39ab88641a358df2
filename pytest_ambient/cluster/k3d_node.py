"""k3d's nodes: which image brings which Kubernetes, and where a node keeps what belongs to its network."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

from pytest_ambient.errors import Misuse, ProviderError

Object: TypeAlias = dict[str, Any]

CONTAINERD = "/var/lib/rancher/k3s/agent/etc/containerd/config.toml"
"""Where a node has the configuration of its containerd."""


@cache
def table() -> Object:
    """The table of this package."""
    return tomllib.loads((files(__package__) / "k3d.toml").read_text())


def default() -> str:
    """The Kubernetes to take when none is wanted."""
    return str(table()["k3s"]["default"])


def image(version: str | None) -> str:
    """The node image for a Kubernetes version: a minor's newest known, or exactly the one named; else Misuse."""
    wanted, name, known = version or default(), table()["k3s"]["image"], table()["k3s"]["newest"]
    if wanted.count(".") == 2:
        return f"{name}:v{wanted}-k3s1"
    if wanted not in known:
        raise Misuse(
            f"--ambient-kubernetes-version={wanted}: known to k3d are {', '.join(known)}; "
            f"name the patch too ({wanted}.0) to take another"
        )
    return f"{name}:{known[wanted]}"


def cni_folders(text: str) -> tuple[str, str]:
    """Folders of CNI programs and configurations in a node's containerd configuration; ProviderError if it has none.

    Istio's own setting for k3d is that of older nodes: with it the agent runs and no pod is captured.
    """
    try:
        plugins = tomllib.loads(text).get("plugins", {})
    except tomllib.TOMLDecodeError as error:
        raise ProviderError(f"{CONTAINERD} of a k3d node cannot be read: {error}") from None
    for plugin in plugins.values():
        cni: Object = plugin.get("cni", {})
        programs = [*cni.get("bin_dirs", ()), cni.get("bin_dir", "")][0]
        if programs and cni.get("conf_dir"):
            return str(programs), str(cni["conf_dir"])
    raise ProviderError(f"{CONTAINERD} of a k3d node names no CNI folders")
