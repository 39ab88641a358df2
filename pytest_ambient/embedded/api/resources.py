"""Which kinds the API serves, and under which names."""

from collections.abc import Iterable, Iterator
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


_POD_SUBRESOURCES = (
    "attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy",
)  # fmt: skip
_ACCESS = "authorization.k8s.io"

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
    Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", True, ("pvc",), status=True),
    Resource("", "v1", "PersistentVolume", "persistentvolumes", False, ("pv",), status=True),
    Resource("", "v1", "ResourceQuota", "resourcequotas", True, ("quota",), status=True),
    Resource("", "v1", "LimitRange", "limitranges", True, ("limits",)),
    _workload("Deployment", "deployments", "deploy"),
    _workload("ReplicaSet", "replicasets", "rs"),
    _workload("StatefulSet", "statefulsets", "sts"),
    _workload("DaemonSet", "daemonsets", "ds", scale=False),
    Resource("apps", "v1", "ControllerRevision", "controllerrevisions", True),
    Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", True, generation=True),
    Resource("coordination.k8s.io", "v1", "Lease", "leases", True),
    Resource(
        "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", True, ("pdb",), status=True, generation=True
    ),
    Resource(
        "autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", True,
        ("hpa",), ("all",), status=True,
    ),
    Resource("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", True, ("netpol",), generation=True),
    Resource("networking.k8s.io", "v1", "Ingress", "ingresses", True, ("ing",), status=True, generation=True),
    Resource("networking.k8s.io", "v1", "IngressClass", "ingressclasses", False, generation=True),
    Resource("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", False, ("pc",), generation=True),
    Resource("storage.k8s.io", "v1", "StorageClass", "storageclasses", False, ("sc",)),
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
    Resource(
        "admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations",
        False, categories=("api-extensions",), generation=True,
    ),
    Resource(
        "admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations",
        False, categories=("api-extensions",), generation=True,
    ),
)  # fmt: skip


def _gateway(kind: str, plural: str, *short: str, namespaced: bool = True, version: str = "v1") -> Resource:
    also = ("v1beta1",) if version == "v1" else ()
    return Resource(
        "gateway.networking.k8s.io", version, kind, plural, namespaced, short, ("gateway-api",),
        status=version == "v1", generation=True, also=also, custom=True,
    )  # fmt: skip


def _security(kind: str, plural: str, short: str) -> Resource:
    return Resource(
        "security.istio.io", "v1", kind, plural, True, (short,), ("istio-io", "security-istio-io"),
        status=True, generation=True, also=("v1beta1",), custom=True,
    )  # fmt: skip


CUSTOM: tuple[Resource, ...] = (
    _gateway("GatewayClass", "gatewayclasses", "gc", namespaced=False),
    _gateway("Gateway", "gateways", "gtw"),
    _gateway("HTTPRoute", "httproutes"),
    _gateway("ReferenceGrant", "referencegrants", "refgrant", version="v1beta1"),
    _security("AuthorizationPolicy", "authorizationpolicies", "ap"),
    _security("PeerAuthentication", "peerauthentications", "pa"),
    _security("RequestAuthentication", "requestauthentications", "ra"),
)
"""The custom kinds that the mesh implements; others are absent rather than accepted and ignored."""

RESOURCES: tuple[Resource, ...] = (*BUILTIN, *CUSTOM)


class Registry:
    """The kinds that are served now; custom ones come and go."""

    def __init__(self, resources: Iterable[Resource] = RESOURCES) -> None:
        self._kinds: dict[tuple[str, str], Resource] = {}
        self._paths: dict[tuple[str, str, str], Resource] = {}
        for each in resources:
            self.add(each)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._kinds.values())

    def add(self, resource: Resource) -> None:
        """Serve a kind from now on."""
        self._kinds[resource.group, resource.kind] = resource
        for version in resource.versions:
            self._paths[resource.group, version, resource.plural] = resource

    def remove(self, resource: Resource) -> None:
        """Serve a kind no more."""
        self._kinds.pop((resource.group, resource.kind), None)
        for version in resource.versions:
            self._paths.pop((resource.group, version, resource.plural), None)

    def at(self, group: str, version: str, plural: str) -> Resource | None:
        """The kind served at that path, None when there is none."""
        return self._paths.get((group, version, plural))

    def of(self, group: str, kind: str) -> Resource | None:
        """The kind of that name, None when it is not served."""
        return self._kinds.get((group, kind))


_KINDS = {(each.group, each.kind): each for each in RESOURCES}


def find(kind: str, group: str = "") -> Resource:
    """The kind that ships with the cluster under that name; KeyError when there is none.

    `Gateway` is only found with its group, as two groups could have it.
    """
    return _KINDS[group, kind]
