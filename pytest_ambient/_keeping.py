"""Keeps what shows why a case does not hold: beside the results, by the process that saw it, before it is undone."""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ambient._kube import Kube
    from pytest_ambient.errors import AmbientError
    from pytest_ambient.places import Places
    from pytest_ambient.probe.result import CaseResult
    from pytest_ambient.report.junit import Json
    from pytest_ambient.settings import Settings

_WRITTEN: dict[Path, int] = {}
"""The folders of scenes, with the identity of what is in them: cases of a state have one scene."""
_SPENT = {"scenes": 0}
MOST = 512 << 20
"""Characters that one process writes of scenes: a mesh that is broken throughout must not fill the disk."""
FULL = "left out: this run has kept enough of scenes already\n"
_EXPLAINED: dict[int, tuple["AmbientError", list[str]]] = {}
"""Errors by their identity, with what was kept of their scenes: the cases of a rule may meet one after the other."""


def keep(settings: "Settings", rule: str, module: str, result: "CaseResult") -> "tuple[CaseResult, list[Json]]":
    """The result, its text with where all is that was kept, and the names of that, below the folder of reports.

    The scene of a state of a module is written once for all of its cases.
    """
    wanted = settings.artifacts == "always" or result.word != "holds"
    if settings.report is None or settings.artifacts == "off" or not wanted:
        return result, []
    from pytest_ambient.report.artifacts import plain, write

    folder = settings.report / "artifacts" / plain(rule)
    scene = folder / _scene(module, result.case.state)
    try:
        for name, text in _own(result).items():
            write(folder / f"{plain(result.case.id)}.{name}", text, executable=name == "repeat.sh")
        _write_scene(scene, result.scene)
    except OSError:
        return result, []  # the process that writes results says that the folder takes nothing
    kept = [f"artifacts/{plain(rule)}/{plain(result.case.id)}.{name}" for name in _own(result)]
    kept += [f"artifacts/{plain(rule)}/{scene.name}/{plain(name)}" for name in result.scene]
    names: list[Json] = [*kept]
    return replace(result, text=_told(result.text, settings.report, kept)), names


def explain(settings: "Settings", rule: str, module: str, state: str | None, error: "AmbientError") -> "list[Json]":
    """Let an error that kept a case from being judged say where its scene is; the names of that.

    A scene is written once, for the first case that meets the error.
    """
    if settings.report is None or not error.scene:
        return []
    if id(error) not in _EXPLAINED:
        from pytest_ambient.report.artifacts import plain

        place = f"artifacts/{plain(rule)}/{_scene(module, state)}"
        try:
            _write_scene(settings.report / place, error.scene)
        except OSError:
            return []  # the process that writes results says that the folder takes nothing
        kept = [f"{place}/{plain(name)}" for name in error.scene]
        error.args = (_told(str(error), settings.report, kept),)
        _EXPLAINED[id(error)] = error, kept
    return [*_EXPLAINED[id(error)][1]]


@contextmanager
def watched(kube: "Kube", where: "Places", settings: "Settings", what: str) -> Iterator[None]:
    """Lets an error that comes meanwhile in a run's namespaces say where their scene is."""
    from pytest_ambient.errors import AmbientError
    from pytest_ambient.probe.logs import Logs
    from pytest_ambient.probe.scene import Scene

    logs = Logs(kube, namespaces=where.ours, label=where.proxies)
    scene = Scene(kube, logs, where, settings.artifacts if settings.report is not None else "off")
    scene.begin()
    try:
        yield
    except AmbientError as error:
        scene.explain(error, [])
        explain(settings, what, where.namespace, None, error)
        raise
    finally:
        logs.close()


def _scene(module: str, state: str | None) -> str:
    from pytest_ambient.report.artifacts import plain

    return "-".join(["scene", plain(module), *([plain(state)] if state else [])])


def _write_scene(folder: Path, scene: Mapping[str, str]) -> None:
    from pytest_ambient.report.artifacts import plain, write

    for name, text in scene.items() if _WRITTEN.get(folder) != id(scene) else ():
        _SPENT["scenes"] += len(text)
        write(folder / plain(name), text if _SPENT["scenes"] <= MOST else FULL)
    _WRITTEN[folder] = id(scene)


def _own(result: "CaseResult") -> Mapping[str, str]:
    """What is of this case alone, by the ends of names."""
    told = result.failure
    if told is None:
        return {}
    from pytest_ambient.report.causes import applies

    name = f"{result.case.id}.manifest.yaml"
    line = applies(told.repeat, name) if result.manifest and told.phase in ("becomes", "stays") else ""
    first = f"the manifest was taken back; beside this file: {line}" if line else ""
    said = "\n".join(filter(None, (told.caller, f"wanted {told.promise}", first)))
    lines = ["#!/bin/sh", *(f"# {line}" for line in said.splitlines()), told.repeat]
    made = {"repeat.sh": "\n".join(lines) + "\n", "manifest.yaml": result.manifest, "curl.txt": result.output}
    return {name: text for name, text in made.items() if text}


def _told(text: str, folder: Path, kept: list[str]) -> str:
    """The failure with a line for each folder in which something is kept."""
    if not text or not kept:
        return text
    places: dict[str, list[str]] = {}
    for name in kept:
        where, _, file = name.rpartition("/")
        places.setdefault(where, []).append(file)
    lines = [f"{shlex.quote(str(folder / where))}: {', '.join(files)}" for where, files in places.items()]
    return f"{text}\n  kept     " + "\n           ".join(lines)
