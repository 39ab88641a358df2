"""What a waypoint or an ingress gateway does with traffic beside sending it on: tokens, policies, the access log."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..faults import Fault
from ..istiod.model import Authorizer, L7Policy, Mesh, RateLimit, TokenRule, Tracer, Waypoint
from ..objects import Object
from .custom import custom_filters, custom_refusals
from .instead import at_waypoint
from .rbac import rules
from .tokens import token_filters
from .xds import access_log, holding, part

QUIET = "unlogged "
"""How a line begins that is counted but not logged."""
AGAIN = "uncounted "
"""How a line begins that is logged but not counted, as another is for the same request."""


@dataclass(frozen=True)
class Checks:
    """For one destination of a waypoint, or for all that a gateway lets in."""

    policies: Sequence[L7Policy] = ()
    tokens: Sequence[TokenRule] = ()
    logged: str | None = ""
    """Of which requests the access log tells: those for which this holds, in CEL; empty for all, None for none."""
    authorizers: Mapping[str, Authorizer] = field(default_factory=dict)
    faults: frozenset[Fault] = frozenset()
    limits: Sequence[RateLimit] = ()
    tracer: Tracer | None = None
    """Where spans go."""

    @classmethod
    def of(cls, mesh: Mesh, waypoint: Waypoint | None, service: str, faults: frozenset[Fault]) -> "Checks":
        """Those of a waypoint for a Service, or without one for what it does for pods."""
        if waypoint is None:
            return cls(faults=faults)
        policies = (*waypoint.policies, *mesh.service_policies.get(service, ()))
        tokens = (*waypoint.tokens, *mesh.service_tokens.get(service, ()))
        key = f"Service/{service}" if service else f"Gateway/{waypoint.key}"
        ignored = Fault.TELEMETRY_IGNORED in faults
        logged = None if key in mesh.unlogged else mesh.log_filters.get(key, "")
        tracer = None if ignored else mesh.tracers.get(key)
        limits = () if Fault.RATE_LIMITS_IGNORED in faults else waypoint.limits
        return cls(policies, tokens, "" if ignored else logged, mesh.authorizers, faults, limits, tracer)

    def log(self, line: str, **only: object) -> list[Object]:
        """The access log with such lines, where `only` holds."""
        if self.logged == "":
            return access_log(line, **only)
        found = access_log(f"{QUIET}{line}", **only)
        if self.logged:
            both = [*([only] if only else []), holding(self.logged)]
            found += access_log(f"{AGAIN}{line}", **(both[0] if len(both) == 1 else {"and_filter": {"filters": both}}))
        return found

    def http(self) -> list[Object]:
        """The HTTP filters; where the fault wants that policies only judge, one that acts in their place."""
        name, kind = "envoy.filters.http.rbac", "extensions.filters.http.rbac.v3.RBAC"
        found, instead = rules(self.policies, http=True).items(), at_waypoint(self.faults)
        tokens = token_filters(self.tokens, unchecked=Fault.JWT_UNCHECKED in self.faults)
        custom = [] if Fault.EXT_AUTHZ_IGNORED in self.faults else custom_filters(self.policies, self.authorizers)
        tokens = [*custom, *tokens, *(part(name, kind, **each) for each in self._dry_run(http=True))]
        if instead is None:
            return [*tokens, *(part(name, kind, rules=each) for _, each in found)]
        judges = [part(name, kind, shadow_rules=each, shadow_rules_stat_prefix=f"{action}_") for action, each in found]
        return [*tokens, *judges, instead]

    def tcp(self) -> list[Object]:
        """The network filters for what is not HTTP."""
        kind = "extensions.filters.network.rbac.v3.RBAC"
        found = [
            *(("custom", each) for each in custom_refusals(self.policies, self.authorizers)),
            *rules(self.policies, http=False).items(),
        ]
        made: list[Object] = [{"stat_prefix": f"tcp_{name}", "rules": each} for name, each in found]
        made += [{"stat_prefix": "tcp_dry_run", **each} for each in self._dry_run(http=False)]
        return [part("envoy.filters.network.rbac", kind, **each) for each in made]

    def _dry_run(self, *, http: bool) -> Iterator[Object]:
        """What only judges."""
        for action, found in rules(self.policies, http=http, dry_run=True).items():
            yield {"shadow_rules": found, "shadow_rules_stat_prefix": f"istio_dry_run_{action}_"}
