"""Traces of the whole mesh sent to Jaeger: a provider in istiod's configuration and a Telemetry that uses it."""

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import InstallerError
from pytest_ambient.mesh import owned
from pytest_ambient.mesh.bookinfo import INSTALLER

PROVIDER = "jaeger"
"""The extension provider that leads to Jaeger, as Istio's own pages call it."""
PORT = 4317
"""Where Jaeger's collector takes OTLP over gRPC."""
BEFORE = "pytest-ambient/mesh-before-tracing"
"""The annotation that keeps istiod's configuration as it was."""
OURS = "pytest-ambient/tracing-of"
"""The annotation that says which run changed it."""


def switch_on(kube: Kube, root: str, run: str, part: str) -> None:
    """Send every request's trace to Jaeger; a provider of that name that is there already is used as it is."""
    found = _configuration(kube, root)
    name, text = found["metadata"]["name"], str((found.get("data") or {}).get("mesh", ""))
    changed = with_provider(text, root)
    if changed != text:
        notes = {BEFORE: text, OURS: run}
        patch = {"metadata": {"annotations": notes}, "data": {"mesh": changed}}
        kube.patch("v1/ConfigMap", name, root, patch, field_manager=INSTALLER)
    owned.put(kube, _telemetry(root), run, part)


def switch_off(kube: Kube, root: str, run: str) -> None:
    """Give istiod its configuration back, without touching what others changed in it meanwhile."""
    found = _configuration(kube, root)
    notes = found["metadata"].get("annotations") or {}
    if notes.get(OURS) != run:
        return
    before, text = notes.get(BEFORE, ""), str((found.get("data") or {}).get("mesh", ""))
    mesh = before if text == with_provider(before, root) else without_provider(text)
    patch = {"metadata": {"annotations": {BEFORE: None, OURS: None}}, "data": {"mesh": mesh}}
    kube.patch("v1/ConfigMap", found["metadata"]["name"], root, patch, field_manager=INSTALLER)


def with_provider(mesh: str, root: str) -> str:
    """The configuration with Jaeger in it; as it is when it has a provider of that name."""
    config = _parsed(mesh)
    providers = list(config.get("extensionProviders") or [])
    if any(one.get("name") == PROVIDER for one in providers):
        return mesh
    service = {"service": f"jaeger-collector.{root}.svc.cluster.local", "port": PORT}
    providers.append({"name": PROVIDER, "opentelemetry": service})
    return _text({**config, "enableTracing": True, "extensionProviders": providers})


def without_provider(mesh: str) -> str:
    """The configuration without Jaeger."""
    config = _parsed(mesh)
    left = [one for one in config.get("extensionProviders") or [] if one.get("name") != PROVIDER]
    rest = {key: value for key, value in config.items() if key != "extensionProviders"}
    return _text({**rest, "extensionProviders": left} if left else rest)


def _telemetry(root: str) -> Object:
    return {
        "apiVersion": "telemetry.istio.io/v1",
        "kind": "Telemetry",
        "metadata": {"name": "pytest-ambient-tracing", "namespace": root},
        "spec": {"tracing": [{"providers": [{"name": PROVIDER}], "randomSamplingPercentage": 100}]},
    }


def _configuration(kube: Kube, root: str) -> Object:
    """istiod's ConfigMap; that of a revision has the revision's name."""
    found = [item for item in kube.list("v1/ConfigMap", root) if "mesh" in (item.get("data") or {})]
    named = [item for item in found if item["metadata"]["name"].partition("-")[0] == "istio"]
    if len(named) != 1:
        names = ", ".join(item["metadata"]["name"] for item in named) or "none"
        raise InstallerError(f"addon jaeger: one configuration of istiod is needed in {root}, there are {names}")
    return named[0]


def _parsed(mesh: str) -> Object:
    import yaml

    config = yaml.safe_load(mesh)
    return config if isinstance(config, dict) else {}


def _text(config: Object) -> str:
    import yaml

    return str(yaml.safe_dump(config, sort_keys=False))
