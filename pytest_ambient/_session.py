"""What one pytest process knows of its run: settings, role, cluster or why there is none; how it gets and loses it."""

import os
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pytest_ambient import _stop, _xdist
from pytest_ambient.errors import AmbientError, BringUpFailed
from pytest_ambient.options import TABLE
from pytest_ambient.settings import Settings, settle

if TYPE_CHECKING:
    from pytest_ambient.cluster.lifecycle import Lifecycle
    from pytest_ambient.cluster.provider import Cluster, ClusterSpec
    from pytest_ambient.report.results import Results

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
        """Bring the cluster up, once; a failure is kept as text for whoever asks for the cluster."""
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

    def down(self, *, failed: bool) -> None:
        """Undo what `up` did, or keep it, as the settings say; a second call does nothing."""
        if self.lifecycle is None:
            return
        lifecycle, self.lifecycle = self.lifecycle, None
        before, self.before_us = self.before_us, {}
        _stop.ignore(before)
        try:
            lifecycle.down(failed=failed)
        finally:
            _stop.restore(before)

    def check(self) -> None:
        """Misuse, or ProviderError for a provider that does not load, when the settings cannot work."""
        from pytest_ambient import _checks

        _checks.check(self.settings, self.spec)

    def word(self) -> "_xdist.Object":
        """What a worker must know of the run."""
        return {"run": self.id, "cluster": self.cluster and self.cluster.to_json(), "failure": self.failure}

    def learn(self, word: "_xdist.Object") -> None:
        """Take over what the controller said."""
        if word.get("cluster"):
            from pytest_ambient.cluster.provider import Cluster

            self.cluster = Cluster.from_json(word["cluster"])
        self.id, self.failure = word.get("run", self.id), word.get("failure")

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
        from pytest_ambient import _reporting

        return _reporting.head(self)

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
        return [f"{said}: it runs all the same"] if said else []

    def spec(self) -> "ClusterSpec":
        """The cluster that the settings ask for."""
        from pytest_ambient import _bringup

        owner = os.getpid() if self.settings.keep == "never" else None
        return _bringup.cluster_spec(self.settings, self.settings.name or self.id, owner)


def begin(config: pytest.Config) -> Run:
    """Settle and check what this process is asked for; UsageError, one line, when it is wrong."""
    role = _xdist.role(config)
    folder = config.inipath.parent if config.inipath else config.rootpath
    ini = {option.ini: config.getini(option.ini) for option in TABLE}
    try:
        run = Run(settle(vars(config.option), os.environ, ini, folder), role, _teller(config))
        run.narrowed = narrowed(config)
        if role == "worker":
            run.learn(_xdist.told(config))
        else:
            run.check()
    except AmbientError as error:
        raise pytest.UsageError(str(error)) from None
    return run


def narrowed(config: pytest.Config) -> tuple[str, ...]:
    """What was said to pytest that leaves tests out, or runs them until they pass."""
    option = config.option
    said = [f"-k {option.keyword!r}"] if getattr(option, "keyword", "") else []
    said += [f"-m {option.markexpr!r}"] if getattr(option, "markexpr", "") else []
    said += [f"--deselect {one}" for one in getattr(option, "deselect", None) or ()]
    said += [f"--ignore {one}" for one in getattr(option, "ignore", None) or ()]
    said += ["--last-failed"] if getattr(option, "lf", False) else []
    said += [f"--reruns {option.reruns}"] if getattr(option, "reruns", None) else []
    return (*said, *(f"only {one}" for one in config.args if "::" in one))


def _teller(config: pytest.Config) -> Callable[[str], None]:
    """Says a line on the terminal of the process that has one, whatever is captured at that moment."""

    def say(line: str) -> None:
        from pytest_ambient.redact import redacted

        terminal = config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None:
            return
        capture = config.pluginmanager.get_plugin("capturemanager")
        # a terminal that has gone must not keep the run from undoing what it did
        with suppress(OSError), capture.global_and_fixture_disabled() if capture else nullcontext():
            terminal.ensure_newline()
            # ... which knows nothing of a line that progress has begun under xdist
            if config.get_terminal_writer().width_of_current_line:
                terminal.line("")
            terminal.write_line(f"ambient: {redacted(line)}")

    return say
