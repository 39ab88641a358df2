"""A lock between processes that many share or one holds alone; the kernel frees it when its holder dies."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_ambient.errors import LockError


@contextmanager
def shared(path: Path, *, within: float = 600.0) -> Iterator[None]:
    """Hold `path` together with other sharers, while nobody holds it alone."""
    with _read_write(path, alone=False, within=within):
        yield


@contextmanager
def alone(path: Path, *, within: float = 600.0) -> Iterator[None]:
    """Hold `path` while nobody else does; those who come later wait, so that it is got in the end."""
    with _read_write(path, alone=True, within=within):
        yield


@contextmanager
def _read_write(path: Path, *, alone: bool, within: float) -> Iterator[None]:
    import filelock

    _made(path.parent)
    # Readers pass the gate one by one and a writer stays in it: without it new readers overtake a writer that waits.
    gate = filelock.FileLock(path.with_suffix(".gate"), timeout=within, fallback_to_soft=False)
    lock = filelock.ReadWriteLock(path, timeout=within, is_singleton=False)
    try:
        with gate:
            (lock.acquire_write if alone else lock.acquire_read)()
    except filelock.Timeout:
        raise LockError(f"{path}: not free within {within:g} s, another run or worker holds it") from None
    except OSError as error:
        raise LockError(f"{path}: cannot be locked: {error}") from None
    try:
        yield
    finally:
        lock.release()
        lock.close()


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LockError(f"{folder}: cannot be made: {error.strerror}") from None
