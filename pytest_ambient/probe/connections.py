"""Connections that are opened before a manifest comes, and what became of them when it had taken effect."""

import time
from collections.abc import Mapping
from concurrent.futures import Future

from pytest_ambient.probe.battery import Battery
from pytest_ambient.probe.converge import Track
from pytest_ambient.probe.rounds import Judged
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Judgement, Outlives
from pytest_ambient.verdict.outcome import Observation
from pytest_ambient.verdict.outlives import Connection


class Connections:
    """One connection for each case that expects something of one."""

    def __init__(self, battery: Battery) -> None:
        self._battery = battery
        self._open: dict[str, Future[tuple[Observation, float]]] = {}
        self._applied = 0.0

    def open(self, cases: Mapping[str, Case]) -> None:
        """Open them; by the time that others have been asked a few times they stand."""
        for key, case in cases.items():
            if isinstance(case.expectation, Outlives) and case.source:
                self._open[key] = self._battery.connection(case.source, case.expectation.call, case.expectation.seconds)

    def applied(self) -> None:
        """From this moment on times count."""
        self._applied = time.time()

    def judged(self, key: str, expectation: Outlives, denied: float) -> tuple[Judgement, Track]:
        """The word on one connection; new ones were `denied` so many seconds after the manifest was applied."""
        observed, at = self._open[key].result()
        connection = Connection(observed, at - self._applied)
        judgement = Judgement.of(expectation.fate(connection, denied))
        last = Judged(judgement, observed, self._applied + connection.opened, connection.ended)
        return judgement, Track(attempts=1, alike=1, ended=connection.ended, last=last)
