"""The objects that a Gateway stands for, a waypoint's or one of ingress: pure values."""

from ..objects import Object, annotations_of, labels_of, name_of, namespace_of

WAYPOINT_CLASS = "istio-waypoint"
_NAME, _CLASS = "gateway.networking.k8s.io/gateway-name", "gateway.networking.k8s.io/gateway-class-name"
INGRESS_CLASS = "istio"
_CONTROLLERS = {WAYPOINT_CLASS: "istio.io-mesh-controller", INGRESS_CLASS: "istio.io-gateway-controller"}
_PROXY_IMAGE = "sidecar.istio.io/proxyImage"
_SERVICE_TYPE = "networking.istio.io/service-type"
_OUTSIDE = {"istio.io/dataplane-mode": "none"}
_NOT_INHERITED = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "gateway.istio.io/name-override",
    "gateway.istio.io/service-account",
    "gateway.istio.io/controller-version",
)
_HEALTH = {"path": "/healthz/ready", "port": 15021, "scheme": "HTTP"}


def called(gateway: Object) -> str:
    """The name of all of them."""
    return f"{name_of(gateway)}-{INGRESS_CLASS}" if _is_ingress(gateway) else name_of(gateway)


def _is_ingress(gateway: Object) -> bool:
    return bool(gateway["spec"].get("gatewayClassName") == INGRESS_CLASS)


def _own(gateway: Object) -> dict[str, str]:
    """The labels of all of them."""
    kind = str(gateway["spec"]["gatewayClassName"])
    return {"gateway.istio.io/managed": _CONTROLLERS[kind], _CLASS: kind, _NAME: name_of(gateway)}


def account(gateway: Object) -> Object:
    """Its ServiceAccount."""
    return {"metadata": _meta(gateway)}


def service(gateway: Object) -> Object:
    """Its Service."""
    meta = _meta(gateway)
    kind = annotations_of(gateway).get(_SERVICE_TYPE) or ("LoadBalancer" if _is_ingress(gateway) else "ClusterIP")
    first: dict[int, Object] = {}
    for each in gateway["spec"]["listeners"]:
        first.setdefault(int(each["port"]), each)
    ports = [_port(_port_name(each), port, str(each["protocol"]).lower()) for port, each in first.items()]
    if not _is_ingress(gateway):
        near = {"networking.istio.io/traffic-distribution": "PreferClose"}
        meta["annotations"] = near | meta.get("annotations", {})
    return {
        "metadata": meta,
        "spec": {
            "ipFamilyPolicy": "PreferDualStack",
            "ports": [_port("status-port", 15021, "tcp"), *ports],
            "selector": {_NAME: name_of(gateway)},
            "type": kind,
        },
    }


def _port_name(listener: Object) -> str:
    return str(listener["name"]).replace(".", "-")[:63]


def _port(name: str, port: int, speaks: str) -> Object:
    return {"appProtocol": speaks, "name": name, "port": port, "protocol": "TCP", "targetPort": port}


def deployment(gateway: Object, image: str) -> Object:
    """Its Deployment of one proxy."""
    name = called(gateway)
    labels = _inherited(gateway, "labels") | {
        **_own(gateway),
        **_OUTSIDE,
        "service.istio.io/canonical-name": name,
        "service.istio.io/canonical-revision": "latest",
        "sidecar.istio.io/inject": "false",
    }
    notes = {
        "istio.io/rev": "default",
        "prometheus.io/path": "/stats/prometheus",
        "prometheus.io/port": "15020",
        "prometheus.io/scrape": "true",
    }
    template = {
        "metadata": {"labels": labels, "annotations": _inherited(gateway, "annotations") | notes},
        "spec": {
            "containers": [_proxy(gateway, image)],
            "serviceAccountName": name,
            "terminationGracePeriodSeconds": 30,
        },
    }
    return {
        "metadata": _meta(gateway),
        "spec": {"replicas": 1, "selector": {"matchLabels": {_NAME: name_of(gateway)}}, "template": template},
    }


def _proxy(gateway: Object, image: str) -> Object:
    role = "router" if _is_ingress(gateway) else "waypoint"
    fields = {"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace", "INSTANCE_IP": "status.podIP"}
    fields |= {"SERVICE_ACCOUNT": "spec.serviceAccountName", "HOST_IP": "status.hostIP"}
    env: list[Object] = [
        {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}
        for name, path in fields.items()
    ]
    env.append({"name": "ISTIO_META_WORKLOAD_NAME", "value": called(gateway)})
    ports = {"metrics": 15020, "status-port": 15021, "http-envoy-prom": 15090}
    return {
        "name": "istio-proxy",
        "image": _image(gateway) or image,
        "args": ["proxy", role, "--domain", "$(POD_NAMESPACE).svc.cluster.local"],
        "env": env,
        "ports": [{"containerPort": port, "name": name, "protocol": "TCP"} for name, port in ports.items()],
        "readinessProbe": {
            "failureThreshold": 4, "httpGet": dict(_HEALTH), "periodSeconds": 15, "successThreshold": 1,
            "timeoutSeconds": 1,
        },
        "resources": {
            "limits": {"cpu": "2", "memory": "1Gi"},
            "requests": {"cpu": "10m", "memory": "64Mi"},
        },
    }  # fmt: skip


def _image(gateway: Object) -> str:
    """The image that a Gateway names for its proxy; a name without `/` counts for nothing."""
    named = annotations_of(gateway).get(_PROXY_IMAGE, "")
    return named if "/" in named else ""


def _meta(gateway: Object) -> Object:
    outside = _OUTSIDE if _is_ingress(gateway) else {}
    labels = outside | _inherited(gateway, "labels") | _own(gateway)
    meta: Object = {
        "name": called(gateway),
        "namespace": namespace_of(gateway),
        "labels": labels,
        "ownerReferences": [
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "Gateway",
                "name": name_of(gateway),
                "uid": gateway["metadata"]["uid"],
            }
        ],
    }
    notes = _inherited(gateway, "annotations")
    return meta | ({"annotations": notes} if notes else {})


def _inherited(gateway: Object, what: str) -> dict[str, str]:
    """What the Gateway hands on: the labels or annotations of its `infrastructure`, else its own."""
    given = (gateway["spec"].get("infrastructure") or {}).get(what)
    if given is not None:
        return {key: value for key, value in given.items() if not key.startswith("gateway.networking.k8s.io/")}
    own = labels_of(gateway) if what == "labels" else annotations_of(gateway)
    return {key: value for key, value in own.items() if key not in _NOT_INHERITED}
