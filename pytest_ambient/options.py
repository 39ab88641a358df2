"""The table of options and the frozen Settings made of it: option before environment, ini and default."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from pytest_ambient import _parse as parse
from pytest_ambient._parse import TIMEOUTS, Value
from pytest_ambient.errors import Misuse

Keep = Literal["never", "on-failure", "always"]
Artifacts = Literal["off", "on-failure", "always"]
Source = Literal["option", "environment", "ini", "default"]


@dataclass(frozen=True)
class Option:
    """One row of the table; `name` without its prefix, in kebab case."""

    name: str
    help: str
    parse: Callable[[str], Value]
    default: Value = None
    metavar: str = "NAME"
    many: bool = False

    @property
    def flag(self) -> str:
        """The name on the command line."""
        return f"--ambient-{self.name}"

    @property
    def ini(self) -> str:
        """The name in an ini file, and of the value that argparse keeps."""
        return f"ambient_{self.name.replace('-', '_')}"

    @property
    def variable(self) -> str:
        """The name of the environment variable."""
        return self.ini.upper()

    @property
    def key(self) -> str:
        """The field of Settings."""
        return self.name.replace("-", "_")

    @property
    def switch(self) -> bool:
        """Whether it takes no value on the command line."""
        return self.parse is parse.flag


# Help texts: an infinitive without "the", no full stop, what happens without the option last in brackets.
TABLE: Final = (
    Option("cluster", "cluster to test: embedded, existing or a provider's name (none: ambient tests skip)", str),
    Option("context", "context of an existing cluster (kubeconfig's current one)", str),
    Option("kubeconfig", "kubeconfig of an existing cluster ($KUBECONFIG or ~/.kube/config)", Path, metavar="FILE"),
    Option(
        "name",
        "name of a cluster to create (one of its own per run)",
        parse.text(parse.LABEL, "a DNS label of at most 40"),
    ),
    Option("nodes", "nodes of a cluster to create (2)", parse.nodes, 2, "NUMBER"),
    Option(
        "istio-version",
        "Istio version that must be found",
        parse.text(parse.VERSION, "a version like 1.30.3"),
        None,
        "X.Y.Z",
    ),
    Option(
        "namespace",
        "namespace for Bookinfo, start of all our names (bookinfo)",
        parse.text(parse.LABEL, "a DNS label of at most 40"),
    ),
    Option(
        "hub",
        "mirror to take all images from (where each is published)",
        parse.text(parse.HUB, "a registry path"),
        None,
        "HOST/PATH",
    ),
    Option("features", "features to believe in, by comma, instead of looking", parse.words, None, "NAMES", True),
    Option("skip-features", "features to do without, by comma", parse.words, (), "NAMES", True),
    Option(
        "profile", f"profiles to run, by comma: {', '.join(parse.PROFILES)} (all)", parse.profiles, (), "NAMES", True
    ),
    Option("disruptive", "also run what disturbs others in an existing cluster", parse.flag, False),
    Option("strict-docs", "fail where the mesh differs from its documents", parse.flag, False),
    Option(
        "keep",
        "keep what was created: never, on-failure, always (never)",
        parse.one_of("never", "on-failure", "always"),
        "never",
        "WHEN",
    ),
    Option("timeout", f"change a wait, one of {', '.join(TIMEOUTS)}", parse.seconds, TIMEOUTS, "NAME=SECONDS", True),
    Option("report", "folder for results.jsonl and artefacts (none are written)", Path, metavar="DIR"),
    Option(
        "artifacts",
        "write evidence: off, on-failure, always (on-failure)",
        parse.one_of("off", "on-failure", "always"),
        "on-failure",
        "WHEN",
    ),
    Option("fault", "break the embedded mesh on purpose", parse.words, (), "NAMES", True),
)


@dataclass(frozen=True)
class Settings:
    """What this run was asked for, checked; every field has the name of its option."""

    cluster: str | None = None
    context: str | None = None
    kubeconfig: Path | None = None
    name: str | None = None
    nodes: int = 2
    istio_version: str | None = None
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
    artifacts: Artifacts = "on-failure"
    fault: tuple[str, ...] = ()
    source: Mapping[str, Source] = field(default_factory=dict, hash=False)
    """Where each field's value came from."""

    def said(self, name: str) -> bool:
        """Whether somebody chose this field's value."""
        return self.source.get(name, "default") != "default"

    def header(self) -> list[str]:
        """The lines for the head of a report: what was chosen, and by which way."""
        if self.cluster is None:
            return ["ambient: no cluster given, ambient tests skip (--ambient-cluster=embedded or existing)"]
        chosen = [option.key for option in TABLE if self.said(option.key)]
        words = ", ".join(
            f"{key.replace('_', '-')}={_shown(getattr(self, key))} (from {self.source[key]})" for key in chosen
        )
        return [f"ambient: {words}"]


def settle(
    option: Mapping[str, str | None], environment: Mapping[str, str], ini: Mapping[str, str | None], rootpath: Path
) -> Settings:
    """Settings from the three ways to say them, each keyed by its own name; Misuse names the first wrong value.

    Paths in an ini file count from `rootpath`, all others from the working directory.
    """
    values: dict[str, Value] = {}
    source: dict[str, Source] = {}
    for row in TABLE:
        said: list[tuple[Source, str, str | None]] = [
            ("option", row.flag, option.get(row.ini)),
            ("environment", row.variable, environment.get(row.variable)),
            ("ini", row.ini, ini.get(row.ini)),
        ]
        way, name, text = next((entry for entry in said if entry[2]), ("default", "", None))
        source[row.key] = way
        values[row.key] = (
            row.default if text is None else _parsed(row, name, text, rootpath if way == "ini" else Path.cwd())
        )
    values["timeout"] = {**TIMEOUTS, **values["timeout"]} if isinstance(values["timeout"], dict) else dict(TIMEOUTS)
    return Settings(**values, source=source)  # type: ignore[arg-type]  # each row's parser yields its field's type


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
