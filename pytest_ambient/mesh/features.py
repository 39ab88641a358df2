"""What a mesh can do, found out by questions put to the cluster, never by its version."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from pytest_ambient._kube import Kube
from pytest_ambient.errors import Forbidden
from pytest_ambient.mesh import outages, questions, sidecars, upgrade
from pytest_ambient.mesh.meshwide import own_log_format, own_retries, peer_authentication, plaintext_refused
from pytest_ambient.mesh.questions import GATEWAY_API

Question = Callable[[Kube], str | None]
"""Gives None when the feature is there, else why it is not."""

GATEWAY_CLASS, INGRESS_CLASS = "istio-waypoint", "istio"


@dataclass(frozen=True)
class Feature:
    """One capability and whether the cluster has it."""

    name: str
    present: bool
    reason: str
    """Why it is absent; empty when it is present."""


def detect(
    kube: Kube, *, embedded: bool = False, skip: Iterable[str] = (), upgrade_to: str | None = None
) -> dict[str, Feature]:
    """Every feature of the closed list, found or not; `embedded` rules out what a test bench cannot show.

    `upgrade_to` is the version that a mesh is asked to go to.
    """
    found = {}
    asked: Mapping[str, Question] = {**FEATURES, "Upgrade": partial(upgrade.stays, to=upgrade_to)}
    for name, question in asked.items():
        if name in skip:
            reason: str | None = "skipped by --ambient-skip-features"
        elif embedded and name in BEYOND_EMBEDDED:
            reason = f"the embedded mesh has no {BEYOND_EMBEDDED[name]}"
        else:
            reason = _asked(question, kube)
        found[name] = Feature(name, reason is None, reason or "")
    return found


def _asked(question: Question, kube: Kube) -> str | None:
    """The answer; what this user may not ask for counts as absent."""
    try:
        return question(kube)
    except Forbidden as error:
        return f"this user may not find out: {error}"


FEATURES: Mapping[str, Question] = {
    "Waypoint": partial(questions.gateway_class, GATEWAY_CLASS),
    "Ingress": partial(questions.gateway_class, INGRESS_CLASS),
    "HTTPRoute": partial(questions.has_kind, f"{GATEWAY_API}/v1/HTTPRoute"),
    "HTTPRouteCors": partial(questions.route_filter, "cors"),
    "GRPCRoute": partial(questions.has_kind, f"{GATEWAY_API}/v1/GRPCRoute"),
    "TCPRoute": questions.tcp_route,
    "RequestAuthentication": partial(questions.has_kind, "security.istio.io/v1/RequestAuthentication"),
    "VirtualService": partial(questions.has_kind, "networking.istio.io/v1/VirtualService"),
    "EnvoyFilter": partial(questions.has_kind, "networking.istio.io/v1alpha3/EnvoyFilter"),
    "ServiceEntry": questions.entries,
    "AccessLogFormat": own_log_format,
    "DefaultRetries": own_retries,
    "Telemetry": partial(questions.has_kind, "telemetry.istio.io/v1/Telemetry"),
    "MultiNode": questions.nodes,
    "DnsCapture": questions.dns,
    "Hbone": questions.hbone,
    "Identity": questions.identity,
    "EphemeralContainers": questions.ephemeral_containers,
    "Redirection": partial(questions.runs, "k8s-app=istio-cni-node"),
    "Sidecar": sidecars.injected,
    "SidecarHbone": sidecars.tunnelled,
    "Permissive": plaintext_refused,
    "MeshPeerAuthentication": peer_authentication,
    "ZtunnelRestart": outages.ztunnel_stays,
    "IstiodOutage": outages.istiod_stays,
    "Upgrade": partial(upgrade.stays, to=None),
    "ExtAuthz": questions.ext_authz,
    "Kiali": questions.kiali,
    "Prometheus": partial(questions.runs, "app.kubernetes.io/name=prometheus"),
    "Tracing": questions.tracing,
}
"""The closed list of features, by name."""

BEYOND_EMBEDDED: Mapping[str, str] = {
    "Redirection": "redirection inside of pods",
    "Sidecar": "sidecars",
    "SidecarHbone": "sidecars",
}
"""What a mesh in one process tree cannot show."""
