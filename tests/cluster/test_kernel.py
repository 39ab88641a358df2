"""What nodes in containers need of the kernel, each with the exact remedy."""

import platform
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_ambient.cluster import kernel
from pytest_ambient.cluster.container import Info
from pytest_ambient.finding import Finding

HERE = Info("28.2.2", "amd64", platform.release(), 2, "/")
SYSCTL = "sudo sysctl -w fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288"


def look(found: Info, kubernetes: str = "1.34.11", root: Path = Path("/")) -> dict[str, Finding]:
    """Findings by what they are about."""
    return {one.what: one for one in kernel.findings(found, kubernetes, root)}


def limits(root: Path, instances: str, watches: str) -> Path:
    """A /proc with these limits."""
    folder = root / "proc/sys/fs/inotify"
    folder.mkdir(parents=True)
    (folder / "max_user_instances").write_text(f"{instances}\n")
    (folder / "max_user_watches").write_text(f"{watches}\n")
    return root


@pytest.mark.skipif(sys.platform != "linux", reason="looks at Linux")
def test_low_inotify_limits_come_with_the_line_to_paste(tmp_path: Path) -> None:
    """A warning: few nodes may do with less."""
    low = look(HERE, root=limits(tmp_path / "low", "128", "65536"))["inotify limits"]
    assert low.state == "warning"
    assert str(low) == (
        "inotify limits: 128 instances and 65536 watches, several nodes need 512 and 524288 "
        f"or fail with `too many open files`: {SYSCTL}"
    )
    high = look(HERE, root=limits(tmp_path / "high", "8192", "524288"))["inotify limits"]
    assert (high.state, high.seen) == ("ok", "8192 instances and 524288 watches")
    assert look(HERE, root=tmp_path)["inotify limits"].state == "unknown"


def test_limits_of_another_machine_are_not_known() -> None:
    """Docker's virtual machine, or DOCKER_HOST: what is said here is not what holds there."""
    found = look(Info("28.2.2", "arm64", "6.10.14-linuxkit", 2, "/var/lib/docker"))
    assert {name: one.state for name, one in found.items()} == {
        "inotify limits": "unknown",
        "control groups": "ok",
        "kernel": "ok",
        "disk": "unknown",
    }
    assert found["inotify limits"].remedy == f"{SYSCTL.removeprefix('sudo ')} there"


def test_control_groups_v1_do_up_to_kubernetes_1_34() -> None:
    """From 1.35 on no kubelet starts on them."""
    old = Info("20.10", "amd64", "5.4.0", 1, "/")
    assert look(old, "1.34.11")["control groups"].state == "ok"
    refused = look(old, "1.35.8")["control groups"]
    assert refused.state == "failed"
    assert str(refused) == (
        "control groups: v1, and Kubernetes 1.35.8 starts on v2 only: "
        "--ambient-kubernetes-version=1.34, or boot with systemd.unified_cgroup_hierarchy=1"
    )
    assert look(Info("", "", "6.8", 0, "/"))["control groups"].state == "unknown"


def test_an_old_kernel_is_told() -> None:
    """Kubernetes recommends 4.19; something that is no version is not known."""
    old = look(Info("20.10", "amd64", "4.18.0-553.el8.x86_64", 2, "/"))["kernel"]
    assert old.state == "warning"
    assert str(old) == "kernel: 4.18.0-553.el8.x86_64, Kubernetes wants 4.19 or newer: boot a newer one"
    assert look(Info("", "", "6.8.0-57-generic", 2, "/"))["kernel"].state == "ok"
    assert look(Info("", "", "", 2, "/"))["kernel"].state == "unknown"


@pytest.mark.skipif(sys.platform != "linux", reason="looks at Linux")
def test_room_for_images_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning below what a run takes, a failure below what the node image takes."""
    here = Info("28.2.2", "amd64", platform.release(), 2, str(tmp_path))
    states = []
    for gib in (50, 5, 1):
        usage = SimpleNamespace(free=gib << 30)
        monkeypatch.setattr("pytest_ambient.cluster.kernel.shutil.disk_usage", lambda folder, usage=usage: usage)
        states.append(look(here)["disk"])
    assert [one.state for one in states] == ["ok", "warning", "failed"]
    assert str(states[2]) == f"disk: 1.0 GiB free in {tmp_path}, 10 GiB are needed: docker system prune, or make room"
    monkeypatch.undo()
    gone = Info("28.2.2", "amd64", platform.release(), 2, str(tmp_path / "gone"))
    assert look(gone)["disk"].state == "unknown"


def test_what_nobody_says_is_unknown() -> None:
    """A runtime that names no kernel, a folder that is not there, and a machine that is another."""
    mute = look(replace(HERE, kernel=""))
    assert str(mute["kernel"]) == "kernel: the container runtime does not say which"
    elsewhere = "containers run on another machine or in a virtual one"
    assert str(mute["disk"]) == f"disk: {elsewhere}: 10 GiB are needed there"
    assert str(look(replace(HERE, root="/nowhere"))["disk"]) == "disk: /nowhere cannot be looked at"
    assert str(look(replace(HERE, root=""))["disk"]) == "disk: the folder of the container runtime cannot be looked at"
