"""What the cluster holds when it starts: namespaces, nodes, GatewayClasses and Istio's own workloads."""

from collections.abc import Sequence

from .api.applying import installed
from .api.store import Resource, Store, find, timestamp
from .faults import Fault
from .istiod.model import ROOT_NAMESPACE
from .objects import Object
from .seed_providers import PROVIDERS, providers
from .versions import VERSION

INSTALLER = "istio-operator"
"""The field manager of istioctl."""
HUB = "registry.istio.io/release"
KUBERNETES = "v1.34.4"
PROXY = f"{HUB}/proxyv2:{VERSION}-distroless"
_CLASSES = {
    "istio": ("istio.io/gateway-controller", "The default Istio GatewayClass"),
    "istio-remote": ("istio.io/unmanaged-gateway", "Remote to this cluster. Does not deploy or affect configuration."),
    "istio-waypoint": ("istio.io/mesh-controller", "The default Istio waypoint GatewayClass"),
}
_MESH = """accessLogFile: /dev/stdout
defaultConfig:
  discoveryAddress: istiod.istio-system.svc:15012
  proxyMetadata:
    ISTIO_META_ENABLE_HBONE: "true"
rootNamespace: istio-system
trustDomain: cluster.local"""


def node_names(count: int) -> tuple[str, ...]:
    """The names of so many nodes."""
    workers = ("ambient-worker", *(f"ambient-worker{number}" for number in range(2, count)))
    return ("ambient-control-plane", *workers[: count - 1])


def cluster(store: Store, nodes: Sequence[tuple[str, str]], faults: frozenset[Fault] = frozenset()) -> None:
    """Make namespaces, nodes (name and address of each) and GatewayClasses."""
    for each in ("default", "kube-system", "kube-public", "kube-node-lease", ROOT_NAMESPACE):
        store.create(find("Namespace"), {"metadata": {"name": each}})
    for number, (name, address) in enumerate(nodes):
        last = number == len(nodes) - 1
        tainted = last and len(nodes) > 1 and Fault.ZTUNNEL_NOT_READY in faults
        store.create(find("Node"), _node(name, address, control=number == 0, tainted=tainted))
    for name, (controller, description) in _CLASSES.items():
        spec = {"controllerName": controller, "description": description}
        store.create(find("GatewayClass", "gateway.networking.k8s.io"), {"metadata": {"name": name}, "spec": spec})


def istio(store: Store) -> None:
    """Make Istio's objects; the controllers must run already."""
    for name in ("istiod", "ztunnel", "istio-cni"):
        _installed(store, find("ServiceAccount"), _named(name, {"app.kubernetes.io/part-of": "istio"}))
    data = {"mesh": f"{_MESH}\n{PROVIDERS}", "meshNetworks": "networks: {}"}
    _installed(store, find("ConfigMap"), _named("istio", _labels("istiod", "Pilot")) | {"data": data})
    cni = {"AMBIENT_ENABLED": "true", "AMBIENT_DNS_CAPTURE": "true", "EXCLUDE_NAMESPACES": "kube-system"}
    _installed(store, find("ConfigMap"), _named("istio-cni-config", _labels("cni", "Cni")) | {"data": cni})
    _installed(store, find("Service"), _istiod_service())
    _installed(store, find("Deployment", "apps"), _istiod())
    for kind, item in providers():
        _installed(store, find(kind, "apps" if kind == "Deployment" else ""), item)
    _installed(store, find("DaemonSet", "apps"), _daemons("ztunnel", "ztunnel", _ztunnel()))
    _installed(store, find("DaemonSet", "apps"), _daemons("istio-cni-node", "istio-cni", _cni()))


def _installed(store: Store, resource: Resource, item: Object) -> None:
    installed(store, resource, item, INSTALLER)


def _node(name: str, address: str, *, control: bool, tainted: bool) -> Object:
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    if control:
        labels["node-role.kubernetes.io/control-plane"] = ""
    taints = [{"key": "cni.istio.io/not-ready", "effect": "NoSchedule"}] if tainted else []
    conditions = [
        _condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        _condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        _condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        _condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ]
    room = {"cpu": "8", "memory": "16Gi", "pods": "110", "ephemeral-storage": "100Gi"}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": taints} if taints else {},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
            "allocatable": room,
            "capacity": room,
            "conditions": conditions,
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": "",
                "containerRuntimeVersion": "embedded://1",
                "kernelVersion": "embedded",
                "kubeProxyVersion": "",
                "kubeletVersion": KUBERNETES,
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": "embedded cluster (a test bench)",
                "systemUUID": "",
            },
        },
    }


def _condition(kind: str, status: str, reason: str, message: str) -> Object:
    now = timestamp()
    return {
        "lastHeartbeatTime": now, "lastTransitionTime": now, "message": message, "reason": reason, "status": status,
        "type": kind,
    }  # fmt: skip


def _named(name: str, labels: dict[str, str]) -> Object:
    return {"metadata": {"name": name, "namespace": ROOT_NAMESPACE, "labels": labels}}


def _labels(name: str, component: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/part-of": "istio",
        "app.kubernetes.io/version": VERSION,
        "istio.io/rev": "default",
        "operator.istio.io/component": component,
        "operator.istio.io/version": VERSION,
        "release": "istio",
    }


def _istiod_service() -> Object:
    ports = {"grpc-xds": 15010, "https-dns": 15012, "https-webhook": 443, "http-monitoring": 15014}
    spec = {
        "ports": [
            {"name": name, "port": port, "targetPort": 15017 if port == 443 else port} for name, port in ports.items()
        ],
        "selector": {"app": "istiod", "istio": "pilot"},
    }
    return _named("istiod", {**_labels("istiod", "Pilot"), "app": "istiod", "istio": "pilot"}) | {"spec": spec}


def _istiod() -> Object:
    labels = {**_labels("istiod", "Pilot"), "app": "istiod", "istio": "pilot"}
    container = {
        "name": "discovery",
        "image": f"{HUB}/pilot:{VERSION}-distroless",
        "args": ["discovery", "--monitoringAddr=:15014", "--domain", "cluster.local"],
        "env": [{"name": each, "value": "true"} for each in ("PILOT_ENABLE_AMBIENT", "PILOT_ENABLE_ALPHA_GATEWAY_API")],
        "ports": [{"containerPort": port} for port in (8080, 15010, 15012, 15017, 15014)],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 3},
    }
    spec = {
        "selector": {"matchLabels": {"app": "istiod", "istio": "pilot"}},
        "template": {
            "metadata": {"labels": {**labels, "istio.io/dataplane-mode": "none", "sidecar.istio.io/inject": "false"}},
            "spec": {"containers": [container], "serviceAccountName": "istiod"},
        },
    }
    return _named("istiod", labels) | {"spec": spec}


def _daemons(name: str, account: str, container: Object) -> Object:
    """A DaemonSet labelled as Istio's charts do it: ztunnel's own has no `app`, only its pods have."""
    agent = name == "istio-cni-node"
    selector = {"k8s-app": name} if agent else {"app": name}
    labels = _labels("cni" if agent else name, name) | (selector if agent else {})
    template = {
        "metadata": {
            "labels": labels | selector | {"istio.io/dataplane-mode": "none", "sidecar.istio.io/inject": "false"}
        },
        "spec": {
            "containers": [container],
            "priorityClassName": "system-node-critical",
            "serviceAccountName": account,
            "tolerations": [{"effect": effect, "operator": "Exists"} for effect in ("NoSchedule", "NoExecute")],
        },
    }
    return _named(name, labels) | {"spec": {"selector": {"matchLabels": selector}, "template": template}}


def _ztunnel() -> Object:
    return {
        "name": "istio-proxy",
        "image": f"{HUB}/ztunnel:{VERSION}-distroless",
        "args": ["proxy", "ztunnel"],
        "ports": [{"containerPort": 15020, "name": "ztunnel-stats"}],
        "readinessProbe": {"httpGet": {"path": "/healthz/ready", "port": 15021}},
        "resources": {"requests": {"cpu": "200m", "memory": "512Mi"}},
    }


def _cni() -> Object:
    return {
        "name": "install-cni",
        "image": f"{HUB}/install-cni:{VERSION}-distroless",
        "args": ["--log_output_level=info"],
        "envFrom": [{"configMapRef": {"name": "istio-cni-config"}}],
        "ports": [{"containerPort": 15014, "name": "metrics"}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8000}},
    }
