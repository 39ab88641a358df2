"""A desk with doubles of k3d and docker that make a cluster."""

from pathlib import Path

import pytest

from pytest_ambient.cluster.k3d import K3d
from tests.cluster.of_docker import Desk

VERSION = "k3d version v5.9.0\nk3s version v1.35.5-k3s1 (default)\n"

CONTAINERD = "/var/lib/rancher/k3s/agent/etc/containerd/config.toml"

CONFD = "/var/lib/rancher/k3s/agent/etc/cni/net.d"

NODES = "k3d-bench-serverlb\nk3d-bench-server-0\nk3d-bench-agent-0\n"

NEW = f"""
version = 3
root = "/var/lib/rancher/k3s/agent/containerd"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["/var/lib/rancher/k3s/data/cni"]
  conf_dir = "{CONFD}"
"""

OLD = f"""
version = 2
[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/rancher/k3s/agent/containerd"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/bin"
  conf_dir = "{CONFD}"
"""

CREATE = [
    *("cluster", "create", "bench", "--servers", "1", "--agents", "1", "--image", "rancher/k3s:v1.34.11-k3s1"),
    *(
        "--wait",
        "--timeout",
        "20s",
        "--no-rollback",
        "--kubeconfig-update-default=false",
        "--kubeconfig-switch-context=false",
    ),
    *("--api-port", "127.0.0.1:random", "--k3s-arg", "--disable=traefik@server:*"),
    *("--k3s-arg", "--disable=servicelb@server:*", "--k3s-arg", "--disable=metrics-server@server:*"),
]


def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """k3d 5.9.0 on PATH."""
    desk = Desk.of(K3d(), "k3d", tmp_path, monkeypatch)
    desk.doubles.answer("k3d", "version", VERSION)
    return desk


def runs(desk: Desk, *listings: str, containerd: str = NEW) -> None:
    """k3d and docker do what they are asked; `listings` are what docker says of containers, time after time."""
    desk.docker(*(listings or ("",)))
    desk.doubles.answer("docker", f"exec k3d-bench-server-0 cat {CONTAINERD}", containerd)
    desk.doubles.answer("k3d", "cluster create .*")
    desk.doubles.answer("k3d", "cluster start .*")
    desk.doubles.answer("k3d", "kubeconfig get bench", "---\nkind: Config\n")
    for name in ("k3d-bench-server-0", "k3d-bench-agent-0"):
        desk.kube.node(name)


def left(desk: Desk) -> None:
    """Docker still has a container, a volume and a network of the cluster."""
    for listing, names in {"ps --all --quiet": "c0ffee\nbeef\n", "volume ls": "v\n", "network ls": "n\n"}.items():
        desk.doubles.answer("docker", f"{listing} .*", names)
    desk.doubles.answer("docker", "(rm|volume rm|network rm) .*")


def removed(desk: Desk) -> None:
    """All of it was removed, found by what only this cluster has."""
    lines = desk.doubles.lines("docker")
    assert lines[-6:] == [
        "ps --all --quiet --filter label=k3d.cluster=bench",
        "rm --force --volumes c0ffee beef",
        "volume ls --quiet --filter label=k3d.cluster=bench",
        "volume rm --force v",
        "network ls --quiet --filter label=app=k3d --filter name=^k3d-bench$",
        "network rm n",
    ]
