"""Istio's values for a cluster, in the two forms that istioctl and Helm take: one tree, or one for each chart."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_ambient._kube import Object
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.mesh.versions import number

SMALL: Mapping[str, Mapping[str, str]] = {
    "pilot": {"cpu": "50m", "memory": "256Mi"},
    "cni": {"cpu": "10m", "memory": "64Mi"},
    "ztunnel": {"cpu": "50m", "memory": "64Mi"},
}
"""Requests that fit a laptop: Istio's own ask for 2 GiB and half a processor for istiod alone."""

PLATFORMS = ("gke", "k3d", "k3s", "microk8s", "minikube", "openshift")
"""The words that Istio has a profile for."""
GKE_SINCE = (1, 25)

MESH_CONFIG = {"accessLogFile": "/dev/stdout"}
"""Waypoints testify in their access log, which is off by default."""

GATEWAYS = {"seccompProfile": {"type": "RuntimeDefault"}}
"""Without a profile waypoints may not run in namespaces whose pod security is restricted, as Bookinfo's may be."""


def operator(target: Target, spec: MeshSpec, excluded: Sequence[str] = ()) -> Object:
    """The IstioOperator that `istioctl install -f` takes; CRDs named in `excluded` are left to their owners."""
    settings: Object = {
        **({"global": {"platform": platform(target, spec)}} if platform(target, spec) else {}),
        **({"base": _without(excluded)} if excluded else {}),
        "pilot": _pilot(target, spec),
        "gateways": dict(GATEWAYS),
    }
    if spec.dataplane == "ztunnel":
        settings |= _some(cni=_directories(target) | _requests(target, "cni"), ztunnel=_requests(target, "ztunnel"))
    made: Object = {
        "profile": _profile(target, spec),
        **({"hub": spec.hub.rstrip("/")} if spec.hub else {}),
        "meshConfig": dict(MESH_CONFIG),
        "values": _some(**settings),
    }
    return {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "metadata": {"name": "pytest-ambient"},
        "spec": made,
    }


def charts(target: Target, spec: MeshSpec, excluded: Sequence[str] = ()) -> Mapping[str, Object]:
    """Values by chart, in the order in which the charts are installed."""
    word = platform(target, spec)
    common: Object = _some(
        **{"global": _some(hub=spec.hub.rstrip("/") if spec.hub else "", platform=word)},
        profile="ambient" if spec.dataplane == "ztunnel" else "",
    )
    made: dict[str, Object] = {
        "base": {"base": _without(excluded)} if excluded else {},
        "istiod": {
            **common,
            "meshConfig": dict(MESH_CONFIG),
            "gateways": dict(GATEWAYS),
            **_some(pilot=_pilot(target, spec)),
        },
    }
    if spec.dataplane == "ztunnel":
        made["cni"] = {**common, **_some(cni=_directories(target) | _requests(target, "cni"))}
        # Without it the chart of 1.25 names everything after the release.
        made["ztunnel"] = {**common, "resourceName": "ztunnel", **_requests(target, "ztunnel")}
    return made


def platform(target: Target, spec: MeshSpec) -> str:
    """Istio's word for this platform; empty where this version has no profile of that name."""
    if target.platform == "gke" and number(spec.version)[:2] < GKE_SINCE:
        return ""
    return target.platform if target.platform in PLATFORMS else ""


def daemons(target: Target) -> str:
    """The namespace of the CNI agent and ztunnel; OpenShift lets privileged pods run in kube-system only."""
    return "kube-system" if target.platform == "openshift" else "istio-system"


def write(path: Path, made: Object) -> Path:
    """Write values as YAML for a tool to read."""
    import yaml

    path.write_text(yaml.safe_dump(made, sort_keys=False))
    path.chmod(0o600)
    return path


def _profile(target: Target, spec: MeshSpec) -> str:
    if spec.dataplane == "kmesh":
        return "minimal"
    return "openshift-ambient" if target.platform == "openshift" else "ambient"


def _pilot(target: Target, spec: MeshSpec) -> Object:
    small = {"autoscaleEnabled": False, **_requests(target, "pilot")} if target.owned else {}
    ambient = {"env": {"PILOT_ENABLE_AMBIENT": "true"}} if spec.dataplane == "kmesh" else {}
    return {**small, **ambient}


def _requests(target: Target, part: str) -> Object:
    return {"resources": {"requests": dict(SMALL[part])}} if target.owned else {}


def _directories(target: Target) -> Object:
    return _some(cniBinDir=target.cni_bin_dir, cniConfDir=target.cni_conf_dir, cniNetnsDir=target.cni_netns_dir)


def _without(names: Sequence[str]) -> Object:
    return {"enableCRDTemplates": True, "excludedCRDs": list(names)}


def _some(**entries: object) -> Object:
    return {key: value for key, value in entries.items() if value}
