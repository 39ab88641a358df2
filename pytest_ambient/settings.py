"""The frozen Settings of a run, made of what options, environment and ini file say, in that order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from pytest_ambient._parse import TIMEOUTS, Value
from pytest_ambient.errors import Misuse
from pytest_ambient.options import TABLE, Option

Keep = Literal["never", "on-failure", "always"]
Dataplane = Literal["ztunnel", "kmesh"]
Channel = Literal["standard", "experimental"]
Artifacts = Literal["off", "on-failure", "always"]
Source = Literal["option", "environment", "ini", "default"]
Said: TypeAlias = "str | Sequence[str] | None"
"""As a parser gives it: an option that may be repeated is a list."""


@dataclass(frozen=True)
class Settings:
    """What this run was asked for, checked; every field has the name of its option."""

    cluster: str | None = None
    context: str | None = None
    kubeconfig: Path | None = None
    name: str | None = None
    nodes: int = 2
    kubernetes_version: str | None = None
    istio_version: str | None = None
    upgrade_to: str | None = None
    istio_dir: Path | None = None
    installer: str | None = None
    dataplane: Dataplane = "ztunnel"
    addons: tuple[str, ...] = ()
    gateway_api: Channel = "standard"
    namespace: str | None = None
    hub: str | None = None
    features: tuple[str, ...] | None = None
    skip_features: tuple[str, ...] = ()
    profile: tuple[str, ...] = ()
    disruptive: bool = False
    strict_docs: bool = False
    keep: Keep = "never"
    timeout: Mapping[str, float] = field(default_factory=lambda: dict(TIMEOUTS), hash=False)
    report: Path | None = None
    implementation: Path | None = None
    artifacts: Artifacts = "on-failure"
    fault: tuple[str, ...] = ()
    lanes: int | None = None
    source: Mapping[str, Source] = field(default_factory=dict, hash=False)
    """Where each field's value came from."""

    @property
    def side_by_side(self) -> int:
        """How many modules one process judges at a time; a cluster that is not a bench of ours has to be asked for."""
        return self.lanes or (2 if self.cluster == "embedded" else 1)

    def said(self, name: str) -> bool:
        """Whether somebody chose this field's value."""
        return self.source.get(name, "default") != "default"

    def spelled(self, name: str) -> str:
        """What this field's option is called where its value was said, as the user would look for it."""
        row = next(row for row in TABLE if row.key == name)
        return {"environment": row.variable, "ini": row.ini}.get(self.source.get(name, "option"), row.flag)

    @property
    def chosen(self) -> Mapping[str, str]:
        """What somebody chose, as they would write it, by the option's name."""
        return {option.name: _shown(getattr(self, option.key)) for option in TABLE if self.said(option.key)}

    def header(self) -> list[str]:
        """The lines for the head of a report: what was chosen, and by which way."""
        source = {option.name: self.source.get(option.key) for option in TABLE}
        words = [f"{name}={value} (from {source[name]})" for name, value in self.chosen.items()]
        return [f"ambient: {', '.join(words)}"]


def settle(
    option: Mapping[str, Said], environment: Mapping[str, str], ini: Mapping[str, Said], folder: Path
) -> Settings:
    """Settings from the three ways to say them, each keyed by its own name; Misuse names the first wrong value.

    Paths in an ini file count from `folder`, all others from the working directory.
    """
    values: dict[str, Value] = {}
    source: dict[str, Source] = {}
    for row in TABLE:
        said: list[tuple[Source, str, str]] = [
            ("option", row.flag, _joined(option.get(row.ini))),
            ("environment", row.variable, environment.get(row.variable, "")),
            ("ini", row.ini, _joined(ini.get(row.ini))),
        ]
        way, name, text = next((entry for entry in said if entry[2]), ("default", "", ""))
        source[row.key] = way
        root = folder if way == "ini" else Path.cwd()
        values[row.key] = _parsed(row, name, text, root) if text else row.default
    values["timeout"] = {**TIMEOUTS, **values["timeout"]} if isinstance(values["timeout"], dict) else dict(TIMEOUTS)
    return Settings(**values, source=source)  # type: ignore[arg-type]  # each row's parser yields its field's type


def _joined(said: Said) -> str:
    return said if isinstance(said, str) else ",".join(said or ())


def _parsed(row: Option, name: str, text: str, folder: Path) -> Value:
    try:
        value = row.parse(text)
    except ValueError as error:
        raise Misuse(f"{name}: {error}") from None
    return folder / value.expanduser() if isinstance(value, Path) else value


def _shown(value: Value) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, dict):
        return ",".join(f"{name}={seconds:g}" for name, seconds in value.items() if TIMEOUTS[name] != seconds)
    return str(value).lower() if isinstance(value, bool) else str(value)
