"""PeerAuthentications as ztunnel gets them: DENY policies against callers without an identity."""

from collections.abc import Iterable, Mapping, Sequence

from ..objects import Object, labels_of, name_of, namespace_of
from .model import ROOT_NAMESPACE, L4Clause, L4Match, L4Policy, L4Rule, StringMatch
from .view import age_of, spec_of

_WITHOUT_IDENTITY = (StringMatch("presence"),)
_LENIENT = {"PERMISSIVE", "DISABLE"}
_PORT_LEVEL = "converted_peer_authentication_"

STATIC_STRICT = L4Policy(
    "istio_converted_static_strict",
    ROOT_NAMESPACE,
    "WorkloadSelector",
    "DENY",
    (L4Rule((L4Clause((L4Match(not_principals=_WITHOUT_IDENTITY),)),)),),
)
"""Present as soon as there is any PeerAuthentication; it holds where a workload lists it."""


def peer_policies(peers: Sequence[Object]) -> list[L4Policy]:
    """All policies that PeerAuthentications turn into."""
    if not peers:
        return []
    return [STATIC_STRICT, *(policy for policy in (_port_level(peers, each) for each in peers) if policy is not None)]


def peer_keys(peers: Sequence[Object], pod: Object) -> list[str]:
    """Keys of those policies that hold for a pod; workload beats namespace beats mesh, and the oldest its equals."""
    own = _oldest(each for each in peers if _chooses(each, namespace_of(pod), labels_of(pod)))
    if own is None:
        return [STATIC_STRICT.key] if _inherited_strict(peers, namespace_of(pod)) else []
    modes = set(_ports(own).values())
    if not _strict(peers, own):
        return [_port_level_key(own)] if "STRICT" in modes else []
    # With an unset mode inside STRICT, istiod takes only PERMISSIVE ports for exceptions, not DISABLE.
    exceptions = _LENIENT if _mode(own) == "STRICT" else {"PERMISSIVE"}
    return [_port_level_key(own)] if modes & exceptions else [STATIC_STRICT.key]


def _inherited_strict(peers: Sequence[Object], namespace: str) -> bool:
    local = _namespaced(peers, namespace)
    modes = [_mode(each) for each in (local, _meshs(peers)) if each is not None]
    return next((mode for mode in modes if mode != "UNSET"), "UNSET") == "STRICT"


def _namespaced(peers: Sequence[Object], namespace: str) -> Object | None:
    return _oldest(each for each in peers if not _matches(each) and namespace_of(each) == namespace != ROOT_NAMESPACE)


def _meshs(peers: Sequence[Object]) -> Object | None:
    return _oldest(each for each in peers if not _matches(each) and namespace_of(each) == ROOT_NAMESPACE)


def _of_namespace(peers: Sequence[Object], namespace: str) -> str:
    """The mode that the namespace itself says; empty where it says none."""
    found = _namespaced(peers, namespace)
    return _mode(found) if found else ""


def _strict(peers: Sequence[Object], own: Object) -> bool:
    mode = _mode(own)
    return mode == "STRICT" if mode != "UNSET" else _inherited_strict(peers, namespace_of(own))


def _port_level_key(own: Object) -> str:
    return f"{namespace_of(own)}/{_PORT_LEVEL}{name_of(own)}"


def _port_level(peers: Sequence[Object], own: Object) -> L4Policy | None:
    """The policy of one PeerAuthentication with port-level modes; None where it says no more than its levels do."""
    if namespace_of(own) == ROOT_NAMESPACE or not _matches(own):
        return None
    open_ports = [port for port, mode in _ports(own).items() if mode in _LENIENT]
    shut_ports = [port for port, mode in _ports(own).items() if mode == "STRICT"]
    rules: list[L4Rule] = []
    if not _strict(peers, own):
        rules = [] if _hidden_by_the_mesh(peers, own) else [_shut(port) for port in shut_ports]
    elif open_ports and (_mode(own) == "STRICT" or _of_namespace(peers, namespace_of(own)) != "UNSET"):
        # a namespace's own mode that is unset hides the mesh's STRICT from istiod here: nothing is left to refuse by
        matches = [L4Match(not_principals=_WITHOUT_IDENTITY)]
        matches += [L4Match(not_destination_ports=(port,)) for port in open_ports]
        rules = [L4Rule(tuple(L4Clause((each,)) for each in matches))]
    if not rules:
        return None
    return L4Policy(_PORT_LEVEL + name_of(own), namespace_of(own), "WorkloadSelector", "DENY", tuple(rules))


def _hidden_by_the_mesh(peers: Sequence[Object], own: Object) -> bool:
    """Whether istiod takes a STRICT port for shut already, by the mesh's STRICT, though the workload's mode opens it.

    Its condition (`convertPeerAuthentication`) asks for an unset mode only where the namespace is STRICT.
    """
    mesh = _meshs(peers)
    return _of_namespace(peers, namespace_of(own)) in ("", "UNSET") and mesh is not None and _mode(mesh) == "STRICT"


def _shut(port: int) -> L4Rule:
    return L4Rule((L4Clause((L4Match(not_principals=_WITHOUT_IDENTITY, destination_ports=(port,)),)),))


def _oldest(peers: Iterable[Object]) -> Object | None:
    return min(peers, key=age_of, default=None)


def _matches(peer: Object) -> Mapping[str, str]:
    return (spec_of(peer).get("selector") or {}).get("matchLabels") or {}


def _chooses(peer: Object, namespace: str, labels: Mapping[str, str]) -> bool:
    wanted = _matches(peer)
    return bool(wanted) and namespace_of(peer) == namespace != ROOT_NAMESPACE and wanted.items() <= labels.items()


def _mode(peer: Object) -> str:
    return str((spec_of(peer).get("mtls") or {}).get("mode") or "UNSET")


def _ports(peer: Object) -> dict[int, str]:
    levels: Mapping[str, Object] = spec_of(peer).get("portLevelMtls") or {}
    modes = {int(port): str((each or {}).get("mode") or "UNSET") for port, each in levels.items()}
    return dict(sorted(modes.items()))
