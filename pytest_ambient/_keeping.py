"""Keeps what shows why a case does not hold: beside the results, by the process that saw it, before it is undone."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ambient.probe.result import CaseResult
    from pytest_ambient.report.junit import Json
    from pytest_ambient.settings import Settings

_WRITTEN: dict[Path, int] = {}
"""The folders of scenes, with the identity of what is in them: cases of a state have one scene."""


def keep(settings: "Settings", rule: str, module: str, result: "CaseResult") -> "tuple[CaseResult, list[Json]]":
    """The result, its text with where all is that was kept, and the names of that, below the folder of reports.

    The scene of a state of a module is written once for all of its cases.
    """
    wanted = settings.artifacts == "always" or result.word != "holds"
    if settings.report is None or settings.artifacts == "off" or not wanted:
        return result, []
    from pytest_ambient.report.artifacts import plain, write

    folder = settings.report / "artifacts" / plain(rule)
    scene = folder / "-".join(["scene", plain(module), *([plain(result.case.state)] if result.case.state else [])])
    try:
        for name, text in _own(result).items():
            write(folder / f"{plain(result.case.id)}.{name}", text, executable=name == "repeat.sh")
        for name, text in result.scene.items() if _WRITTEN.get(scene) != id(result.scene) else ():
            write(scene / plain(name), text)
        _WRITTEN[scene] = id(result.scene)
    except OSError:
        return result, []  # the process that writes results says that the folder takes nothing
    kept = [f"artifacts/{plain(rule)}/{plain(result.case.id)}.{name}" for name in _own(result)]
    kept += [f"artifacts/{plain(rule)}/{scene.name}/{plain(name)}" for name in result.scene]
    names: list[Json] = [*kept]
    return replace(result, text=_told(result.text, settings.report, kept)), names


def _own(result: "CaseResult") -> Mapping[str, str]:
    """What is of this case alone, by the ends of names."""
    told = result.failure
    if told is None:
        return {}
    lines = ["#!/bin/sh", *(f"# {line}" for line in f"{told.caller}\nwanted {told.promise}".splitlines()), told.repeat]
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
