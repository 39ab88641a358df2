"""Downloads: a file in this user's cache, resumed where it broke off, checked, and fetched by one process at a time."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from pytest_ambient import _lock
from pytest_ambient._http import BrokeOff, answered, pieces
from pytest_ambient.errors import FetchFailed

TRIES = 3
"""How often a download that breaks off is taken up again."""

REPLACED = "nothing was kept; a proxy may have put something else in its place, the right file can be put at"


def quiet(line: str) -> None:
    """Say nothing."""


def anything(path: Path) -> str:
    """Nothing is wrong with any file."""
    return ""


def cache_folder() -> Path:
    """Where downloads are kept: `pytest-ambient` in $XDG_CACHE_HOME or ~/.cache."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if home.startswith("/") else Path.home() / ".cache") / "pytest-ambient"


def fetch(
    url: str,
    *,
    sha256: str | None,
    name: str,
    check: Callable[[Path], str] = anything,
    say: Callable[[str], None] = quiet,
    within: float = 600.0,
) -> Path:
    """The file `name` of the cache, downloaded from `url` unless it is there; FetchFailed in one line if it cannot be.

    `name` may have folders and must tell versions apart: without a `sha256` whatever has this name is taken, unless
    `check` says what is wrong with it. A download that breaks off leaves its part, and the next call goes on from
    there. `within` is seconds, waiting for others included.
    """
    path, deadline = _place(name), time.monotonic() + within
    if _right(path, sha256, check):
        return path
    with _only_one(path, within):
        if _right(path, sha256, check):  # somebody else fetched it meanwhile
            return path
        say(f"downloading {url}")
        part = path.with_name(f"{path.name}.part")
        if sha256 is None:  # nothing would tell that it was begun from another file
            part.unlink(missing_ok=True)
        try:
            _downloaded(url, part, sha256, deadline, path)
            _checked(url, part, check, path)
            os.replace(part, path)
        except OSError as error:
            raise FetchFailed(f"{url}: {part} cannot be written: {error.strerror or error}") from None
    return path


def digest(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _place(name: str) -> Path:
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise ValueError(f"not a name within the cache: {name!r}")
    path = cache_folder() / name
    try:
        for folder in (*reversed(path.relative_to(cache_folder()).parents), Path("locks")):
            (cache_folder() / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise FetchFailed(f"{error.filename or path}: cannot be made: {error.strerror}") from None
    return path


def _right(path: Path, sha256: str | None, check: Callable[[Path], str]) -> bool:
    return path.is_file() and (sha256 is None or digest(path) == sha256) and not check(path)


def _checked(url: str, part: Path, check: Callable[[Path], str], path: Path) -> None:
    """FetchFailed when what came is not what it must be; then nothing is kept of it."""
    found = check(part)
    if found:
        part.unlink()
        raise FetchFailed(f"{url}: what came {found}: {REPLACED} {path}")


@contextmanager
def _only_one(path: Path, within: float) -> Iterator[None]:
    key = hashlib.sha256(str(path).encode()).hexdigest()[:16]
    with _lock.alone(cache_folder() / "locks" / f"{path.name}.{key}.lock", within=within):
        yield


def _downloaded(url: str, part: Path, sha256: str | None, deadline: float, path: Path) -> None:
    """Fill `part` until it is whole and right; what breaks off is taken up again, a wrong part is dropped once."""
    begun = part.exists()
    for attempt in range(1, TRIES + 1):
        try:
            _taken_up(url, part, deadline, path)
        except FetchFailed as error:
            if attempt == TRIES or time.monotonic() >= deadline or not isinstance(error, BrokeOff):
                raise
            continue
        found = digest(part)
        if sha256 is None or found == sha256:
            return
        part.unlink()
        if not begun:
            raise FetchFailed(f"{url}: its sha256 is {found} and must be {sha256}: {REPLACED} {path}")
        begun = False  # the part was of something else: once more, from the start
    raise FetchFailed(f"{url}: did not come whole: put the file at {path}")


def _taken_up(url: str, part: Path, deadline: float, path: Path) -> None:
    there = part.stat().st_size if part.exists() else 0
    with answered(url, there, f"{url}: cannot be downloaded", f"put the file at {path}") as answer:
        if answer.status_code == 416:  # nothing is left to send; the checksum tells whether it is the file
            return
        resumed = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {there}-")
        length = answer.headers.get("Content-Length", "")
        whole = (there if resumed else 0) + int(length) if length.isdigit() else None
        mode = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if resumed else os.O_TRUNC)
        with os.fdopen(os.open(part, mode, 0o600), "ab" if resumed else "wb") as file:
            for piece in pieces(answer, url, deadline):
                file.write(piece)
    if whole is not None and part.stat().st_size != whole:
        raise BrokeOff(f"{url}: broke off after {part.stat().st_size} of {whole} bytes: try again, it is taken up")
