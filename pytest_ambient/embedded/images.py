"""Which images this cluster knows and what each one runs; the name's last part counts, not its hub, tag or digest."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from .apps import httpbin, istio, samples
from .apps.authorizer import Authorizer
from .apps.details import Details
from .apps.jaeger import Jaeger
from .apps.productpage import Productpage
from .apps.program import Maker
from .apps.ratings import Ratings
from .apps.reviews import Reviews
from .kubelet.flavours import ALPINE, CURL, DEBIAN, DEBIAN_CURL, DISTROLESS, NETSHOOT, PROXY, Flavour, program

_REFERENCE = re.compile(r"(?P<path>[^@\s]+?)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>[\w:+.-]+))?")
_PATH = re.compile(r"(?:[\w.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*")


@dataclass(frozen=True)
class Image:
    """What stands behind an image's name."""

    flavour: Flavour
    program: Maker | None
    """The program that runs when the pod gives no command; None where `command` runs instead."""
    command: tuple[str, ...] = ()
    """What a container without an embedded program runs by default."""
    entry: tuple[str, ...] = ()
    """By which names the embedded program may be called when the pod does give a command."""
    told: Maker | None = None
    """What runs in the program's place where it is asked for its `version`."""

    def invocation(self, command: Sequence[str], args: Sequence[str]) -> tuple[Maker | None, tuple[str, ...]]:
        """The embedded program and its arguments, or None and the whole command that runs instead of one."""
        if command:
            name = program(command[0])
            if self.program and name in self.entry:
                return self._asked((*command[1:], *args))
            return None, (*command, *args)
        named = bool(args) and program(args[0]) in self.flavour.programs
        if self.program and not named:
            return self._asked(tuple(args))
        if self.command == ("curl",) and args and not named:  # as the entry point of curl's image does
            return None, ("curl", *args)
        return None, tuple(args) or self.command

    def _asked(self, args: tuple[str, ...]) -> tuple[Maker | None, tuple[str, ...]]:
        return (self.told if self.told and args[:1] == ("version",) else self.program), args


_BOOKINFO = "examples-bookinfo-"
_IMAGES: Mapping[str, Image] = {
    f"{_BOOKINFO}details-v1": Image(DEBIAN, Details, entry=("ruby",)),
    f"{_BOOKINFO}ratings-v1": Image(DEBIAN_CURL, Ratings, entry=("node",)),
    f"{_BOOKINFO}reviews-v1": Image(DEBIAN_CURL, partial(Reviews, color="")),
    f"{_BOOKINFO}reviews-v2": Image(DEBIAN_CURL, partial(Reviews, color="black")),
    f"{_BOOKINFO}reviews-v3": Image(DEBIAN_CURL, partial(Reviews, color="red")),
    f"{_BOOKINFO}productpage-v1": Image(DEBIAN, Productpage, entry=("gunicorn", "python")),
    "curl": Image(CURL, None, ("curl",)),
    "alpine": Image(ALPINE, None, ("sh",)),
    "busybox": Image(ALPINE, None, ("sh",)),
    "netshoot": Image(NETSHOOT, None, ("sh",)),
    "go-httpbin": Image(DISTROLESS, httpbin.go_httpbin, entry=("go-httpbin",)),
    "httpbin": Image(DEBIAN, httpbin.old_httpbin, entry=("gunicorn", "pipenv")),
    "examples-helloworld-v1": Image(DEBIAN, partial(samples.Helloworld, version="v1"), entry=("gunicorn", "python")),
    "examples-helloworld-v2": Image(DEBIAN, partial(samples.Helloworld, version="v2"), entry=("gunicorn", "python")),
    "tcp-echo-server": Image(ALPINE, samples.TcpEcho, entry=("tcp-echo", "tcp-echo-server")),
    "ext-authz": Image(DISTROLESS, Authorizer, entry=("extauthz",)),
    "all-in-one": Image(DISTROLESS, Jaeger, entry=("all-in-one",)),
    "jaeger": Image(DISTROLESS, Jaeger, entry=("jaeger",)),
    "pilot": Image(DISTROLESS, istio.Istiod, entry=("pilot-discovery",), told=istio.Build),
    "ztunnel": Image(DISTROLESS, istio.Ztunnel, entry=("ztunnel",), told=istio.Build),
    "install-cni": Image(DISTROLESS, istio.Cni, entry=("install-cni",), told=istio.Build),
    "proxyv2": Image(PROXY, istio.Proxy, entry=("pilot-agent",), told=istio.Build),
}


class UnknownImage(Exception):
    """No program stands behind that name; the text says so and lists the known ones."""


class BadImageName(Exception):
    """The text is no image's name."""


def find(reference: str) -> Image:
    """What stands behind an image; UnknownImage, or BadImageName when that is no name at all."""
    found = _REFERENCE.fullmatch(reference)
    if not found or not _PATH.fullmatch(found["path"]):
        raise BadImageName(f'couldn\'t parse image name "{reference}": invalid reference format')
    image = _IMAGES.get(found["path"].rpartition("/")[2])
    if image is None:
        known = ", ".join(sorted(_IMAGES))
        raise UnknownImage(
            f'Failed to pull image "{reference}": the embedded cluster has no program for it; '
            f"it knows, under any hub and tag: {known}"
        )
    return image


def known() -> tuple[str, ...]:
    """The names of all images, without hub and tag."""
    return tuple(sorted(_IMAGES))
