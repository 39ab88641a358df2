"""Which pods ambient mode has: told by what redirects, and by ztunnel where there is one."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from pytest_ambient._kube import Kube
from pytest_ambient.errors import KubeError
from pytest_ambient.mesh.dataplane import ZTUNNEL, Dataplane


@dataclass(frozen=True)
class Capture:
    """One pod and whether ambient mode has it."""

    pod: str
    """`NAMESPACE/NAME`."""
    annotation: str
    """The word of what redirects (the CNI agent, Kmesh): `enabled`, `pending` or empty."""
    protocol: str
    """ztunnel's word: `HBONE` or `TCP`; empty when it doesn't know the pod or can't be asked."""
    doubt: str = ""
    """Why no ztunnel could be asked; empty when one answered, or when there is none."""
    hbone: bool = True
    """Whether the data plane tunnels over HBONE; where it does not the annotation is all there is."""

    @property
    def complete(self) -> bool:
        """Whether all that can be asked say that ambient mode has the pod."""
        return self.annotation == "enabled" and (self.protocol == "HBONE" or not self.hbone)

    def __str__(self) -> str:
        said = f"{self.pod}: annotation {self.annotation or 'absent'}"
        return f"{said}, ztunnel says {self.protocol or 'nothing'}" if self.hbone else said


def captured(kube: Kube, namespaces: Iterable[str], dataplane: Dataplane = ZTUNNEL) -> tuple[Capture, ...]:
    """Every pod of some namespaces that is not about to go, and whether it is captured."""
    protocols, doubt = _protocols(kube) if dataplane.hbone else ({}, "")
    found = []
    for namespace in namespaces:
        for pod in kube.list("v1/Pod", namespace):
            meta = pod["metadata"]
            if "deletionTimestamp" not in meta:
                key = f"{namespace}/{meta['name']}"
                annotation = (meta.get("annotations") or {}).get(dataplane.annotation, "")
                found.append(Capture(key, annotation, protocols.get(key, ""), doubt, dataplane.hbone))
    return tuple(found)


def _protocols(kube: Kube) -> tuple[dict[str, str], str]:
    """`HBONE` or `TCP` by `NAMESPACE/POD`, from a ztunnel's workload list, or why none was to be had.

    Every ztunnel knows all pods.
    """
    doubt = ""
    for pod in kube.list("v1/Pod", labels=ZTUNNEL.label, fields="status.phase=Running"):
        meta = pod["metadata"]
        try:
            dump = json.loads(kube.pod_http(meta["namespace"], meta["name"], 15000, "/config_dump"))
        except (KubeError, ValueError) as error:
            doubt = f"{meta['namespace']}/{meta['name']}: {error}"
            continue
        workloads = dump.get("workloads") or []
        entries = workloads.values() if isinstance(workloads, dict) else workloads
        known = {f"{entry.get('namespace')}/{entry.get('name')}": str(entry.get("protocol", "")) for entry in entries}
        return known, ""
    return {}, doubt
