"""Archives: unpacked whole or not at all, and never outside of the folder that they go to."""

import os
import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path

from pytest_ambient.errors import FetchFailed


def unpack(archive: Path, member: str | None, to: Path) -> Path:
    """The folder `to` with all that a tar archive holds, or `to / member` with this one file; made whole or not at all.

    What is there already is returned as it is. FetchFailed when the archive is damaged, lacks the member or holds what
    would be put outside `to`.
    """
    wanted = to if member is None else to / member
    if wanted.exists():
        return wanted
    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = Path(tempfile.mkdtemp(prefix=f".{to.name}.", dir=to.parent))
    try:
        with tarfile.open(archive) as tar:
            if member is None:
                tar.extractall(draft, filter="data")
            else:
                tar.extract(member, draft, filter="data")
        _publish(draft if member is None else draft / member, wanted)
    except KeyError:
        raise FetchFailed(f"{archive}: holds no {member}") from None
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise FetchFailed(f"{archive}: cannot be unpacked to {to}: {error}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return wanted


def _publish(draft: Path, wanted: Path) -> None:
    wanted.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        os.replace(draft, wanted)
    except OSError:
        if not wanted.exists():  # otherwise another process was faster, with the same archive
            raise
