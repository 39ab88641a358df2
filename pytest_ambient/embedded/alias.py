"""A short name for a folder that lies deep: the path of a Unix socket ends at 107 characters."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST = 60
"""Characters that a folder may have, so that the longest socket in it still fits."""


@contextmanager
def short(folder: Path) -> Iterator[Path]:
    """The folder itself, or while this lasts a link to it in the temporary folder when its own path is too long.

    Raises FileExistsError when somebody else's file has the link's name.
    """
    if len(str(folder)) <= LONGEST:
        yield folder
        return
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    link = Path(tempfile.gettempdir()) / f"ambient-{name}"
    _claim(link, folder)
    try:
        yield link
    finally:
        link.unlink(missing_ok=True)


def _claim(link: Path, folder: Path) -> None:
    """A link of our own that a killed process left is taken over."""
    if link.is_symlink() and link.lstat().st_uid == os.getuid() and link.readlink() == folder:
        return
    link.symlink_to(folder)
