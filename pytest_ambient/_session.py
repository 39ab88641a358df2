"""What one pytest process knows of its run: settings, role, cluster or why there is none; how it gets and loses it."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ambient import _stop, _xdist
from pytest_ambient.errors import BringUpFailed
from pytest_ambient.settings import Settings

if TYPE_CHECKING:
    from pytest_ambient.cluster.lifecycle import Lifecycle
    from pytest_ambient.cluster.provider import Cluster, ClusterSpec
    from pytest_ambient.report.results import Results

UNASKED = (
    "no collected test names ambient_cluster or has the marker ambient: under xdist the cluster comes up before the "
    "first test, so name it by either"
)
DEALT = "--ambient-lanes says nothing beside -n: each worker is a lane"
BENCH = "the embedded mesh is a test bench, its results say nothing about any other mesh"


@dataclass
class Run:
    """One run as this process sees it; under xdist the controller owns the cluster and workers are told of it."""

    settings: Settings
    role: "_xdist.Role"
    say: Callable[[str], None]
    id: str = field(default_factory=lambda: f"r{os.urandom(4).hex()}")
    cluster: "Cluster | None" = None
    failure: str | None = None
    """Why the cluster did not come up."""
    lifecycle: "Lifecycle | None" = None
    before_us: "_stop.Handlers" = field(default_factory=dict)
    """Who handled requests to stop."""
    began: float = field(default_factory=time.time)
    narrowed: tuple[str, ...] = ()
    """What was said to pytest that leaves tests out."""
    meeting: "_xdist.Meeting | None" = None
    """Where a controller and its workers meet."""

    @property
    def secrets(self) -> frozenset[str]:
        """What nobody must read of this run's credentials."""
        from pytest_ambient import _secrets

        return _secrets.known(self.settings.kubeconfig, self.cluster.kubeconfig if self.cluster else None)

    @property
    def owner(self) -> bool:
        """Whether this process brings the cluster up and lets it go."""
        return self.role != "worker"

    def up(self) -> None:
        """Bring the cluster up, once; a failure is kept as text for whoever asks for the cluster.

        A worker learns what has come of it.
        """
        if not self.owner:
            self._hear()
        if not self.owner or self.lifecycle is not None or self.settings.cluster is None:
            return
        from pytest_ambient import _bringup
        from pytest_ambient.cluster.lifecycle import Lifecycle

        plan = _bringup.plan(self.settings, self.spec(), self.id, self.say)
        self.before_us = _stop.heed()
        self.lifecycle = Lifecycle(plan, self.say, _bringup.remover(self.say))
        try:
            self.cluster = self.lifecycle.up()
            if not self.cluster.publishable and self.settings.cluster != "embedded":
                self.say(BENCH)
            for line in self.cluster.notes.splitlines():
                self.say(line)
        except BringUpFailed as error:
            self.failure = str(error)
            self.say(self.failure)

    def down(self, *, failed: bool) -> bool:
        """Undo what `up` did, or keep it, as the settings say; a second call does nothing.

        False when Ctrl-C broke it off: what was left is said, and known to the next run.
        """
        if self.lifecycle is None:
            return True
        lifecycle, self.lifecycle = self.lifecycle, None
        before, self.before_us = self.before_us, {}
        _stop.ignore(before)
        try:
            lifecycle.down(failed=failed)
            if self.cluster is not None:
                from pytest_ambient import _asking

                _asking.end_turns(self.cluster)
        except KeyboardInterrupt:
            return False
        finally:
            _stop.restore(before)
        return True

    def check(self) -> None:
        """Misuse, or ProviderError for a provider that does not load, when the settings cannot work."""
        from pytest_ambient import _checks

        _checks.check(self.settings, self.spec)

    def invite(self) -> "_xdist.Object":
        """What a worker must know of the run as it starts."""
        self.meeting = self.meeting or _xdist.Meeting()
        return {"run": self.id, "meeting": str(self.meeting.folder)}

    def attend(self, word: "_xdist.Object") -> None:
        """Take over, as a worker, what the controller said."""
        self.id, self.meeting = word["run"], _xdist.Meeting(Path(word["meeting"]))

    def ask(self) -> None:
        """Say, as a worker, that a test will need the cluster."""
        if self.meeting is not None:
            self.meeting.ask()

    def answer(self) -> None:
        """Bring the cluster up, as a controller, if a worker has asked for it; all learn what has come of it."""
        if self.meeting is None or not self.meeting.asked or self.lifecycle is not None:
            return
        self.up()
        self.meeting.answer({"cluster": self.cluster and self.cluster.to_json(), "failure": self.failure})

    def part(self) -> None:
        """End the meeting, as a controller."""
        if self.owner and self.meeting is not None:
            self.meeting.end()

    def _hear(self) -> None:
        word = self.meeting.heard() if self.meeting is not None else None
        if word is None:
            self.failure = UNASKED
            return
        self.failure = word["failure"]
        if word["cluster"]:
            from pytest_ambient.cluster.provider import Cluster

            self.cluster = Cluster.from_json(word["cluster"])

    def results(self) -> "Results":
        """What collects the results of this run, and writes them where the settings say."""
        from pytest_ambient.report.artifacts import Artifacts
        from pytest_ambient.report.results import Results

        folder, when = self.settings.report, self.settings.artifacts
        results = Results(folder, self.say, self.facts)
        if folder is not None and when != "off":
            results.keep = Artifacts(folder / "artifacts", self.say, always=when == "always").write
        return results

    def facts(self) -> "_xdist.Object":
        """The run in plain values, for the first line of a file of results."""
        from pytest_ambient import _heading

        return _heading.head(self)

    def header(self) -> list[str]:
        """The lines for the head of a report."""
        bench = [f"ambient: {BENCH}"] if self.settings.cluster == "embedded" else []
        return [*self.settings.header(), *bench, *(f"ambient: {line}" for line in self.warnings)]

    @property
    def warnings(self) -> list[str]:
        """What is unusual in what was asked for, and does not keep anything from running."""
        if self.settings.cluster is None:
            return []
        from pytest_ambient import matrix

        said = matrix.untested(self.settings)
        dealt = self.role == "controller" and self.settings.lanes is not None
        return [*([f"{said}: it runs all the same"] if said else []), *([DEALT] if dealt else [])]

    def spec(self) -> "ClusterSpec":
        """The cluster that the settings ask for."""
        from pytest_ambient import _bringup

        owner = os.getpid() if self.settings.keep == "never" else None
        return _bringup.cluster_spec(self.settings, self.settings.name or self.id, owner)
