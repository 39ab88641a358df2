"""What is said of a mesh configuration that is not heeded."""

import pytest

from pytest_ambient.embedded.istiod.validate import warnings
from pytest_ambient.embedded.objects import Object

from .world import meta


def config(text: str, name: str = "istio") -> Object:
    """The ConfigMap of the mesh."""
    return {"kind": "ConfigMap", "metadata": meta(name, "istio-system"), "data": {"mesh": text}}


@pytest.mark.parametrize(
    ("text", "unheeded"),
    [
        ("accessLogFile: /dev/stdout\nrootNamespace: istio-system\ntrustDomain: cluster.local", []),
        ("accessLogEncoding: JSON\naccessLogFormat: x", ["accessLogEncoding", "accessLogFormat"]),
        ("trustDomain: other.example", ["trustDomain"]),
        ("", []),
        ("[", []),
        ("a: 2020-13-45", []),
        ("1: x\naccessLogEncoding: JSON", ["1", "accessLogEncoding"]),
    ],
)
def test_what_is_not_heeded_is_warned_of(text: str, unheeded: list[str]) -> None:
    """Whoever writes it is told, as it changes nothing."""
    wanted = [f"mesh configuration: the embedded mesh does not heed {each}" for each in unheeded]
    assert warnings(config(text)) == wanted


def test_other_config_maps_are_nobodys_business() -> None:
    """Whatever is in them."""
    assert warnings(config("accessLogEncoding: JSON", "other")) == []
