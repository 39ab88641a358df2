"""What an image says of its version: the release in its tag, what vendors add to it, and the label beside it."""

import re
from collections.abc import Mapping

from pytest_ambient._kube import Object

CONTAINERS: Mapping[str, tuple[str, str]] = {
    "istiod": ("discovery", "pilot"),
    "istio-cni": ("install-cni", "install-cni"),
    "ztunnel": ("istio-proxy", "ztunnel"),
}
"""The container that makes a part what it is, and the last name of its image."""

LABEL = "app.kubernetes.io/version"
"""What Istio's charts say of the version they were made for; all there is where images are named by digest alone."""

VARIANTS = ("-distroless", "-debug")
"""What images of one and the same build are called beside each other."""

_RELEASE = re.compile(r"v?(\d{1,2}\.\d{1,3}(?:\.\d{1,3})?(?:-(?:alpha|beta|rc)(?:\.\w+)*)?)(?![\w.])")


def image_of(item: Object, part: str) -> str:
    """The image of the container that makes a Deployment or DaemonSet this part of a mesh."""
    template = (item.get("spec") or {}).get("template") or {"spec": {}}
    containers = template["spec"].get("containers") or [{}]
    wanted = CONTAINERS.get(part, ("", ""))[0]
    return str(next((c for c in containers if c.get("name") == wanted), containers[0]).get("image", ""))


def tag_of(image: str) -> str:
    """The tag as it is written, `v1.30.3-distroless`; empty when there is none beside a digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def name_of(image: str) -> str:
    """The last name of an image, without tag and digest: `ztunnel`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def at_release(image: str, other: str) -> str:
    """The image whose tag says the release of another version in the place of its own, and all else that it says."""
    tag, plain = tag_of(image), image.partition("@")[0]
    return f"{plain.removesuffix(tag)}{tag.replace(release(tag), release(other), 1)}"


def build_of(image: str) -> str:
    """The build in an image's tag, a vendor's words with it: `1.30.3-fips`; empty when it has no tag."""
    tag = tag_of(image)
    for variant in VARIANTS:
        tag = tag.removesuffix(variant)
    return re.sub(r"^v(?=\d)", "", tag)


def release(text: str) -> str:
    """The release that a tag or label begins with, without what vendors add: `1.30.3`, `1.31.0-rc.0`; empty for none.

    One release is one behaviour to us: vendors, hardened builds and bases of images do not tell versions apart.
    """
    found = _RELEASE.match(text)
    return found[1] if found else ""


def release_of(item: Object, image: str) -> str:
    """The release of a Deployment or DaemonSet: its image's, else its label's, whichever says more; empty for none."""
    tag, label = release(tag_of(image)), release(str((item["metadata"].get("labels") or {}).get(LABEL, "")))
    return label if not tag or fits(label, tag) else tag


def fits(found: str, wanted: str) -> bool:
    """Whether a version is the wanted one or says more: 1.30.3 where 1.30 is wanted, 1.30.3-fips where 1.30.3 is."""
    more = found.startswith((f"{wanted}-", f"{wanted}.")) and not _earlier(found, wanted)
    return found == wanted or more


def _earlier(found: str, wanted: str) -> bool:
    """Whether it is but a pre-release of the wanted one."""
    return release(found) != wanted and release(found).startswith(f"{wanted}-")
