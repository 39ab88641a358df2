"""Looks at the kernel under the containers: inotify limits, control groups, age, and the disk of the runtime."""

import platform
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_ambient.cluster.container import Info, Runtime, info
from pytest_ambient.errors import ProviderError
from pytest_ambient.finding import Finding, State

INSTANCES, WATCHES = 512, 524288
"""Limits of inotify that kind asks for; all containers of a machine share them."""

SYSCTL = f"sudo sysctl -w fs.inotify.max_user_instances={INSTANCES} fs.inotify.max_user_watches={WATCHES}"
"""What raises them until the next boot."""

UNIFIED_FROM = (1, 35)
"""The Kubernetes from which on a kubelet does not start on control groups v1."""

OLDEST = (4, 19)
"""The oldest kernel that Kubernetes recommends (since 1.32)."""

ROOM = 10 << 30
"""Bytes that a node image, Istio's images and their containers take, with some to spare."""

FULL = 2 << 30
"""Bytes below which not even the node image fits."""


def under(runtime: Callable[[], Runtime], kubernetes: str) -> Sequence[Finding]:
    """Whether a container runtime is there and answers, and what nodes need of the kernel under it."""
    try:
        one = runtime()
        found = info(one)
    except ProviderError as error:
        return (Finding("container runtime", "failed", str(error)),)
    return (Finding("container runtime", "ok", f"{one.name} {found.version}"), *findings(found, kubernetes))


def findings(found: Info, kubernetes: str, root: Path = Path("/")) -> Sequence[Finding]:
    """What nodes in containers need of the kernel; limits are `unknown` where containers run on another machine."""
    here = sys.platform == "linux" and found.kernel == platform.release()
    return (
        _inotify(root) if here else _elsewhere("inotify limits", f"{SYSCTL.removeprefix('sudo ')} there"),
        _control_groups(found.cgroup, kubernetes),
        _kernel(found.kernel),
        _disk(found.root) if here else _elsewhere("disk", f"{ROOM >> 30} GiB are needed there"),
    )


def _inotify(root: Path) -> Finding:
    limits = root / "proc/sys/fs/inotify"
    try:
        instances, watches = (int((limits / f"max_user_{what}").read_text()) for what in ("instances", "watches"))
    except (OSError, ValueError) as error:
        return Finding("inotify limits", "unknown", f"cannot be read: {error}", SYSCTL)
    seen = f"{instances} instances and {watches} watches"
    if instances >= INSTANCES and watches >= WATCHES:
        return Finding("inotify limits", "ok", seen)
    wanted = f"{seen}, several nodes need {INSTANCES} and {WATCHES} or fail with `too many open files`"
    return Finding("inotify limits", "warning", wanted, SYSCTL)


def _control_groups(version: int, kubernetes: str) -> Finding:
    if version == 0:
        return Finding("control groups", "unknown", "the container runtime does not say which version")
    if version >= 2:
        return Finding("control groups", "ok", f"v{version}")
    major, minor = (int(number) for number in kubernetes.split(".")[:2])
    if (major, minor) < UNIFIED_FROM:
        return Finding("control groups", "ok", f"v1, enough for Kubernetes {kubernetes}")
    last = f"{UNIFIED_FROM[0]}.{UNIFIED_FROM[1] - 1}"
    remedy = f"--ambient-kubernetes-version={last}, or boot with systemd.unified_cgroup_hierarchy=1"
    return Finding("control groups", "failed", f"v1, and Kubernetes {kubernetes} starts on v2 only", remedy)


def _kernel(release: str) -> Finding:
    found = re.match(r"(\d+)\.(\d+)", release)
    if found is None:
        return Finding("kernel", "unknown", "the container runtime does not say which")
    if (int(found[1]), int(found[2])) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        return Finding("kernel", "warning", f"{release}, Kubernetes wants {wanted} or newer", "boot a newer one")
    return Finding("kernel", "ok", release)


def _disk(folder: str) -> Finding:
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return Finding("disk", "unknown", f"{folder or 'the folder of the container runtime'} cannot be looked at")
    seen = f"{free / (1 << 30):.1f} GiB free in {folder}"
    if free >= ROOM:
        return Finding("disk", "ok", seen)
    state: State = "failed" if free < FULL else "warning"
    return Finding("disk", state, f"{seen}, {ROOM >> 30} GiB are needed", "docker system prune, or make room")


def _elsewhere(what: str, remedy: str) -> Finding:
    return Finding(what, "unknown", "containers run on another machine or in a virtual one", remedy)
