"""`pytest-ambient images`: prints every image that a run with these options can pull, for a mirror to have them."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from pytest_ambient import commands

if TYPE_CHECKING:
    from pytest_ambient.settings import Settings

WORDS = "print every image that a run can pull, and why"
HELP = {
    "cluster": "cluster that a run would test: a provider's name, or existing, with a mesh (one that is created)",
    "istio-version": "Istio version of the run (that of --ambient-istio-dir, or the newest known)",
    "installer": "what puts the mesh in: an installer's name, or none (istioctl; none in an existing one)",
    "dataplane": "data plane of the run: ztunnel, kmesh (ztunnel)",
}
OPTIONS = ("cluster", "istio-version", "istio-dir", "installer", "dataplane", "addons", "hub")
NOTHING = ("embedded",)
"""Clusters in which an image is only a name."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """`--output`."""
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="form of the answer (text)")


def act(parsed: argparse.Namespace) -> int:
    """Print them, one a line with its reason; Misuse for a cluster, a version or an addon that is not known."""
    from pytest_ambient import _bringup, _checks
    from pytest_ambient.cluster import provider
    from pytest_ambient.mesh import addons, images, versions

    settings = commands.settings(parsed)
    addons.check(settings.addons)
    _checks.release(settings)
    if settings.cluster is not None:
        provider.find(settings.cluster)
    found: tuple[images.Image, ...] = ()
    if settings.cluster in NOTHING:
        commands.tell(f"a cluster of {settings.cluster} pulls none: images are names there")
    else:
        found = images.needed(
            versions.patch(settings.istio_version or _bringup.released(settings.istio_dir)),
            installs=_installs(settings),
            installer=settings.installer,
            dataplane=settings.dataplane,
            addons=settings.addons,
            hub=settings.hub,
            release=settings.istio_dir,
        )
    if parsed.output == "json":
        plain = [{"name": one.name, "tag": one.tag, "reference": one.reference, "why": one.why} for one in found]
        sys.stdout.write(json.dumps(plain) + "\n")
        return 0
    width = max((len(one.reference) for one in found), default=0)
    sys.stdout.write("".join(f"{one.reference:<{width}}  {one.why}\n" for one in found))
    return 0


def _installs(settings: "Settings") -> bool:
    """Whether the run brings a mesh: not where it is there already and none is asked for."""
    if settings.installer is None:
        return settings.cluster != "existing"
    return settings.installer != "none"
