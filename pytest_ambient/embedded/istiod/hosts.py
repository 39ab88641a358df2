"""The host names that Istio's own objects write, and the Services that they mean."""

import re
from collections.abc import Iterator

from ..objects import Object, name_of, namespace_of

_SUFFIX = "svc.cluster.local"
_LABEL = re.compile(r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")
_WILD = re.compile(r"\*|(?:\*|\*-)?[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")


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


def covers(one: str, other: str) -> bool:
    """Whether names that may begin with `*` have hosts in common."""
    if one.startswith("*") and other.startswith("*"):
        shorter, longer = sorted((one[1:], other[1:]), key=len)
        return longer.endswith(shorter)
    return fits(one, other) or fits(other, one)


def domain_mistakes(name: str, *, wild: bool = True) -> Iterator[str]:
    """Why it is no domain name, in the webhook's words; with `wild` its first label may hold a wildcard."""
    if not name or len(name) > 255:
        yield f'domain name "{name}" too long (max 255)' if name else "empty domain name not allowed"
        return
    head, _, rest = name.partition(".")
    labels = rest.split(".") if rest else []
    if labels and labels[-1] == "":
        labels.pop()
    if len(head) > 63 or not (_WILD if wild else _LABEL).fullmatch(head):
        yield f'domain name "{name}" invalid (label "{head}" invalid)'
    elif labels and labels[-1].isdigit():
        yield f'domain name "{rest}" invalid (top level domain "{labels[-1]}" cannot be all-numeric)'
    elif bad := next((each for each in labels if not is_label(each)), None):
        yield f'domain name "{rest}" invalid (label "{bad}" invalid)'


def is_label(text: str) -> bool:
    """Whether it is one label of a domain name."""
    return len(text) <= 63 and _LABEL.fullmatch(text) is not None
