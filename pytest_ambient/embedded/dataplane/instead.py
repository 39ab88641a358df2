"""Faults under which policies only judge: what happens in place of a denial to whom they would deny."""

from ..faults import WOULD_DENY, Fault
from ..objects import Object
from .xds import part


def unavailable(body: str) -> Object:
    """The fault `unavailable-not-denied`: the request finds no service; the filter goes behind those that judge."""
    return _judged(denied=f'request:respond({{[":status"] = "503"}}, "{body}")')


def at_waypoint(faults: frozenset[Fault]) -> Object | None:
    """The filter that acts in place of a waypoint's denials, behind those that judge; None when it really denies."""
    if Fault.UNAVAILABLE_NOT_DENIED in faults:
        return unavailable("no healthy upstream")
    if Fault.APPLICATION_MAKES_403 in faults:
        name, value = WOULD_DENY
        told = f'request:headers():replace("{name}", "{value}")'
        return _judged(denied=told, first=f'request:headers():remove("{name}")')
    return None


def _judged(*, denied: str, first: str = "") -> Object:
    script = f"""
    function envoy_on_request(request)
      {first}
      local judged = request:streamInfo():dynamicMetadata():get("envoy.filters.http.rbac") or {{}}
      if judged["deny_shadow_engine_result"] == "denied" or judged["allow_shadow_engine_result"] == "denied" then
        {denied}
      end
    end
    """
    return part("instead", "extensions.filters.http.lua.v3.Lua", default_source_code={"inline_string": script})
