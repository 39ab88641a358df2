"""A lock between processes that many share or one holds alone; the kernel frees it when its holder dies."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pytest_ambient.errors import LockError

GATE = ".gate"


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


def remove(path: Path, *, really: bool = True) -> bool:
    """Remove the files of a lock, unless somebody holds it or waits for it; whether it was, or would be, removed."""
    gate = path.with_suffix(GATE)
    try:
        # Held to the end: whoever comes meanwhile finds the gate gone and makes everything anew.
        with _passed(gate, 0.0), _held(path, alone=True, within=0.0):
            for one in (*path.parent.glob(f"{path.name}-*"), path, gate) if really else ():
                one.unlink(missing_ok=True)
    except (LockError, OSError):
        return False
    return True


@contextmanager
def _read_write(path: Path, *, alone: bool, within: float) -> Iterator[None]:
    _made(path.parent)
    with ExitStack() as held:
        # Readers pass the gate one by one and a writer stays in it: without it new readers overtake one that waits.
        with _passed(path.with_suffix(GATE), within):
            held.enter_context(_held(path, alone=alone, within=within))
        yield


@contextmanager
def _passed(gate: Path, within: float) -> Iterator[None]:
    import filelock

    lock = filelock.FileLock(gate, timeout=within, fallback_to_soft=False)
    try:
        lock.acquire()
    except (filelock.Timeout, OSError) as error:
        raise _busy(gate.with_suffix(".db"), within, error) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _held(path: Path, *, alone: bool, within: float) -> Iterator[None]:
    import filelock

    lock = filelock.ReadWriteLock(path, timeout=within, is_singleton=False)
    try:
        (lock.acquire_write if alone else lock.acquire_read)()
    except (filelock.Timeout, OSError) as error:
        lock.close()
        raise _busy(path, within, error) from None
    try:
        yield
    finally:
        lock.release()
        lock.close()


def _busy(path: Path, within: float, error: OSError) -> LockError:
    if isinstance(error, TimeoutError):
        return LockError(f"{path}: not free within {within:g} s, another run or worker holds it")
    return LockError(f"{path}: cannot be locked: {error}")


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LockError(f"{folder}: cannot be made: {error.strerror}") from None
