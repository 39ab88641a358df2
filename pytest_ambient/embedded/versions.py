"""The version of Istio that is played, and the one that an image says it is of."""

VERSION = "1.30.3"
_VARIANTS = ("-distroless", "-debug")


def version_of(image: str) -> str:
    """What an image's tag names, whatever it is: the same programs play it; the one that is played without a tag."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    for variant in _VARIANTS:
        tag = tag.removesuffix(variant)
    return tag or VERSION
