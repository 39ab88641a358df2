"""What runs change outside of their own namespaces, kept beside the leases: a line for each, before it is made."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ambient.cluster.lease import state_folder
from pytest_ambient.errors import ProviderError

Plain: TypeAlias = Mapping[str, Any]


def write(run: str, change: Plain) -> None:
    """Put one change on disk; ProviderError when that fails, and then it must not be made."""
    path = _folder(run) / f"{os.getpid()}.jsonl"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", encoding="utf-8") as file:
            file.write(json.dumps(change) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ProviderError(f"{path}: cannot be written: {error.strerror}") from None


def read(run: str) -> Iterator[Plain]:
    """The changes of a run, those of each of its processes in order; a line that was cut short was not made."""
    for path in sorted(_folder(run).glob("*.jsonl"), key=lambda found: found.stat().st_mtime):
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue


def words(run: str) -> Iterator[str]:
    """`KIND NAMESPACE/NAME` of what a run has changed, each once, with the fields that were of others before."""
    yield from dict.fromkeys(
        f"{str(one['kind']).rpartition('/')[2]} {'/'.join(filter(None, (one['namespace'], one['name'])))}{_fields(one)}"
        for one in read(run)
    )


def _fields(change: Plain) -> str:
    """` (FIELD back to VALUE, …)` for what was somebody's before."""
    found = [f"{name} back to {value}" for patch in change["replaced"].values() for name, value in _leaves(patch)]
    return f" ({', '.join(found)})" if found else ""


def _leaves(patch: Plain, path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in patch.items():
        where = f"{path}.{key}" if path else str(key)
        if isinstance(value, dict) and value:
            yield from _leaves(value, where)
        else:
            yield where, json.dumps(value)


def forget(run: str) -> None:
    """Let them go: all is undone."""
    for path in _folder(run).glob("*.jsonl"):
        path.unlink(missing_ok=True)
    if _folder(run).is_dir():
        _folder(run).rmdir()


def _folder(run: str) -> Path:
    return state_folder() / "changes" / run
