"""One rule against one cluster: its set-up, its states one by one, and everything put back."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ambient._kube import Kube
from pytest_ambient.errors import AmbientError, Misuse
from pytest_ambient.manifest import PROXY_IMAGE, Document, Manifests, read
from pytest_ambient.places import Places
from pytest_ambient.probe.applied import SETUP_MANAGER, Applied, Settle, apply, placed
from pytest_ambient.probe.battery import Battery
from pytest_ambient.probe.brought import hindered, lagging, started
from pytest_ambient.probe.converge import Clock
from pytest_ambient.probe.flows import Flows
from pytest_ambient.probe.logs import Logs
from pytest_ambient.probe.ready import STARTING, ready
from pytest_ambient.probe.result import CaseResult, result
from pytest_ambient.probe.rival import changed_back
from pytest_ambient.probe.rounds import Rounds
from pytest_ambient.probe.scene import Scene, When
from pytest_ambient.probe.source import Sources
from pytest_ambient.probe.state import State
from pytest_ambient.probe.timing import Timing
from pytest_ambient.probe.trace import Trace
from pytest_ambient.probe.witness import Witnesses
from pytest_ambient.stuck import Waits
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Word

__all__ = ["CaseResult", "RuleRun"]


class RuleRun:
    """The cases of one module against one cluster, for one thread; `close` undoes the set-up."""

    def __init__(
        self,
        kube: Kube,
        places: Places,
        manifests: Manifests,
        selected: Sequence[Case],
        *,
        sources: Sources,
        timing: Timing | None = None,
        hub: str | None = None,
        clock: Clock | None = None,
        trace: Trace | None = None,
        scenes: When = "on-failure",
    ) -> None:
        self.kube, self.places, self.manifests, self.hub = kube, places, manifests, hub
        self.timing, self.clock = timing or Timing(), clock or Clock()
        self.sources, self.trace = sources, trace
        self._selected = tuple(selected)
        self._battery = Battery(kube, self.sources, self.timing)
        logs = Logs(kube, self.sources.clocks, places.ours, places.proxies)
        self._witnesses = Witnesses(logs, self.timing.witness, silent=bool(places.silent))
        self._rounds = Rounds(kube, self._battery, self._witnesses, self.clock.now)
        self._setup: Applied | None = None
        self._applied: Applied | None = None
        self._unready: AmbientError | None = None
        self._failed: dict[str | None, AmbientError] = {}
        self._results: dict[str, CaseResult] = {}
        self._scene = Scene(kube, logs, places, scenes)
        self._changed_back = self._unsettled = self._hindered = ""

    def result(self, case: Case) -> CaseResult:
        """What came of a case; the first call for a state judges all its selected cases together.

        Raises Misuse for a manifest or a workload that can't be used, BrokenEnvironment with its scene when the cluster
        can't be asked or put back: every case of that state raises it.
        """
        if case.state in self._failed:
            raise self._failed[case.state]
        if case.id not in self._results:
            try:
                self._judge(case)
            except AmbientError as error:
                self._failed[case.state] = error
                self._scene.explain(error, self._effective)
                raise
        return self._results[case.id]

    def knows(self, case: Case) -> bool:
        """Whether what came of a case is known, so that nothing is asked or changed for it any more."""
        return case.id in self._results or case.state in self._failed

    @property
    def changed(self) -> bool:
        """Whether `close` has something to undo."""
        return any(one is not None and one.changes for one in (self._setup, self._applied))

    def close(self) -> None:
        """Ends all threads and undoes the set-up; raises KubeError or NotInTime when that fails."""
        self._battery.close()
        self._witnesses.close()
        for applied in (self._applied, self._setup):
            if applied is not None:
                applied.undo(self.timing.undo)

    def _judge(self, case: Case) -> None:
        chosen = [other for other in self._selected if other.state == case.state and other.id != case.id]
        cases = [one.filled(self.places.names) for one in [*chosen, case]]
        self._scene.begin()
        mesh_wide = any(one.scope == "mesh" for one in cases)
        self._set_up(mesh_wide=mesh_wide)
        documents = self._documents(self._path(case.state), mesh_wide=mesh_wide)
        state = State(cases, documents, self._rounds, self.timing, self.clock)
        late = self._run(state, documents)
        setup = _named(self.manifests.setup, self._setup.documents if self._setup else [])
        path = self._path(case.state)
        both = [*setup, *_named(path, documents)] or [_nothing(path)]
        for key, one in state.cases.items():
            finding = state.finding(key)
            applied = setup if finding.phase == "control" else both
            stream = state.flows.get(key)
            told = [str(stream)] if stream else [*filter(None, [state.late.get(key)])]
            made = result(one, finding, state.became.get(key), applied, self.kube, self.sources, told)
            evidence, kept = (*made.evidence, *late, *self._without(one)), self._scene.keeps(red=key in state.findings)
            scene, sample = self._scene.texts if kept else {}, state.samples.get(key)
            manifest = self._written(path) if kept or key == case.id else ""  # of a state that holds once
            self._results[key] = replace(
                made, sample=sample, stream=stream, evidence=evidence, scene=scene, manifest=manifest
            )

    @property
    def _effective(self) -> list[Document]:
        """What is applied at the moment, or was when it could not be undone."""
        return [item for one in (self._setup, self._applied) if one is not None for item in one.documents]

    def _written(self, path: Path | None) -> str:
        """The texts of the set-up and of a state's manifest, as they were applied."""
        files = [file for file in (self.manifests.setup, path) if file is not None]
        return "\n---\n".join(f"# {file.name}\n{self.places.fill(file.read_text()).strip()}" for file in files)

    def _without(self, case: Case) -> list[str]:
        """What a denial rests on where no proxy testifies."""
        silent = self.places.silent if case.twin is not None or case.expectation.needs_witness else ""
        return [f"no proxy's word ({silent}): judged by curl, before, beside its twin and after"] if silent else []

    def _run(self, state: State, documents: Sequence[Document]) -> list[str]:
        """All steps; gives the documents whose status lags behind. Without a manifest there is no before to look at."""
        self._battery.choose(state.sources)
        self._changed_back = self._unsettled = self._hindered = ""
        if not documents:
            self._effects(state, self.clock.now())
            self._look(state, documents)
            return []
        state.control()
        if not state.open:
            self._look(state, documents)
            return []
        flows = Flows(self._battery, state.streamed, self.clock.now)
        try:
            flows.start()
            state.open_connections()
            since = self.clock.now()
            late = self._broken(state, documents, since)
            state.undone()
            if state.streamed:
                state.flow(flows.end(), since)
        finally:
            flows.stop()
        if self._changed_back:
            state.void(self._changed_back)
        elif self._unsettled:
            longer = "--ambient-timeout=setup=SECONDS gives it longer"
            spared = None if self._hindered else Word.BROKEN  # what has no image says nothing of the mesh
            state.void(f"{self._unsettled}: it never ran as the rule needs it; {longer}", but=spared)
        self._look(state, documents)  # what outlives its manifest is seen only now
        return late

    def _broken(self, state: State, documents: Sequence[Document], since: float) -> list[str]:
        """The manifest's effects while it is applied; however that ends, all of it is undone, and runs as before."""
        self._applied = apply(self.kube, documents, trace=self.trace, settle=self._settled)
        kept = self._applied.kept
        settle: Settle | None = None
        try:
            self._witnesses.forget()
            unready = [] if self._unsettled else started(self.kube, documents, kept, self.timing.setup)
            # pulling a waypoint's image is no convergence
            self._effects(state, since, self.clock.now() - since)
            self._changed_back = changed_back(self.kube, self._applied.changes)
            late = [*unready, *lagging(self.kube, documents)]
            self._look(state, documents)
            settle = self._settled
        except AmbientError as error:
            self._scene.explain(error, self._effective)  # before it is undone
            raise
        finally:
            try:
                self._applied.undo(self.timing.undo, settle)
            finally:
                self._witnesses.forget()
                if settle is None:  # what was restarted or scaled for the rule runs again as before
                    started(self.kube, kept, kept, self.timing.setup)
        return late

    def _settled(self, document: Document) -> bool:
        """Whether what was there before runs as it is now; what never does is told once all is put back."""
        names_image = PROXY_IMAGE in (document.object["metadata"].get("annotations") or {})
        if document.object["kind"] not in STARTING and not names_image:
            return True
        late = started(self.kube, [document], [document], self.timing.setup)
        if late and not self._unsettled:
            self._hindered = hindered(self.kube, document)
            self._unsettled = "; ".join(filter(None, (*late, self._hindered)))
        return not late

    def _look(self, state: State, documents: Sequence[Document]) -> None:
        everything = [*(self._setup.documents if self._setup else ()), *documents]
        self._scene.look(everything, red=bool(state.findings))

    def _effects(self, state: State, since: float, started: float = 0.0) -> None:
        state.becomes(since, started)
        state.sample()
        state.outlived()
        state.stays()

    def _set_up(self, *, mesh_wide: bool) -> None:
        if self._unready is not None:
            raise self._unready
        if self._setup is not None:
            return
        try:
            documents = self._documents(self.manifests.setup, mesh_wide=mesh_wide)
            self._setup = apply(self.kube, documents, manager=SETUP_MANAGER, trace=self.trace)
            ready(self.kube, documents, self.timing.setup, Waits())
        except AmbientError as error:
            self._unready = error
            raise

    def _path(self, state: str | None) -> Path | None:
        if state is not None and state not in self.manifests.states:
            raise Misuse(f"state {state!r} has no manifest test_<stem>.{state}.yaml beside its module")
        return self.manifests.states.get(state)

    def _documents(self, path: Path | None, *, mesh_wide: bool) -> list[Document]:
        if path is None:
            return []
        return placed(self.kube, read(path, self.places, hub=self.hub), self.places, mesh_wide=mesh_wide)


def _nothing(path: Path | None) -> str:
    """Words for the manifest that is not there: mostly its name has a slip."""
    return (
        f"nothing: {path.parent.name}/{path.name} is empty" if path else "nothing: no manifest lies beside the module"
    )


def _named(path: Path | None, documents: Sequence[Document]) -> list[str]:
    """`FOLDER/FILE: KIND NAMESPACE/NAME, …` for a manifest in effect."""
    return [f"{path.parent.name}/{path.name}: {', '.join(map(str, documents))}"] if path and documents else []
