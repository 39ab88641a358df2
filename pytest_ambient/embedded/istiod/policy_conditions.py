"""What Istio's validation refuses in the conditions (`when`) of AuthorizationPolicies, in its words."""

import re
from collections.abc import Iterator, Mapping, Sequence

from ..objects import Object
from .policy_values import Check, account, address, checked, nonempty, port, wildcard

_KEYS: Mapping[str, Check] = {
    **dict.fromkeys(("source.ip", "remote.ip", "destination.ip"), address),
    **dict.fromkeys(("request.auth.principal", "request.auth.audiences", "request.auth.presenter"), nonempty),
    **dict.fromkeys(("source.namespace", "source.principal", "connection.sni"), nonempty),
    "destination.port": port,
    "source.serviceAccount": account,
    "source.trustDomain": wildcard,
}
_MAPPED_KEYS = ("request.headers", "request.auth.claims", "experimental.envoy.filters.")
_MAPPED = re.compile(r"[^\[]+\[.+\]$")


def condition_mistakes(when: Object) -> Iterator[str]:
    """What is wrong with one `when`; nothing when it is right."""
    key = str(when.get("key", ""))
    if not key:
        yield "`key` must not be empty"
        return
    if not when.get("values") and not when.get("notValues"):
        yield f"at least one of `values` or `notValues` must be set for key {key}"
        return
    for word, values in (("value", when.get("values") or ()), ("notValue", when.get("notValues") or ())):
        if found := [*_attribute_mistakes(key, values)]:
            yield f"invalid `{word}` for `key` {key}: {_listed(key, found)}"


def _listed(key: str, found: Sequence[str]) -> str:
    """Of ports and addresses Istio makes a list, of anything else it tells the first."""
    if found[0].startswith("empty") or not key.endswith((".ip", ".port")):
        return found[0]
    lines = "".join(f"\t* {each}\n" for each in found)
    return f"{len(found)} error{'s' if len(found) > 1 else ''} occurred:\n{lines}\n"


def _attribute_mistakes(key: str, values: Sequence[str]) -> Iterator[str]:
    if "" in values:
        yield f"empty value not allowed, found in {key}"
    elif check := _KEYS.get(key):
        yield from checked(key, values, check)
    elif key.startswith(_MAPPED_KEYS):
        if not _MAPPED.fullmatch(key):
            yield f"bad key ({key}): should have format a[b]"
    elif key == "destination.namespace":
        yield f"attribute {key} is replaced by the metadata.namespace"
    elif key.startswith("destination.labels"):
        yield f"attribute {key} is replaced by the workload selector"
    elif key in ("destination.name", "destination.user"):
        yield f"deprecated attribute {key}: only supported in v1alpha1"
    else:
        yield f"unknown attribute: {key}"
