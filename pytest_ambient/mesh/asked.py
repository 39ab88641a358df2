"""How each feature is found out, in words for reports: what is looked at, whatever the answer."""

from collections.abc import Mapping

LOOKED: Mapping[str, str] = {
    "Waypoint": "GatewayClass istio-waypoint and its condition Accepted",
    "Ingress": "GatewayClass istio and its condition Accepted",
    "HTTPRoute": "discovery of gateway.networking.k8s.io/v1 HTTPRoute",
    "HTTPRouteCors": "the filter cors in HTTPRoute's CustomResourceDefinition",
    "GRPCRoute": "discovery of gateway.networking.k8s.io/v1 GRPCRoute",
    "TCPRoute": "discovery of gateway.networking.k8s.io/v1alpha2 TCPRoute, and the environment of istiod",
    "RequestAuthentication": "discovery of security.istio.io/v1 RequestAuthentication",
    "VirtualService": "discovery of networking.istio.io/v1 VirtualService",
    "EnvoyFilter": "discovery of networking.istio.io/v1alpha3 EnvoyFilter",
    "ServiceEntry": "discovery of networking.istio.io/v1 ServiceEntry, and the environment of istiod",
    "Telemetry": "discovery of telemetry.istio.io/v1 Telemetry",
    "MultiNode": "Ready nodes without a taint that keeps pods away",
    "DnsCapture": "the environment and ConfigMaps of the agent that captures",
    "Hbone": "which data plane runs",
    "Identity": "which data plane runs",
    "EphemeralContainers": "an access review of pods/ephemeralcontainers",
    "Redirection": "running pods with label k8s-app=istio-cni-node",
    "Sidecar": "a dry run of a pod that asks for a sidecar, and Sidecars of the root namespace",
    "SidecarHbone": "the labels of that pod",
    "Permissive": "PeerAuthentications of the root namespace",
    "MeshPeerAuthentication": "PeerAuthentications of the root namespace, by name and age",
    "AccessLogFormat": "accessLogFormat and extensionProviders of the mesh configuration",
    "DefaultRetries": "defaultHttpRetryPolicy of the mesh configuration",
    "ZtunnelRestart": "who owns and updates ztunnel's DaemonSet",
    "IstiodOutage": "who owns and scales istiod's Deployment",
    "Upgrade": "--ambient-upgrade-to, who owns and updates istiod, the CNI agents and the ztunnels, and their images",
    "ExtAuthz": "extensionProviders of the mesh configuration and their Service",
    "Kiali": "running pods with label app=kiali, and Kiali's own /kiali/api/auth/info",
    "Prometheus": "running pods with label app.kubernetes.io/name=prometheus",
    "Tracing": "extensionProviders of the mesh configuration and their Service, and Jaeger's own /jaeger/api/services",
}
"""By the names of features."""


def looked(name: str, reason: str) -> str:
    """How it was found out that a feature is there, or why it is not."""
    if reason.startswith("skipped by"):
        return "not asked: --ambient-skip-features"
    if reason.startswith("the embedded mesh has no"):
        return "not asked: known of the embedded mesh"
    return f"asked of the cluster: {LOOKED[name]}" if name in LOOKED else "asked of the cluster"
