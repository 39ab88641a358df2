"""A desk with doubles of minikube and docker that make a cluster.

Arguments and outputs are those of minikube v1.38, read from its source; it was not run.
"""

import os
from pathlib import Path

import pytest

from pytest_ambient.cluster.minikube import Minikube
from tests.cluster.of_docker import Desk

START = (
    "start --profile bench --driver docker --container-runtime docker --nodes 2 --kubernetes-version v1.34 "
    "--wait all --wait-timeout 20s --embed-certs --install-addons=false --interactive=false "
    "--auto-update-drivers=false"
)
OURS = "--filter label=created_by.minikube.sigs.k8s.io=true"
MACHINES = rf"{OURS} --filter name=^bench(-m[0-9]+)?$"


def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """minikube 1.38.1 on PATH, and a user that it serves."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    desk = Desk.of(Minikube(), "minikube", tmp_path, monkeypatch)
    desk.doubles.answer("minikube", "version --short", "v1.38.1\n")
    return desk


def runs(desk: Desk, *listings: str, runtime: str = "docker://28.4.0") -> None:
    """minikube and docker do what they are asked; `listings` are what docker says of containers, time after time."""
    desk.docker(*(listings or ("",)))
    desk.doubles.answer("minikube", "start .*", files={str(desk.folder / "kubeconfig"): "kind: Config\n"})
    for name in ("bench", "bench-m02"):
        desk.kube.node(name, runtime=runtime)


def gone(desk: Desk) -> None:
    """minikube removes it all, and docker has nothing left."""
    desk.doubles.answer("minikube", "delete --profile bench")
    desk.doubles.answer("docker", "(ps --all --quiet|volume ls|network ls) .*")


def left(desk: Desk) -> None:
    """Docker still has a container, a volume and a network of the cluster."""
    for listing, names in {"ps --all --quiet": "c0ffee\n", "volume ls": "bench\n", "network ls": "n\n"}.items():
        desk.doubles.answer("docker", f"{listing} .*", names)
    desk.doubles.answer("docker", "(rm|volume rm|network rm) .*")


def removed(desk: Desk) -> None:
    """All of it was removed, found by what only this cluster has."""
    assert desk.doubles.lines("docker")[-6:] == [
        f"ps --all --quiet {MACHINES}",
        "rm --force --volumes c0ffee",
        f"volume ls --quiet {MACHINES}",
        "volume rm --force bench",
        f"network ls --quiet {OURS} --filter name=^bench$",
        "network rm n",
    ]
