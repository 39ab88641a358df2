"""Second evidence: what ztunnel and the waypoint themselves say about a request that curl made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import NotInTime
from pytest_ambient.probe.accesslog import Connection, Request
from pytest_ambient.probe.config import allows_at_ztunnel, policies_at_waypoint
from pytest_ambient.probe.gateways import Entry
from pytest_ambient.probe.ledger import Ledger, Seen, passed_on, request_of
from pytest_ambient.probe.logs import Logs, Proxy
from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.outcome import PROXY_SERVERS, UPSTREAM_ERROR, Outcome, Witness

SILENT = "its own 403, by its configuration: it writes no access log"


@dataclass(frozen=True)
class Asked:
    """One request, what curl saw of it, and what is left to find: who else saw it."""

    call: Call
    outcome: Outcome


class Witnesses:
    """Asks the proxies; `forget` what they said of their configuration whenever a manifest comes or goes."""

    def __init__(self, logs: Logs, within: float, *, silent: bool = False) -> None:
        self.logs, self.within, self._silent = logs, within, silent
        self._mute: set[str] = set()
        self._spent: set[str] = set()
        """Lines that have testified: ports are used again, a line never speaks of a second connection."""

    def forget(self) -> None:
        """Lets configurations be read anew."""
        self.logs.forget()

    def close(self) -> None:
        """Ends the threads."""
        self.logs.close()

    def attest(self, asked: Sequence[Asked], started: float, among: Sequence[Asked] = ()) -> list[Outcome]:
        """The outcomes of a round that began at `started` (our clock), with a proxy's word where one came in time.

        `among` are all requests of the round, those of one caller in their order. Where the data plane's proxies are
        `silent` there is nothing to wait for.
        """
        if self._silent:
            return [one.outcome for one in asked]

        def look() -> list[tuple[Outcome, set[str]]] | NotYet:
            found = self._look(asked, started, among)
            missing = sum(outcome.witness is None for outcome, _ in found)
            return found if not missing else NotYet(f"no line about {missing} of {len(found)} connections")

        try:
            found = until(look, what="the proxies' words", within=self.within)
        except NotInTime:
            found = self._look(asked, started, among, last=True)
        for _, lines in found:
            self._spent |= lines
        return [outcome for outcome, _ in found]

    def _look(
        self, asked: Sequence[Asked], started: float, among: Sequence[Asked], *, last: bool = False
    ) -> list[tuple[Outcome, set[str]]]:
        """The outcomes with their witnesses, and the lines that these came from."""
        read = self.logs.connections({one.outcome.local_ip for one in asked}, started, everywhere=last)
        read = [(proxy, line) for proxy, line in read if line.line not in self._spent]
        origin = {line.line: proxy for proxy, line in read}
        ledger = Ledger((line for _, line in read), [(one.call, one.outcome) for one in among])
        seen = [ledger.seen(one.call, one.outcome) for one in asked]
        lines = self.logs.requests((one.waypoint for one in seen if one.waypoint), started)
        found = []
        for one, ends in zip(asked, seen, strict=True):
            waypoint, request = ends.waypoint, None
            gateway = self.logs.gateways.at(one.outcome.remote_ip) if one.outcome.status in (403, 503) else None
            if gateway is not None:
                word = self._past(gateway, one, ledger, started, origin)
                word = word or (self._ztunnel(ends, origin) if last else None)
            elif waypoint is None:
                word = self._ztunnel(ends, origin) or self._past_sidecar(one.outcome, ends, ledger, origin)
            else:
                request = request_of(one.call, one.outcome, ends, lines[waypoint])
                word = self._through(waypoint, one.outcome, ends, request, ledger, origin)
                if word is None and (last or waypoint in self._mute) and self._own_denial(one.outcome):
                    self._mute.add(waypoint)
                    word = self._configured(waypoint, ends)
            found.append((replace(one.outcome, witness=word, records=_records(ends, request)), ends.lines))
        return found

    def _ztunnel(self, ends: Seen, origin: dict[str, Proxy]) -> Witness | None:
        if ends.inbound is not None:
            return self._attached(spoken(ends.inbound), ends.inbound, origin)
        out = ends.outbound
        if out is None or "401" in out.error or (out.tunnelled and not out.error):
            return None  # the other end's line is still to come
        return spoken(out)

    def _through(
        self,
        waypoint: str,
        outcome: Outcome,
        ends: Seen,
        request: Request | None,
        ledger: Ledger,
        origin: dict[str, Proxy],
    ) -> Witness | None:
        out = ends.outbound
        if out is None:
            return None
        ended = not outcome.status or (outcome.status == 503 and outcome.body.startswith(UPSTREAM_ERROR))
        if ended and not (request is not None and request.denied):
            refusal = ledger.refusal_of(waypoint, out.at)
            if refusal is not None:
                return replace(self._attached(spoken(refusal), refusal, origin), source_role="waypoint")
        if request is not None:
            attached = self._policies(waypoint, ends)["ALLOW"] if request.denied and not request.policy else ()
            return served(request, out, attached)
        return spoken(out) if out.error else None

    def _past_sidecar(self, outcome: Outcome, ends: Seen, ledger: Ledger, origin: dict[str, Proxy]) -> Witness | None:
        """What stands behind the 503 of a caller's own sidecar: that calls on, by tunnel, from the caller's address.

        Of a captured pod only the line is late: a refusal of another call of its is no word about this one.
        """
        if ends.outbound is not None or outcome.status != 503 or not outcome.body.startswith(UPSTREAM_ERROR):
            return None
        found = ledger.refusal_from(outcome.local_ip)
        return replace(self._attached(spoken(found), found, origin), source_role="sidecar") if found else None

    def _past(
        self, gateway: Entry, one: Asked, ledger: Ledger, started: float, origin: dict[str, Proxy]
    ) -> Witness | None:
        """What stands behind an ingress gateway's answer: its identity refused, or the request by a waypoint."""
        if one.outcome.status == 503:
            refusal = ledger.refusal_of_any(gateway.pods)
            if refusal is None:
                return None
            return replace(self._attached(spoken(refusal), refusal, origin), source_role="gateway")
        for waypoint, lines in self.logs.requests(self.logs.gateways.waypoints(), started).items():
            if request := passed_on(one.call, one.outcome, gateway.ips, lines):
                place = (request.cluster.rpartition("|")[2], request.address.rpartition(":")[2])
                allows = () if request.policy else self._configuration(waypoint, place)["ALLOW"]
                word: Literal["refused", "allowed"] = "refused" if request.denied else "allowed"
                return Witness("waypoint", word, request.details, request.policy, allows, line=request.line)
        return None

    def _attached(self, witness: Witness, line: Connection, origin: dict[str, Proxy]) -> Witness:
        """For an ALLOW that did not match: which ALLOW policies ztunnel has for the destination."""
        if not line.rejected or line.policy is not None:
            return witness
        ztunnel = origin[line.line]
        attached = allows_at_ztunnel(self.logs.dump(ztunnel), line.destination_workload)
        if not attached:  # read before the policy came
            attached = allows_at_ztunnel(self.logs.dump(ztunnel, fresh=True), line.destination_workload)
        return replace(witness, attached=attached)

    def _policies(self, waypoint: str, ends: Seen) -> dict[str, tuple[str, ...]]:
        out = ends.outbound
        if out is None:
            return {"ALLOW": (), "DENY": ()}
        return self._configuration(waypoint, (out.service, out.tunnelled.rpartition(":")[2]))

    def _configuration(self, waypoint: str, place: tuple[str, str]) -> dict[str, tuple[str, ...]]:
        """The policies that a waypoint has for a Service's port."""
        proxy = Proxy(*waypoint.split("/", 1))
        found = policies_at_waypoint(self.logs.dump(proxy), *place)
        return found if any(found.values()) else policies_at_waypoint(self.logs.dump(proxy, fresh=True), *place)

    def _configured(self, waypoint: str, ends: Seen) -> Witness | None:
        """The word of a waypoint without access log, when its configuration leaves one possibility."""
        policies = self._policies(waypoint, ends)
        allow, deny = policies["ALLOW"], policies["DENY"]
        if bool(allow) == bool(deny) or len(deny) > 1:
            return None
        return Witness("waypoint", "refused", SILENT, deny[0] if deny else None, allow)

    def _own_denial(self, outcome: Outcome) -> bool:
        return outcome.status == 403 and not outcome.behind_proxy and outcome.header("server") in PROXY_SERVERS


def _records(ends: Seen, request: Request | None) -> dict[str, Mapping[str, str]]:
    """What was written about a request, by whom."""
    written = {"outbound": ends.outbound, "inbound": ends.inbound, "waypoint": request}
    return {name: line.fields for name, line in written.items() if line is not None}


def spoken(line: Connection) -> Witness:
    """What ztunnel said of a connection."""
    verdict: Literal["allowed", "refused", "failed"] = "failed" if line.error else "allowed"
    identities = (line.source_identity, line.destination_identity)
    return Witness(
        "ztunnel", "refused" if line.rejected else verdict, line.error, line.policy, (), *identities, line.line
    )


def served(request: Request, out: Connection, attached: tuple[str, ...]) -> Witness:
    """What a waypoint said of a request, or of a connection."""
    verdict: Literal["allowed", "failed"] = "allowed" if request.passed else "failed"
    identities = (out.source_identity, out.destination_identity)
    words = ("refused" if request.denied else verdict, request.details or request.flags, request.policy, attached)
    return Witness("waypoint", *words, *identities, request.line)
