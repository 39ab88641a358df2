"""CUSTOM policies at a waypoint: whom they are about is judged first, and then an authorizer is asked."""

from collections.abc import Iterable, Mapping, Sequence

from ..istiod.model import Authorizer, L7Policy, Mesh
from ..objects import Object
from .names import upstream
from .rbac import entries
from .xds import part

RBAC = "envoy.filters.http.rbac"
TIMEOUT = "600s"
_MARK = "istio-ext-authz"
_STAT = "istio_ext_authz_"
_REFUSED = "-deny-due-to-bad-CUSTOM-action"


def custom_filters(policies: Sequence[L7Policy], known: Mapping[str, Authorizer]) -> list[Object]:
    """A filter that judges and one that asks the provider; where it is not known, or not the only one, all is refused.

    Istio takes several only with PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS, which is off.
    """
    found: list[Object] = []
    for provider in sorted(_providers(policies)):
        named = _named(policies, provider, http=True)
        kind = "extensions.filters.http.rbac.v3.RBAC"
        if provider in _unasked(policies, known):
            found.append(part(RBAC, kind, rules=_refusing(named)))
            continue
        judged = {"action": "DENY", "policies": named}
        found.append(part(RBAC, kind, shadow_rules=judged, shadow_rules_stat_prefix=_STAT))
        found.append(_asking(provider, known[provider]))
    return found


def custom_refusals(policies: Sequence[L7Policy], known: Mapping[str, Authorizer]) -> list[Object]:
    """RBAC rules for plain TCP: of a provider that is asked, which speaks HTTP, nothing is wanted there."""
    found = (_named(policies, provider, http=False) for provider in sorted(_unasked(policies, known)))
    return [_refusing(named) for named in found if named]


def _providers(policies: Iterable[L7Policy]) -> set[str]:
    return {each.provider for each in policies if each.action == "CUSTOM"}


def _unasked(policies: Iterable[L7Policy], known: Mapping[str, Authorizer]) -> set[str]:
    """The providers whose policies refuse everybody whom they are about."""
    named = _providers(policies)
    return named if len(named) > 1 else named - known.keys()


def authorizers_of(mesh: Mesh, policies: Iterable[L7Policy]) -> list[Authorizer]:
    """Those whom the policies ask."""
    return [mesh.authorizers[each.provider] for each in policies if each.provider in mesh.authorizers]


def _named(policies: Sequence[L7Policy], provider: str, *, http: bool) -> dict[str, Object]:
    mine = [each for each in policies if each.action == "CUSTOM" and each.provider == provider]
    return {f"{_MARK}-{provider}-{name}": entry for each in mine for name, entry in entries(each, http=http)}


def _refusing(named: Mapping[str, Object]) -> Object:
    return {"action": "DENY", "policies": {f"{name}{_REFUSED}": entry for name, entry in named.items()}}


def _asking(provider: str, authorizer: Authorizer) -> Object:
    cluster = upstream(authorizer.port, "HTTP", authorizer.hostname)
    uri = {"uri": f"http://{authorizer.hostname}", "cluster": cluster, "timeout": TIMEOUT}
    answers = {"allowed_upstream_headers": authorizer.upstream, "allowed_client_headers": authorizer.downstream}
    service: Object = {"server_uri": uri, "authorization_response": {k: _headers(v) for k, v in answers.items() if v}}
    if authorizer.path_prefix:
        service["path_prefix"] = authorizer.path_prefix
    path = [{"key": f"{_STAT}shadow_effective_policy_id"}]
    value = {"string_match": {"prefix": f"{_MARK}-{provider}"}}
    return part(
        "envoy.filters.http.ext_authz",
        "extensions.filters.http.ext_authz.v3.ExtAuthz",
        http_service=service,
        failure_mode_allow=authorizer.fail_open,
        transport_api_version="V3",
        filter_enabled_metadata={"filter": RBAC, "path": path, "value": value},
        **({"allowed_headers": _headers(authorizer.told)} if authorizer.told else {}),
    )


def _headers(names: Iterable[str]) -> Object:
    return {"patterns": [{"exact": each, "ignore_case": True} for each in names]}
