"""Which programs each kind of image holds, as folders of links that become a container's PATH."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from . import agent, callers

_TEXT = (
    "basename cat chmod cp cut date dd df dirname du echo env expr false find grep head hostname id ln ls md5sum mkdir "
    "mktemp mv od paste printenv printf pwd readlink rm rmdir sed seq sha256sum sleep sort stat tail tar tee test "
    "timeout touch tr true uname uniq wc which whoami xargs yes awk base64"
)
COREUTILS = ("sh", *_TEXT.split())
"""Neither `ps` nor `kill` (they reach the machine's processes), nor callers but these (they are not captured)."""
CALLERS = ("nc", "wget")
"""Busybox's, of our own making."""


@dataclass(frozen=True)
class Flavour:
    """The programs of an image; `curl` among them is the captured one."""

    name: str
    programs: tuple[str, ...]


CURL = Flavour("curl", (*COREUTILS, *CALLERS, "curl"))
NETSHOOT = Flavour("netshoot", (*COREUTILS, *CALLERS, "bash", "curl", "jq"))
DEBIAN = Flavour("debian", (*COREUTILS, "bash"))
DEBIAN_CURL = Flavour("debian-curl", (*COREUTILS, "bash", "curl"))
ALPINE = Flavour("alpine", (*COREUTILS, *CALLERS))
DISTROLESS = Flavour("distroless", ())
PROXY = Flavour("proxy", ("pilot-agent",))

_LED = f"'{sys.executable}' -ISs '{callers.__file__}'"
"""What runs callers of our own."""
_PLACES = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


def program(command: str) -> str:
    """The name of a program written as a bare name or by an absolute path of a usual place; else the path itself."""
    folder, _, name = command.rpartition("/")
    return name if not folder or folder in _PLACES else command


class Folders:
    """Makes each flavour's `bin` folder once, with this machine's programs behind it."""

    def __init__(self, root: Path, wrapper: str) -> None:
        self._root = root
        self._wrapper = wrapper
        self._made: dict[str, Path] = {}

    def bin(self, flavour: Flavour) -> Path:
        """The folder that holds the flavour's programs and nothing else."""
        if flavour.name not in self._made:
            self._made[flavour.name] = self._make(flavour)
        return self._made[flavour.name]

    def _make(self, flavour: Flavour) -> Path:
        folder = self._root / flavour.name
        folder.mkdir(parents=True, exist_ok=True)
        for name in flavour.programs:
            found = shutil.which(name, path=os.environ.get("PATH", "") + ":" + ":".join(_PLACES))
            own = self._own(name, found)
            link = folder / name
            link.unlink(missing_ok=True)
            if own:
                link.write_text(own)
                link.chmod(0o755)
            elif found:
                link.symlink_to(found)
        return folder

    def _own(self, name: str, found: str | None) -> str:
        """The text of a program that must not be the machine's own, empty for all others."""
        if name in CALLERS:
            return f'#!/bin/sh\nexec {_LED} {name} "$@"\n'
        if name == "pilot-agent":
            return f"#!/bin/sh\nexec '{sys.executable}' -ISs '{agent.__file__}' \"$@\"\n"
        if name == "curl" and found:
            return self._wrapper.replace("@CURL@", found).replace("@LED@", _LED)
        return '#!/bin/sh\nprintf "%s\\n" "$HOSTNAME"\n' if name == "hostname" else ""
