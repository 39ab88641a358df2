"""The deliberate faults of the embedded cluster: what each one breaks, by name.

A fault changes what the mesh, an application or the exec channel really does, never what is reported about it.
"""

from enum import StrEnum


class Fault(StrEnum):
    """One way for the embedded mesh to break its promise; the value is its name on the command line."""

    POLICY_IGNORED = "policy-ignored"
    POLICY_ON_WRONG_WORKLOAD = "policy-on-wrong-workload"
    EVERYTHING_DENIED = "everything-denied"
    UNAVAILABLE_NOT_DENIED = "unavailable-not-denied"
    SPLIT_62_38 = "split-62-38"
    SPLIT_FROZEN = "split-frozen"
    HEADER_ROUTE_IGNORED = "header-route-ignored"
    ROUTE_FILTERS_IGNORED = "route-filters-ignored"
    TIMEOUTS_IGNORED = "timeouts-ignored"
    RETRIES_IGNORED = "retries-ignored"
    FAULTS_NOT_INJECTED = "faults-not-injected"
    DESTINATION_RULES_IGNORED = "destination-rules-ignored"
    RATE_LIMITS_IGNORED = "rate-limits-ignored"
    PLAINTEXT_NOT_HBONE = "plaintext-not-hbone"
    L7_POLICY_UNENFORCED = "l7-policy-unenforced"
    WAYPOINT_BYPASSED = "waypoint-bypassed"
    LOST_WAYPOINT_FAILS_OPEN = "lost-waypoint-fails-open"
    FORGETS_WITHOUT_ISTIOD = "forgets-without-istiod"
    FORGETS_AT_RESTART = "forgets-at-restart"
    INGRESS_PAST_WAYPOINT = "ingress-past-waypoint"
    APPLICATION_MAKES_403 = "application-makes-403"
    SLOW_PROPAGATION = "slow-propagation"
    POD_NOT_CAPTURED = "pod-not-captured"
    ZTUNNEL_NOT_READY = "ztunnel-not-ready"
    EXT_AUTHZ_IGNORED = "ext-authz-ignored"
    JWT_UNCHECKED = "jwt-unchecked"
    TELEMETRY_IGNORED = "telemetry-ignored"
    TELEMETRY_MISCOUNTS = "telemetry-miscounts"
    IDENTITY_MISSING_IN_LOG = "identity-missing-in-log"
    EXEC_LOSES_STATUS = "exec-loses-status"
    EXEC_RETURNS_NOTHING = "exec-returns-nothing"


WOULD_DENY = ("x-ambient-shadow", "denied")
"""The header by which a waypoint tells an application whom to refuse in its place (application-makes-403)."""


DESCRIPTIONS: dict[Fault, str] = {
    Fault.POLICY_IGNORED: "authorization policies are accepted, reported in status and enforced nowhere",
    Fault.POLICY_ON_WRONG_WORKLOAD: "a policy is enforced on all workloads of its namespace but the one it names",
    Fault.EVERYTHING_DENIED: "every connection between captured pods is refused at the destination",
    Fault.UNAVAILABLE_NOT_DENIED: "where a policy should deny, the proxy answers 503 or finds no endpoint",
    Fault.SPLIT_62_38: "a weighted route of two or more backends is served 62/38 whatever its weights",
    Fault.SPLIT_FROZEN: "a weighted route always serves its first backend",
    Fault.HEADER_ROUTE_IGNORED: "header and query matches of a route never match",
    Fault.ROUTE_FILTERS_IGNORED: "routes redirect, rewrite, mirror and share with other origins nothing",
    Fault.TIMEOUTS_IGNORED: "no route's time-out ever ends a request",
    Fault.RETRIES_IGNORED: "waypoints try no request again",
    Fault.FAULTS_NOT_INJECTED: "no VirtualService's fault is injected",
    Fault.DESTINATION_RULES_IGNORED: "a subset has all endpoints of its Service, no endpoint that fails is left out",
    Fault.RATE_LIMITS_IGNORED: "no EnvoyFilter's rate limit stops a request",
    Fault.PLAINTEXT_NOT_HBONE: "captured pods talk plaintext: no tunnel, no certificate, no identity",
    Fault.L7_POLICY_UNENFORCED: "waypoints route, but enforce no authorization policy",
    Fault.WAYPOINT_BYPASSED: "traffic for a Service with a waypoint goes straight to its endpoints",
    Fault.LOST_WAYPOINT_FAILS_OPEN: "traffic for a Service goes past a waypoint that has no pod left",
    Fault.FORGETS_WITHOUT_ISTIOD: "ztunnels and waypoints forget all authorization policies while no istiod runs",
    Fault.FORGETS_AT_RESTART: "ztunnels that were restarted know no authorization policy, until they are again",
    Fault.INGRESS_PAST_WAYPOINT: "ingress gateways go past waypoints although the Service sends them through",
    Fault.APPLICATION_MAKES_403: "no waypoint denies; the application itself answers 403 'RBAC: access denied'",
    Fault.SLOW_PROPAGATION: "policies and routes reach the proxies 60 seconds late; what is gone by then never does",
    Fault.POD_NOT_CAPTURED: "one Bookinfo pod (details-v1) is never captured although its namespace is enrolled",
    Fault.ZTUNNEL_NOT_READY: "ztunnel is never ready on one node",
    Fault.EXT_AUTHZ_IGNORED: "waypoints ask no external authorizer; CUSTOM policies refuse nobody",
    Fault.JWT_UNCHECKED: "waypoints let requests with a wrong token pass like those without one",
    Fault.TELEMETRY_IGNORED: "Telemetries are accepted and change no access log",
    Fault.TELEMETRY_MISCOUNTS: "ztunnels and waypoints count only every second connection and request",
    Fault.IDENTITY_MISSING_IN_LOG: "ztunnel's access log leaves out who is who on connections with certificates",
    Fault.EXEC_LOSES_STATUS: "an exec's closing status message is lost",
    Fault.EXEC_RETURNS_NOTHING: "an exec now and then ends in success without any output",
}
