"""The host names that Istio's own objects write, and the Services that they mean."""

from ..objects import Object, name_of, namespace_of

_SUFFIX = "svc.cluster.local"


def hostname(service: Object) -> str:
    """The full name of a Service; a ServiceEntry's host as it is."""
    if "host" in service:
        return str(service["host"])
    return f"{name_of(service)}.{namespace_of(service)}.{_SUFFIX}"


def resolved(host: str, namespace: str) -> str:
    """The full name that an object of that namespace means; only a name without a dot is a short one."""
    return host if "." in host or "*" in host else f"{host}.{namespace}.{_SUFFIX}"


def fits(pattern: str, host: str) -> bool:
    """Whether the host is meant by a name that may begin with `*`."""
    return host.endswith(pattern[1:]) if pattern.startswith("*") else host == pattern
