"""Whether pods of ours can have a sidecar, and how sidecars take calls: asked by a pod that is never made."""

from collections.abc import Iterable

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import Forbidden, KubeError, NotFound, ServerGone
from pytest_ambient.manifest import INJECT, REVISION, sidecar_of
from pytest_ambient.mesh import meshwide
from pytest_ambient.mesh.images import CURL, own

HOOKS = ("admissionregistration.k8s.io/v1/MutatingWebhookConfiguration", "app=sidecar-injector")
"""Injectors, of every revision and tag."""
UNASKED = "auto."
"""How the name of a webhook begins that gives sidecars to pods that say nothing (enableNamespacesByDefault)."""
RUN_LABEL = "pytest-ambient/run"
TUNNEL = "networking.istio.io/tunnel"
"""The label that the injector gives pods whose sidecars listen for HBONE, as in the ambient profile."""
PLAIN = "ISTIO_META_DISABLE_HBONE_SEND"
"""What makes a sidecar call pods of ambient mode as if they were of no mesh."""
INJECTED = "sidecar.istio.io/status"
"""The annotation that the injector leaves; by it the CNI agent knows whom to leave alone."""
NAME = "pytest-ambient-would-have-a-sidecar"


def injected(kube: Kube) -> str | None:
    """Why no pod of ours gets a sidecar that reaches the mesh; None when one does."""
    made = _made(kube)
    if isinstance(made, str):
        return made
    environment = (sidecar_of(made) or {}).get("env") or ()
    if any(one.get("name") == PLAIN and str(one.get("value")).lower() == "true" for one in environment):
        return f"sidecars send no HBONE: they are injected with {PLAIN}=true"
    return _narrowed(kube)


def tunnelled(kube: Kube) -> str | None:
    """Why sidecars are not called through tunnels, so that no identity reaches them from ambient mode."""
    made = _made(kube)
    if isinstance(made, str):
        return made
    told = (made["metadata"].get("labels") or {}).get(TUNNEL)
    return None if told == "http" else f"sidecars take no HBONE: the injector gives pods no label {TUNNEL}"


def unasked(kube: Kube) -> bool:
    """Whether pods that say nothing get sidecars in namespaces that say nothing; False when nobody may look."""
    try:
        return _unasked(_hooks(kube))
    except Forbidden:
        return False


def _hooks(kube: Kube) -> list[Object]:
    return kube.list(HOOKS[0], labels=HOOKS[1])


def _unasked(hooks: Iterable[Object]) -> bool:
    return any(str(one["name"]).startswith(UNASKED) for item in hooks for one in item.get("webhooks") or ())


def _made(kube: Kube) -> Object | str:
    """A pod with a sidecar, as the API server would take it if it were no dry run; or why there is none."""
    hooks = _hooks(kube)
    if not hooks:
        return "no sidecar injector"
    if _unasked(hooks):
        return "pods get sidecars unasked (enableNamespacesByDefault), so namespaces of ours are kept from the injector"
    namespace = _place(kube)
    try:
        pod = kube.rehearse(_pod(namespace, meshwide.read(kube).revision))
    except ServerGone:
        raise
    except KubeError as error:
        return f"no pod with a sidecar would be admitted to namespace {namespace}: {error}"
    return pod if sidecar_of(pod) else f"a pod of namespace {namespace} that asks for a sidecar would get none"


def _place(kube: Kube) -> str:
    """A namespace of a run's own where there is one already, as admission may differ from one to the other."""
    ours = sorted(
        item["metadata"]["name"]
        for item in kube.list("v1/Namespace", labels=RUN_LABEL)
        if "deletionTimestamp" not in item["metadata"]
    )
    return ours[0] if ours else "default"


def _pod(namespace: str, revision: str) -> Object:
    """As small as a pod can be, and with all that restricted pod security asks."""
    labels = {INJECT: "true", **({REVISION: revision} if revision else {})}
    container: Object = {
        "name": "curl",
        "image": own(CURL, version=None),
        "command": ["sleep", "infinity"],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": NAME, "namespace": namespace, "labels": labels},
        "spec": {"containers": [container]},
    }


def _narrowed(kube: Kube) -> str | None:
    """What others decided for the calls of all sidecars; nothing where this user may not look."""
    root = meshwide.read(kube).root
    try:
        found = kube.list("networking.istio.io/v1/Sidecar", root)
    except (NotFound, Forbidden):
        return None
    for item in found:
        spec = item.get("spec") or {}
        reached = [host for egress in spec.get("egress") or () for host in egress.get("hosts") or ()]
        if reached and "*/*" not in reached and not spec.get("workloadSelector"):
            return f"Sidecar {root}/{item['metadata']['name']} keeps sidecars of all namespaces from our Services"
    return None
