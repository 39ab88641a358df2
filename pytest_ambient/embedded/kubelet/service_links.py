"""The variables by which a container finds Services, as Docker's links once named them."""

from ..api.store import Store, find
from ..objects import Object, name_of, namespace_of

_SERVICE = find("Service")


def service_links(store: Store, pod: Object) -> dict[str, str]:
    """Those of the API's own Service, and of the namespace's unless the pod wants none."""
    mine = store.list(_SERVICE, namespace_of(pod)) if pod["spec"].get("enableServiceLinks", True) else []
    own = store.get(_SERVICE, "kubernetes", "default")
    found: dict[str, str] = {}
    for each in (*([own] if own else []), *mine):
        if each["spec"].get("clusterIP", "None") not in ("", "None"):
            found |= _of(each)
    return found


def _of(service: Object) -> dict[str, str]:
    word, address = name_of(service).upper().replace("-", "_"), str(service["spec"]["clusterIP"])
    ports = service["spec"].get("ports") or ()
    if not ports:
        return {}
    first = ports[0]
    found = {f"{word}_SERVICE_HOST": address, f"{word}_SERVICE_PORT": str(first["port"])}
    for each in ports:
        if each.get("name"):
            found[f"{word}_SERVICE_PORT_{each['name'].upper().replace('-', '_')}"] = str(each["port"])
    found[f"{word}_PORT"] = _url(first, address)
    for each in ports:
        stem = f"{word}_PORT_{each['port']}_{each.get('protocol', 'TCP')}"
        found |= {
            stem: _url(each, address),
            f"{stem}_PROTO": str(each.get("protocol", "TCP")).lower(),
            f"{stem}_PORT": str(each["port"]),
            f"{stem}_ADDR": address,
        }
    return found


def _url(port: Object, address: str) -> str:
    return f"{str(port.get('protocol', 'TCP')).lower()}://{address}:{port['port']}"
