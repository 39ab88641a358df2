"""`pytest-ambient doctor`: one line for each thing that a run needs, with what to do where it is not there."""

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict

from pytest_ambient import commands
from pytest_ambient.finding import Finding, State
from pytest_ambient.redact import redacted

WORDS = "look at this machine, the cluster and the mesh, and say what is missing and what to do"
OPTIONS = (
    "cluster", "context", "kubeconfig", "name", "nodes", "kubernetes-version", "istio-version", "hub", "timeout",
)  # fmt: skip
HELP = {
    "cluster": "cluster that a run would test: existing or a provider's name (only this machine is looked at)",
    "name": f"name that a cluster would get ({commands.BENCH})",
    "istio-version": "Istio version that a run would install, or that must be found (newest known)",
    "timeout": "change a wait, of which cluster alone counts here",
}
MARKS: dict[State, str] = {"ok": "ok", "warning": "warn", "failed": "FAIL", "unknown": "?"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """`--output` and `--rbac`."""
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="form of the answer (text)")
    parser.add_argument("--rbac", action="store_true", help="print the ClusterRoles that an existing cluster asks for")


def act(parsed: argparse.Namespace) -> int:
    """Say all findings; 1 when one of them would keep a run from starting."""
    from pytest_ambient import _bringup, doctor
    from pytest_ambient.cluster.provider import find

    if parsed.rbac:
        from pytest_ambient.cluster.permissions import MANIFEST

        sys.stdout.write(MANIFEST.read_text(encoding="utf-8"))
        return 0
    settings = commands.settings(parsed)
    spec = _bringup.cluster_spec(settings, settings.name or commands.BENCH, None)
    if settings.cluster is not None:  # what is wrong with the question is told before any answer
        find(settings.cluster).check(spec)
    found = list(_told(doctor.look(settings, spec), parsed.output))
    if parsed.output == "json":
        plain = [{name: redacted(text) for name, text in asdict(finding).items()} for finding in found]
        sys.stdout.write(json.dumps(plain, indent=2) + "\n")
    return 1 if any(finding.state == "failed" for finding in found) else 0


def _told(findings: Iterable[Finding], form: str) -> Iterable[Finding]:
    """Each finding, written as it comes where people read."""
    for finding in findings:
        if form == "text":
            sys.stdout.write(f"{MARKS[finding.state]:<4}  {redacted(str(finding))}\n")
            sys.stdout.flush()
        yield finding
