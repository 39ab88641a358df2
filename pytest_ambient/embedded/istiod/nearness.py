"""How near to its callers a Service wants its endpoints: its internal traffic policy and traffic distribution."""

from collections.abc import Iterable, Mapping

from ..objects import Object, annotations_of, labels_of, name_of
from .service_model import Locality, Nearness
from .view import spec_of

DISTRIBUTION = "networking.istio.io/traffic-distribution"
_WISHES: Mapping[str, Nearness] = {"preferclose": "zone", "prefersamezone": "zone", "prefersamenode": "node"}
_SCOPES = tuple(f"topology.{kind}" for kind in ("kubernetes.io/region", "kubernetes.io/zone", "istio.io/subzone"))


def nearness(service: Object, *annotated: Object) -> Nearness:
    """What the Service says in its fields, else by an annotation, of which Istio alone knows, the first of these."""
    spec = spec_of(service)
    if spec.get("internalTrafficPolicy") == "Local":
        return "own-node"
    if said := _WISHES.get(str(spec.get("trafficDistribution", "")).lower()):
        return said
    wishes = (annotations_of(each).get(DISTRIBUTION) for each in annotated)
    return _WISHES.get(next((each.lower() for each in wishes if each), ""), "anywhere")


def localities(nodes: Iterable[Object]) -> Mapping[str, Locality]:
    """Region, zone and subzone of each node that has any."""
    found = {name_of(each): tuple(labels_of(each).get(scope, "") for scope in _SCOPES) for each in nodes}
    return {node: (where[0], where[1], where[2]) for node, where in found.items() if any(where)}
