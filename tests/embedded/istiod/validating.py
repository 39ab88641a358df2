"""Objects that tests create, and how they are refused."""

import pytest

from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.store import Store, find
from pytest_ambient.embedded.istiod.validate import guard
from pytest_ambient.embedded.istiod.view import GATEWAY_API, SECURITY, TELEMETRY
from pytest_ambient.embedded.objects import Object

from .world import policy, waypoint_objects

GROUPS = {
    **dict.fromkeys(("AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"), SECURITY),
    "Telemetry": TELEMETRY,
}
SERVICE: Object = {"group": "", "kind": "Service", "name": "reviews"}


def create(item: Object) -> Object:
    """The object as a guarded store keeps it."""
    store = Store()
    guard(store)
    return store.create(find(item["kind"], GROUPS.get(item["kind"], GATEWAY_API)), item)


def refusal(item: Object) -> ApiError:
    """The error with which a guarded store refuses the object."""
    with pytest.raises(ApiError) as caught:
        create(item)
    return caught.value


def rules(*parts: Object, action: str = "ALLOW", **more: object) -> Object:
    """An AuthorizationPolicy named p with those rules."""
    return policy("p", {"action": action, "rules": list(parts), **more})


def custom(*parts: Object, **more: object) -> Object:
    """One that leaves it to an authorizer."""
    return rules(*parts, action="CUSTOM", **{"provider": {"name": "x"}, **more})


def gateway(**spec: object) -> Object:
    """A waypoint Gateway with other fields."""
    item = waypoint_objects()[0]
    item["spec"] |= spec
    return item


def authentication(**rule: object) -> Object:
    """A RequestAuthentication with one rule."""
    return policy("jwt", {"jwtRules": [{"issuer": "x", **rule}]}) | {"kind": "RequestAuthentication"}
