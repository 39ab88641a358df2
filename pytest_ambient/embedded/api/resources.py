"""Which kinds the API serves, and under which names."""

from dataclasses import dataclass

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Resource:
    """One kind and the names by which it is asked for."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    status: bool = False
    """Whether it has a status subresource."""
    scale: bool = False
    generation: bool = False
    """Whether `metadata.generation` counts the changes of its spec."""
    subresources: tuple[str, ...] = ()
    """Those beside status and scale, e.g. `log`."""
    verbs: tuple[str, ...] = VERBS
    also: tuple[str, ...] = ()
    """Further served versions of the same objects."""
    custom: bool = False
    """Whether a CustomResourceDefinition defines it."""
    empty: bool = False
    """Whether it can be asked for, but never created: nothing here would act on it."""
    selector_path: str = ""
    """Where a custom kind that can be scaled has its label selector, if its definition says so."""
    selectable: tuple[str, ...] = ()
    """The fields of a custom kind by which it can be selected."""

    @property
    def singular(self) -> str:
        """The name in the singular, lower case."""
        return self.kind.lower()

    @property
    def api_version(self) -> str:
        """As objects carry it: `v1`, `apps/v1`."""
        return self.in_version(self.version)

    @property
    def versions(self) -> tuple[str, ...]:
        """All served versions, the preferred one first."""
        return (self.version, *self.also)

    @property
    def qualified(self) -> str:
        """As messages name it: `pods`, `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def key(self) -> tuple[str, str]:
        """Group and plural: what tells it from all others."""
        return (self.group, self.plural)

    def in_version(self, version: str) -> str:
        """The `apiVersion` of an object served in that version."""
        return f"{self.group}/{version}" if self.group else version


def _workload(kind: str, plural: str, short: str, *, scale: bool = True) -> Resource:
    return Resource(
        "apps", "v1", kind, plural, short_names=(short,), categories=("all",), status=True, scale=scale, generation=True
    )


def _rbac(kind: str, plural: str, *, namespaced: bool) -> Resource:
    return Resource("rbac.authorization.k8s.io", "v1", kind, plural, namespaced)


def _review(group: str, kind: str, plural: str, *, namespaced: bool = False) -> Resource:
    return Resource(group, "v1", kind, plural, namespaced, verbs=("create",))


def _empty(
    group: str, kind: str, plural: str, *short: str,
    namespaced: bool = True, everyday: bool = False, version: str = "v1", also: str = "",
) -> Resource:  # fmt: skip
    categories = ("all",) if everyday or also else ()
    return Resource(group, version, kind, plural, namespaced, short, categories, also=(also,) * bool(also), empty=True)


_POD_SUBRESOURCES = (
    "attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy",
)  # fmt: skip
_ACCESS = "authorization.k8s.io"
_HOOKS = "admissionregistration.k8s.io"

BUILTIN: tuple[Resource, ...] = (
    Resource("", "v1", "Namespace", "namespaces", False, ("ns",), status=True, subresources=("finalize",)),
    Resource("", "v1", "Node", "nodes", False, ("no",), status=True, subresources=("proxy",)),
    Resource(
        "", "v1", "Pod", "pods", True, ("po",), ("all",), status=True, generation=True, subresources=_POD_SUBRESOURCES
    ),
    Resource("", "v1", "Service", "services", True, ("svc",), ("all",), status=True, subresources=("proxy",)),
    Resource("", "v1", "Endpoints", "endpoints", True, ("ep",)),
    Resource("", "v1", "ConfigMap", "configmaps", True, ("cm",)),
    Resource("", "v1", "Secret", "secrets", True),
    Resource("", "v1", "ServiceAccount", "serviceaccounts", True, ("sa",), subresources=("token",)),
    Resource("", "v1", "Event", "events", True, ("ev",)),
    _workload("Deployment", "deployments", "deploy"),
    _workload("ReplicaSet", "replicasets", "rs"),
    _workload("DaemonSet", "daemonsets", "ds", scale=False),
    _workload("StatefulSet", "statefulsets", "sts"),
    Resource("batch", "v1", "Job", "jobs", categories=("all",), status=True, generation=True),
    Resource("apps", "v1", "ControllerRevision", "controllerrevisions", True),
    Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", True, generation=True),
    Resource("coordination.k8s.io", "v1", "Lease", "leases", True),
    _rbac("Role", "roles", namespaced=True),
    _rbac("RoleBinding", "rolebindings", namespaced=True),
    _rbac("ClusterRole", "clusterroles", namespaced=False),
    _rbac("ClusterRoleBinding", "clusterrolebindings", namespaced=False),
    _review("authentication.k8s.io", "TokenReview", "tokenreviews"),
    _review("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews"),
    _review(_ACCESS, "SelfSubjectAccessReview", "selfsubjectaccessreviews"),
    _review(_ACCESS, "SelfSubjectRulesReview", "selfsubjectrulesreviews"),
    _review(_ACCESS, "SubjectAccessReview", "subjectaccessreviews"),
    _review(_ACCESS, "LocalSubjectAccessReview", "localsubjectaccessreviews", namespaced=True),
    Resource(
        "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False,
        ("crd", "crds"), ("api-extensions",), status=True, generation=True,
    ),
)  # fmt: skip

EMPTY: tuple[Resource, ...] = (
    _empty("", "PersistentVolumeClaim", "persistentvolumeclaims", "pvc"),
    _empty("", "PersistentVolume", "persistentvolumes", "pv", namespaced=False),
    _empty("", "ResourceQuota", "resourcequotas", "quota"),
    _empty("", "LimitRange", "limitranges", "limits"),
    _empty("", "ReplicationController", "replicationcontrollers", "rc", everyday=True),
    _empty("batch", "CronJob", "cronjobs", "cj", everyday=True),
    _empty("policy", "PodDisruptionBudget", "poddisruptionbudgets", "pdb"),
    _empty("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", version="v2", also="v1"),
    _empty("networking.k8s.io", "NetworkPolicy", "networkpolicies", "netpol"),
    _empty("networking.k8s.io", "Ingress", "ingresses", "ing"),
    _empty("networking.k8s.io", "IngressClass", "ingressclasses", namespaced=False),
    _empty("scheduling.k8s.io", "PriorityClass", "priorityclasses", "pc", namespaced=False),
    _empty("storage.k8s.io", "StorageClass", "storageclasses", "sc", namespaced=False),
    _empty(_HOOKS, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", namespaced=False),
    _empty(_HOOKS, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", namespaced=False),
)
"""Kinds that a client may look for; creating one is refused by name rather than accepted and ignored."""


def _gateway(
    kind: str, plural: str, *short: str, namespaced: bool = True, versions: str = "v1 v1beta1", status: bool = True
) -> Resource:
    version, *also = versions.split()
    return Resource(
        "gateway.networking.k8s.io", version, kind, plural, namespaced, short, ("gateway-api",),
        status=status, generation=True, also=tuple(also), custom=True,
    )  # fmt: skip


def _security(kind: str, plural: str, short: str) -> Resource:
    return Resource(
        "security.istio.io", "v1", kind, plural, True, (short,), ("istio-io", "security-istio-io"),
        status=True, generation=True, also=("v1beta1",), custom=True,
    )  # fmt: skip


def _networking(kind: str, plural: str, *short: str, version: str = "v1") -> Resource:
    also = ("v1beta1", "v1alpha3") if version == "v1" else ()
    return Resource(
        "networking.istio.io", version, kind, plural, True, short, ("istio-io", "networking-istio-io"),
        status=True, generation=True, also=also, custom=True,
    )  # fmt: skip


CUSTOM: tuple[Resource, ...] = (
    _gateway("GatewayClass", "gatewayclasses", "gc", namespaced=False),
    _gateway("Gateway", "gateways", "gtw"),
    _gateway("HTTPRoute", "httproutes"),
    _gateway("GRPCRoute", "grpcroutes", versions="v1"),
    _gateway("TCPRoute", "tcproutes", versions="v1alpha2"),
    _gateway("ReferenceGrant", "referencegrants", "refgrant", versions="v1beta1 v1", status=False),
    _security("AuthorizationPolicy", "authorizationpolicies", "ap"),
    _security("PeerAuthentication", "peerauthentications", "pa"),
    _security("RequestAuthentication", "requestauthentications", "ra"),
    Resource(
        "telemetry.istio.io",
        "v1",
        "Telemetry",
        "telemetries",
        True,
        ("telemetry",),
        ("istio-io", "telemetry-istio-io"),
        status=True,
        generation=True,
        also=("v1alpha1",),
        custom=True,
    ),
    _networking("VirtualService", "virtualservices", "vs"),
    _networking("DestinationRule", "destinationrules", "dr"),
    _networking("ServiceEntry", "serviceentries", "se"),
    _networking("EnvoyFilter", "envoyfilters", version="v1alpha3"),
)
"""The custom kinds that the mesh implements; others are absent rather than accepted and ignored."""

RESOURCES: tuple[Resource, ...] = (*BUILTIN, *EMPTY, *CUSTOM)


_KINDS = {(each.group, each.kind): each for each in RESOURCES}


def find(kind: str, group: str = "") -> Resource:
    """The kind that ships with the cluster under that name; KeyError when there is none.

    `Gateway` is only found with its group, as two groups could have it.
    """
    return _KINDS[group, kind]
