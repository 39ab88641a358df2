"""The names of the closed list of features: what a test may need, to be read where nothing is asked of a mesh."""

from typing import Final

FEATURES: Final = (
    "Waypoint",
    "Ingress",
    "HTTPRoute",
    "HTTPRouteCors",
    "GRPCRoute",
    "TCPRoute",
    "RequestAuthentication",
    "VirtualService",
    "EnvoyFilter",
    "ServiceEntry",
    "AccessLogFormat",
    "DefaultRetries",
    "Telemetry",
    "MultiNode",
    "DnsCapture",
    "Hbone",
    "Identity",
    "EphemeralContainers",
    "Redirection",
    "Sidecar",
    "SidecarHbone",
    "Permissive",
    "MeshPeerAuthentication",
    "ZtunnelRestart",
    "IstiodOutage",
    "Upgrade",
    "ExtAuthz",
    "Kiali",
    "Prometheus",
    "Tracing",
)
"""In the order in which they are looked for; `features.py` has a question for each."""
