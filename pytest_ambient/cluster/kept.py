"""Of what configuration a cluster is that was kept: written beside it, compared before it is used again."""

import hashlib
import json
import os
from pathlib import Path

from pytest_ambient.cluster.provider import ClusterSpec
from pytest_ambient.errors import ProviderError

FILE = "configuration"
"""What the fingerprint is called in a cluster's folder; it is written when the cluster answers, never before."""


def fingerprint(spec: ClusterSpec, *details: str) -> str:
    """What makes one cluster as good as another, in 16 hex digits.

    The number of nodes counts, and `details`, in which a provider says what it takes the wanted Kubernetes version for,
    such as its node image; without any, the version counts as it was asked for. Name and folder do not count.
    """
    plain = json.dumps([spec.nodes, *(details or (spec.kubernetes_version,))])
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def kept(folder: Path) -> str | None:
    """The fingerprint of the cluster that is in `folder`; None when none was made there, or not to its end."""
    try:
        return (folder / FILE).read_text().strip() or None
    except OSError:
        return None


def keep(folder: Path, fingerprint: str) -> None:
    """Write down of what configuration the cluster in `folder` is; ProviderError when that cannot be written."""
    draft = folder / f"{FILE}.new"
    try:
        draft.write_text(f"{fingerprint}\n")
        os.replace(draft, folder / FILE)
    except OSError as error:
        raise ProviderError(f"{draft}: cannot be written: {error.strerror}") from None


def reusable(name: str, folder: Path, wanted: str) -> bool:
    """Whether the cluster in `folder` is what is wanted; ProviderError when there is one of another configuration."""
    found = kept(folder)
    if found is not None and found != wanted:
        raise ProviderError(
            f"cluster {name} was kept and is of another configuration (nodes, Kubernetes version or node image): "
            f"pytest-ambient down --ambient-name={name}, or give another --ambient-name"
        )
    return found is not None
