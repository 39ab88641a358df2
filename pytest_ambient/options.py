"""The table of options: what each is called on the command line, in the environment and in an ini file."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from pytest_ambient import _parse as parse
from pytest_ambient._parse import TIMEOUTS, Value

PREFIX = "AMBIENT_"
ALIKE = 0.7
"""How alike two names must be for one to be taken for a slip of the other: other programs have variables, too."""


class Option(NamedTuple):
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
        "kubernetes-version",
        "Kubernetes version of a cluster to create (what its provider prefers)",
        parse.text(parse.KUBERNETES, "a version like 1.34 or 1.34.0"),
        None,
        "X.Y[.Z]",
    ),
    Option(
        "istio-version",
        "Istio version to install (newest known), or that must be found",
        parse.text(parse.VERSION, "a version like 1.30 or 1.30.3"),
        None,
        "X.Y[.Z]",
    ),
    Option(
        "upgrade-to",
        "other patch of Istio's version for rule S4 to go to, and back from (S4 is skipped)",
        parse.text(parse.RELEASE, "a version like 1.30.4"),
        None,
        "X.Y.Z",
    ),
    Option("istio-dir", "unpacked Istio release to install from (downloads one)", Path, metavar="DIR"),
    Option("installer", "what puts the mesh in: an installer's name, or none (istioctl; none in an existing one)", str),
    Option(
        "dataplane",
        "data plane to install, or that must be found: ztunnel, kmesh (ztunnel)",
        parse.one_of("ztunnel", "kmesh"),
        "ztunnel",
    ),
    Option("addons", "addons to install, by comma (none)", parse.words, (), "NAMES", True),
    Option(
        "gateway-api",
        "channel of Gateway API CRDs to install: standard, experimental (standard)",
        parse.one_of("standard", "experimental"),
        "standard",
        "CHANNEL",
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
    Option(
        "lanes",
        "modules judged side by side in one process, each lane with a Bookinfo of its own (2 on embedded, else 1)",
        parse.lanes,
        None,
        "NUMBER",
    ),
    Option("strict-docs", "fail where the mesh differs from its documents", parse.flag, False),
    Option(
        "keep",
        "keep what was created: never, on-failure, always (never)",
        parse.one_of("never", "on-failure", "always"),
        "never",
        "WHEN",
    ),
    Option("timeout", f"change a wait, one of {', '.join(TIMEOUTS)}", parse.seconds, TIMEOUTS, "NAME=SECONDS", True),
    Option("report", "folder for the report, results and artefacts (none are written)", Path, metavar="DIR"),
    Option("implementation", "who made the mesh, for the report: a YAML file (not told)", Path, metavar="FILE"),
    Option(
        "artifacts",
        "write evidence: off, on-failure, always (on-failure)",
        parse.one_of("off", "on-failure", "always"),
        "on-failure",
        "WHEN",
    ),
    Option("fault", "break the embedded mesh on purpose, faults by comma (none)", parse.words, (), "NAMES", True),
)


def add(option: Option, addoption: Callable[..., object]) -> None:
    """Register an option with pytest's parser or argparse's: both take the same words."""
    words: dict[str, object] = {"dest": option.ini, "default": None, "help": option.help}
    if option.switch:
        words |= {"action": "store_const", "const": "true"}
    else:
        words |= {"action": "append" if option.many else "store", "metavar": option.metavar}
    addoption(option.flag, **words)


def misspelt(environment: Mapping[str, str]) -> list[str]:
    """A line for each variable that looks like an option's and is none, with the one it is nearest to."""
    known = {option.variable.removeprefix(PREFIX): option.variable for option in TABLE}
    found = []
    for name in sorted(environment):
        rest = name.removeprefix(PREFIX)
        if name.startswith(PREFIX) and rest not in known:
            from difflib import get_close_matches

            near = get_close_matches(rest, known, 1, ALIKE)
            found += [f"{name} is not read, is {known[near[0]]} meant?"] if near else []
    return found


def spoken(config: pytest.Config) -> bool:
    """Whether anybody, by any way, said a word about any of these options."""
    said = vars(config.option)
    ways = ((said.get(row.ini), os.environ.get(row.variable), config.getini(row.ini)) for row in TABLE)
    return any(any(way) for way in ways)
