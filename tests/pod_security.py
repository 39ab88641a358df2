"""The restricted pod security standard (Kubernetes 1.30) as a list of what a pod's spec does against it."""

from collections.abc import Iterator
from typing import Any

HOST = ("hostNetwork", "hostPID", "hostIPC")
VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
PROFILES = ("RuntimeDefault", "Localhost")
SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}  # fmt: skip


def refused(spec: dict[str, Any]) -> list[str]:
    """Why a namespace with `pod-security.kubernetes.io/enforce: restricted` refuses the pod; empty when it takes it."""
    pod = spec.get("securityContext") or {}
    containers = [one for key in ("initContainers", "containers", "ephemeralContainers") for one in spec.get(key) or []]
    found = [f"{key} is used" for key in HOST if spec.get(key)]
    found += [f"volume {one['name']}: not allowed" for one in spec.get("volumes") or [] if not {*one} & VOLUMES]
    found += [f"sysctl {one['name']}" for one in pod.get("sysctls") or [] if one["name"] not in SYSCTLS]
    found += [f"{one['name']}: {reason}" for one in containers for reason in _container(one, pod)]
    return found


def _container(one: dict[str, Any], pod: dict[str, Any]) -> Iterator[str]:
    own = one.get("securityContext") or {}
    capabilities = own.get("capabilities") or {}
    if own.get("privileged"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if capabilities.get("drop") != ["ALL"] or set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}:
        yield "capabilities are not all dropped"
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield "runAsNonRoot is not true"
    if own.get("runAsUser", pod.get("runAsUser")) == 0:
        yield "runs as root"
    if (own.get("seccompProfile") or pod.get("seccompProfile") or {}).get("type") not in PROFILES:
        yield "no seccompProfile"
    if (own.get("procMount") or "Default") != "Default":
        yield "procMount"
    if any(port.get("hostPort") for port in one.get("ports") or []):
        yield "hostPort"
