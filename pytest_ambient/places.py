"""Where a run's things live, and the names by which manifests, URLs and expectations speak of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]
"""One Kubernetes object, or a part of one, as decoded JSON."""

_NAME = re.compile(r"\$\{([^}\n]*)\}")


def namespaces(name: str) -> tuple[str, str, str]:
    """Bookinfo's namespace, the second enrolled one, and the one that is not meshed."""
    return name, f"{name}-other", f"{name}-outside"


@dataclass(frozen=True)
class Places:
    """Where this run's things live: what stands for the names in manifests, URLs and expectations."""

    namespace: str
    """Bookinfo's namespace, enrolled."""
    other: str
    """A second enrolled namespace."""
    outside: str
    """A namespace that is not meshed."""
    root: str = "istio-system"
    trust_domain: str = "cluster.local"
    waypoint_class: str = "istio-waypoint"
    dataplane_mode: str = "ambient"
    """The value of the label `istio.io/dataplane-mode` that enrols."""
    waypoint_image: str = ""
    """The image that waypoints must run; empty for Istio's own."""
    revision: str = ""
    """What waypoints and pods with sidecars must be labelled with so that an istiod looks after them; mostly empty."""
    proxies: str = "app=ztunnel"
    """The label of the pods that move the bytes."""
    silent: str = ""
    """Why those testify to nothing; empty where they do."""
    assigns_users: bool = False
    """Whether the cluster gives every namespace a range of users of its own, as OpenShift does."""
    discovery: tuple[Object, ...] = field(default=(), hash=False)
    """The label selectors of the namespaces that istiod looks at; none where it looks at all."""
    injects: bool = False
    """Whether the mesh gives sidecars to pods that ask for none."""
    ztunnel: tuple[str, str] = ("istio-system", "ztunnel")
    """Namespace and name of the DaemonSet of those pods, wherever its installer has put it."""
    istiod: tuple[str, str] = ("istio-system", "istiod")
    """Namespace and name of the Deployment of the istiod that looks after them."""
    cni: tuple[str, str] = ("istio-system", "istio-cni-node")
    """Namespace and name of the DaemonSet of the agents that capture pods."""
    following: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The images of the version that the mesh may go to, `NEXT_PILOT` and its like; none where it may not."""

    def beside(self, number: int) -> "Places":
        """The same with namespaces of another lane of this run."""
        namespace, other, outside = namespaces(f"{self.namespace}-{number}")
        return replace(self, namespace=namespace, other=other, outside=outside)

    @property
    def ours(self) -> tuple[str, ...]:
        """The namespaces that belong to this run."""
        return self.namespace, self.other, self.outside

    @property
    def names(self) -> Mapping[str, str]:
        """Every name that may be written as `${NAME}`, with its value."""
        words = {"namespace": "NAMESPACE", "other": "OTHER_NAMESPACE", "outside": "OUTSIDE_NAMESPACE"}
        words |= {"root": "ROOT_NAMESPACE", "trust_domain": "TRUST_DOMAIN", "waypoint_class": "WAYPOINT_CLASS"}
        words |= {"dataplane_mode": "DATAPLANE_MODE"}
        found = {words[entry.name]: getattr(self, entry.name) for entry in fields(self) if entry.name in words}
        parts = {"ZTUNNEL": self.ztunnel, "ISTIOD": self.istiod, "CNI": self.cni}
        found |= {name: part[1] for name, part in parts.items()}
        found |= self.following
        return found | {f"{name}_NAMESPACE": part[0] for name, part in parts.items()}

    def fill(self, text: str) -> str:
        """The text with all `${NAME}` filled in; ValueError for a name that nobody knows."""
        return _NAME.sub(self._value, text)

    def _value(self, match: re.Match[str]) -> str:
        if match[1] not in self.names:
            raise ValueError(f"unknown name ${{{match[1]}}}, known are {', '.join(sorted(self.names))}")
        return self.names[match[1]]
