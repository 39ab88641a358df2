"""Follows a recording step by step and notes what is seen otherwise than recorded."""

import re
import time
from collections.abc import Callable

import yaml

from . import asking, comparing, words
from .cluster import Bench, wait
from .comparing import Found
from .differences import Difference, Ledger
from .holding import Connection
from .logs import Logs
from .recording import FOLDER, Recording, Step, kind, label

SETTLED = 0.3
"""Seconds after a change until it is looked at: less would see the old state."""
BECOMES = 4.0
"""Seconds after a change within which everything is as recorded."""
_CHANGES = {"apply", "delete", "run", "open", "held"}


class Replay:
    """One recording on one cluster."""

    def __init__(self, bench: Bench, recording: Recording, ledger: Ledger) -> None:
        self._bench, self._recording, self._ledger = bench, recording, ledger
        self._changed = time.monotonic()
        self._absent: dict[str, str] = {}
        """What could not be applied: the absent feature."""
        self._waiting: list[Step] = []
        self._connections: dict[str, Connection] = {}
        self._logs = Logs(bench, recording)

    def run(self) -> None:
        """Do and compare everything."""
        for step in self._recording.steps:
            what = kind(step)
            if what not in _CHANGES:
                self._waiting.append(step)
                continue
            self._look()
            getattr(self, f"_{what}")(step)
            self._changed = time.monotonic()
        self._look()
        for each in self._connections.values():
            each.end()
        self._compare_logs()

    def _translate(self, text: str) -> str:
        return self._bench.translated(text, dict(self._recording.addresses))

    def _differ(self, step: Step, found: Found) -> list[str]:
        entries = [self._ledger.add(Difference(label(step), *each)) for each in found]
        return [each.feature for each in entries if each is not None and each.feature]

    def _apply(self, step: Step) -> None:
        ran = self._bench.kubectl("apply", "-f", "-", stdin=self._manifest(step))
        found = comparing.words(step, ran.exit, ran.output, ran.errors)
        features = self._differ(step, found)
        if ran.exit and not step.get("exit"):
            self._absent[_name(step)] = features[0] if features else "?"
            return
        self._absent.pop(_name(step), None)
        started = [each for each in yaml.safe_load_all(step["manifest"]) if each["kind"] in _STARTED]
        for item in started:
            self._started(item)
        if started:
            self._bench.look()

    def _manifest(self, step: Step) -> str:
        """A manifest, go-httpbin standing in for busybox's httpd."""
        text = self._translate(step.get("manifest") or self._applied(step))
        web = "{name: web, image: mccutchen/go-httpbin}"
        return re.sub(r"\{name: c, image: [^}]*httpd.*\}", f"{_CLIENT}, {web}", text)

    def _applied(self, step: Step) -> str:
        same = [each for each in self._recording.steps if kind(each) == "apply" and _name(each) == _name(step)]
        return str(same[-1]["manifest"])

    def _started(self, item: words.Object) -> None:
        meta = item["metadata"]
        if item["kind"] == "Pod":
            self._bench.kubectl(
                "wait", "--for=condition=Ready", f"pod/{meta['name']}", "-n", meta["namespace"], "--timeout=10s"
            )
            return
        ingress = item["spec"].get("gatewayClassName") == "istio"
        name = f"{meta['name']}-istio" if ingress else meta["name"]
        wait(lambda: self._bench.kubectl("get", "-n", meta["namespace"], f"deployment/{name}").exit == 0, within=10)
        self._bench.ready(f"deployment/{name}", meta["namespace"])

    def _delete(self, step: Step) -> None:
        if self._absent.pop(_name(step), None):
            return
        ran = self._bench.kubectl("delete", "-f", "-", stdin=self._manifest(step))
        self._differ(step, comparing.words(step, ran.exit, ran.output, ran.errors))

    def _run(self, step: Step) -> None:
        self._logs.gather()
        command = self._translate(step["run"])
        if command.startswith("istioctl waypoint apply"):
            made = self._bench.kubectl("apply", "-f", str(FOLDER / "waypoint.yaml"))
            time.sleep(0.2)
            self._bench.ready("deployment/waypoint", "bookinfo")
            command = "kubectl label namespace bookinfo istio.io/use-waypoint=waypoint"
            assert made.exit == 0, made.errors
        ran = self._bench.shell(command)
        if ran.exit:
            self._differ(step, [("exit", "0", f"{ran.exit} {ran.errors.strip()}")])
        time.sleep(0.6)
        self._bench.look()

    def _open(self, step: Step) -> None:
        if not self._absent:
            self._connections[step["open"]] = Connection(self._bench, step["from"], step["url"])

    def _held(self, step: Step) -> None:
        connection = self._connections.pop(step["held"], None)
        if connection is None:
            self._ledger.left_out.append(f"connection of {label(step)}")
            return
        time.sleep(1)
        deadline = time.monotonic() + 9
        while connection.word != step["seen"] and time.monotonic() < deadline and step["seen"] == "closed":
            time.sleep(0.1)
        connection.end()
        if connection.word != step["seen"]:
            self._differ(step, [("connection", step["seen"], connection.word)])

    def _look(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        if self._absent:
            features = ", ".join(sorted(set(self._absent.values())))
            self._ledger.left_out += [f"{label(step)}: {features}" for step in waiting]
            return
        time.sleep(max(0.0, self._changed + SETTLED - time.monotonic()))
        probes = [step for step in waiting if kind(step) in {"probe", "turns"}]
        self._until_alike(probes, self._asked)
        for step in waiting:
            if kind(step) == "counts":
                self._until_alike([step], self._counted)
            elif kind(step) == "status":
                self._until_alike([step], self._read)

    def _until_alike(self, steps: list[Step], seen: Callable[[list[Step]], list[Found]]) -> None:
        """Look until all is as recorded or meant; note what is not in the end."""
        while steps:
            found = seen(steps)
            late = time.monotonic() > self._changed + BECOMES
            again = []
            for step, differences in zip(steps, found, strict=True):
                meant = all(self._ledger.meant(Difference(label(step), *each)) for each in differences)
                if meant or late:
                    self._differ(step, differences)
                else:
                    again.append(step)
            steps = again

    def _asked(self, steps: list[Step]) -> list[Found]:
        answers = asking.ask(self._bench, steps, self._translate)
        return [
            comparing.turns(step, answer) if kind(step) == "turns" else comparing.probe(step, answer)
            for step, answer in zip(steps, answers, strict=True)
        ]

    def _counted(self, steps: list[Step]) -> list[Found]:
        return [comparing.counts(step, asking.burst(self._bench, step, self._translate)) for step in steps]

    def _read(self, steps: list[Step]) -> list[Found]:
        found = []
        for step in steps:
            ran = self._bench.shell(f"{self._translate(step['status'])} -o yaml")
            found.append(comparing.objects(step, words.objects(yaml.safe_load_all(ran.output))))
        return found

    def _compare_logs(self) -> None:
        deadline = time.monotonic() + 2.0
        while True:
            self._logs.gather()
            found = self._logs.differences()
            new = [each for each in found if each.aspect == "missing" and not self._ledger.meant(each)]
            if not new or self._ledger.left_out or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        for each in found:
            if not (self._ledger.left_out and each.aspect == "missing"):
                self._ledger.add(each)


_STARTED = {"Deployment", "Gateway", "Pod"}
_CLIENT = '{name: c, image: "docker.io/curlimages/curl:8.16.0", command: [sleep, infinity]}'


def _name(step: Step) -> str:
    return re.sub(r"^\d+-(apply|delete)-", "", label(step))
