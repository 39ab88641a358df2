"""The deliberate faults of the embedded cluster: what each one breaks, by name.

A fault changes what the mesh, an application or the exec channel really does, writes and counts, never what the suite
makes of it.
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
    FORGETS_IN_ANOTHER_VERSION = "forgets-in-another-version"
    INGRESS_PAST_WAYPOINT = "ingress-past-waypoint"
    APPLICATION_MAKES_403 = "application-makes-403"
    SLOW_PROPAGATION = "slow-propagation"
    NOT_FORMS_IGNORED = "not-forms-ignored"
    PORTS_OF_THE_SERVICE = "ports-of-the-service"
    IP_BLOCKS_IGNORED = "ip-blocks-ignored"
    WHEN_IGNORED = "when-ignored"
    SOURCE_NAMESPACES_IGNORED = "source-namespaces-ignored"
    WILDCARDS_TAKEN_LITERALLY = "wildcards-taken-literally"
    ONE_CONDITION_IS_ENOUGH = "one-condition-is-enough"
    IDENTITY_BY_ACCOUNT_ONLY = "identity-by-account-only"
    IDENTITY_BY_NAMESPACE_ONLY = "identity-by-namespace-only"
    ALLOW_BEATS_DENY = "allow-beats-deny"
    EMPTY_RULES_MIXED_UP = "empty-rules-mixed-up"
    AUDIT_AND_CUSTOM_DENY = "audit-and-custom-deny"
    POLICIES_HOLD_EVERYWHERE = "policies-hold-everywhere"
    ROOT_NAMESPACE_IGNORED = "root-namespace-ignored"
    TARGETS_AND_SELECTORS_ALIKE = "targets-and-selectors-alike"
    GATEWAY_TARGETS_IGNORED = "gateway-targets-ignored"
    STRICT_NOT_ENFORCED = "strict-not-enforced"
    STRICT_UNASKED = "strict-unasked"
    OPEN_CONNECTIONS_MIXED_UP = "open-connections-mixed-up"
    PORT_LEVEL_MTLS_IGNORED = "port-level-mtls-ignored"
    DISABLE_MEANS_PLAINTEXT = "disable-means-plaintext"
    NAMESPACE_WAYPOINT_FIRST = "namespace-waypoint-first"
    WAYPOINT_FOR_IGNORED = "waypoint-for-ignored"
    ATTACHMENT_UNCHECKED = "attachment-unchecked"
    MISSING_WAYPOINT_CLOSES = "missing-waypoint-closes"
    WAYPOINT_NEVER_RELEASED = "waypoint-never-released"
    WAYPOINTS_ALWAYS_ADMITTED = "waypoints-always-admitted"
    PATHS_MATCH_LOOSELY = "paths-match-loosely"
    HEADER_MODIFIERS_IGNORED = "header-modifiers-ignored"
    MISSING_BACKEND_FALLS_THROUGH = "missing-backend-falls-through"
    PARENT_PORT_IGNORED = "parent-port-ignored"
    LATE_CAPTURE = "late-capture"
    OPT_OUT_IGNORED = "opt-out-ignored"
    POD_IP_NOT_TUNNELLED = "pod-ip-not-tunnelled"
    NAMES_MIXED_UP = "names-mixed-up"
    PROBES_THROUGH_ZTUNNEL = "probes-through-ztunnel"
    CONDITIONS_CLAIM_SUCCESS = "conditions-claim-success"
    CONDITIONS_NEVER_WRITTEN = "conditions-never-written"
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
    Fault.HEADER_ROUTE_IGNORED: "header, query and method matches of a route never match",
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
    Fault.FORGETS_IN_ANOTHER_VERSION: "an istiod of another version than at the start knows no authorization policy",
    Fault.INGRESS_PAST_WAYPOINT: "ingress gateways go past waypoints although the Service sends them through",
    Fault.APPLICATION_MAKES_403: "no waypoint denies; the application itself answers 403 'RBAC: access denied'",
    Fault.SLOW_PROPAGATION: "policies and routes reach the proxies 60 seconds late; what is gone by then never does",
    Fault.NOT_FORMS_IGNORED: "the not-forms of a policy's fields are not looked at",
    Fault.PORTS_OF_THE_SERVICE: "a port in a policy is taken for a Service's port and stands for its target port",
    Fault.IP_BLOCKS_IGNORED: "addresses in a policy are not looked at",
    Fault.WHEN_IGNORED: "the `when` of a policy's rule is not looked at",
    Fault.SOURCE_NAMESPACES_IGNORED: "source namespaces in a policy are not looked at",
    Fault.WILDCARDS_TAKEN_LITERALLY: "a `*` in a policy is a character like any other",
    Fault.ONE_CONDITION_IS_ENOUGH: "of a policy's from, to and when, and of a route's headers, one is enough",
    Fault.IDENTITY_BY_ACCOUNT_ONLY: "policies tell callers by the name of their account, whatever its namespace",
    Fault.IDENTITY_BY_NAMESPACE_ONLY: "policies tell callers by their namespace, whatever their account",
    Fault.ALLOW_BEATS_DENY: "in a namespace with an ALLOW policy no DENY is looked at",
    Fault.EMPTY_RULES_MIXED_UP: "an ALLOW without rules is taken for one with an empty rule, and the other way round",
    Fault.AUDIT_AND_CUSTOM_DENY: "policies of action AUDIT and CUSTOM deny",
    Fault.POLICIES_HOLD_EVERYWHERE: "policies hold for the whole mesh, whatever their selector and namespace",
    Fault.ROOT_NAMESPACE_IGNORED: "policies in the root namespace hold for nobody",
    Fault.TARGETS_AND_SELECTORS_ALIKE: "ztunnel and waypoint both enforce each policy, whichever of them it is for",
    Fault.GATEWAY_TARGETS_IGNORED: "policies that target a Gateway or a GatewayClass hold for nobody",
    Fault.STRICT_NOT_ENFORCED: "STRICT is taken for PERMISSIVE",
    Fault.STRICT_UNASKED: "the whole mesh is STRICT although nothing says so",
    Fault.OPEN_CONNECTIONS_MIXED_UP: "policies with a selector end connections that are open, those without none",
    Fault.PORT_LEVEL_MTLS_IGNORED: "modes of single ports are not looked at",
    Fault.DISABLE_MEANS_PLAINTEXT: "DISABLE ends the tunnels to the pods for which it holds",
    Fault.NAMESPACE_WAYPOINT_FIRST: "a namespace's waypoint goes before the one that its Service names",
    Fault.WAYPOINT_FOR_IGNORED: "waypoints take calls to Services and to their pods alike",
    Fault.ATTACHMENT_UNCHECKED: "waypoints serve Services of all namespaces, whatever their listeners allow",
    Fault.MISSING_WAYPOINT_CLOSES: "a Service whose waypoint never was can't be reached",
    Fault.WAYPOINT_NEVER_RELEASED: "a Service once bound to a waypoint stays bound",
    Fault.WAYPOINTS_ALWAYS_ADMITTED: "ztunnel's ALLOW policies admit every waypoint",
    Fault.PATHS_MATCH_LOOSELY: "a path matches whatever begins with its characters, in routes whatever their case",
    Fault.HEADER_MODIFIERS_IGNORED: "routes change no headers",
    Fault.MISSING_BACKEND_FALLS_THROUGH: "what no rule or no backend takes goes to the Service itself",
    Fault.PARENT_PORT_IGNORED: "a route for one port holds for all ports of its Service",
    Fault.LATE_CAPTURE: "pods are captured seconds after they start or their namespace is enrolled",
    Fault.OPT_OUT_IGNORED: "only the namespace's label says whether a pod is captured, never its own",
    Fault.POD_IP_NOT_TUNNELLED: "what is addressed to a pod itself goes there in plaintext",
    Fault.NAMES_MIXED_UP: "names of ServiceEntries are known outside of the mesh, and in no captured pod",
    Fault.PROBES_THROUGH_ZTUNNEL: "the kubelet's probes meet the policies of the pod like any plaintext",
    Fault.CONDITIONS_CLAIM_SUCCESS: "istiod writes every condition as if all were well",
    Fault.CONDITIONS_NEVER_WRITTEN: "istiod writes no condition but that of its GatewayClass",
    Fault.POD_NOT_CAPTURED: "one Bookinfo pod (details-v1) is never captured although its namespace is enrolled",
    Fault.ZTUNNEL_NOT_READY: "ztunnel is never ready on one node",
    Fault.EXT_AUTHZ_IGNORED: "waypoints ask no external authorizer; CUSTOM policies refuse nobody",
    Fault.JWT_UNCHECKED: "waypoints let requests with a wrong token pass like those without one",
    Fault.TELEMETRY_IGNORED: "Telemetries are accepted and change no access log and no trace",
    Fault.TELEMETRY_MISCOUNTS: "every second connection and request is not counted, and waypoints hand no trace on",
    Fault.IDENTITY_MISSING_IN_LOG: "ztunnel's access log leaves out who is who on connections with certificates",
    Fault.EXEC_LOSES_STATUS: "an exec's closing status message is lost",
    Fault.EXEC_RETURNS_NOTHING: "an exec now and then ends in success without any output",
}
