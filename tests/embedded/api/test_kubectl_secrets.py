"""Secrets and ConfigMaps: which contents they may have."""

import json

import pytest

from pytest_ambient.embedded.objects import Object

from .world import World


def refused(world: World, kind: str, **content: object) -> str:
    """What kubectl says about an object that may not be."""
    item: Object = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "bad"}} | content
    return world.kubectl("create", "-f", "-", stdin=json.dumps(item), code=1)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("!", 0), ("abc", 0), ("abcdab", 4), ("ab=d", 2), ("ab=", 3), ("a===", 1), ("ab==ab==", 4), ("abc=\nd", 5),
        ("ab\ncd!", 5), ("\u00fc", 0),
    ],
)  # fmt: skip
def test_secrets_hold_base64(world: World, text: str, place: int) -> None:
    """Data that is no base64 is refused with the place where it ceases to be any."""
    assert refused(world, "Secret", data={"a": text}).endswith(
        f'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte {place}\n'
    )


@pytest.mark.parametrize("text", ["", "YQ==", "YWI=", "YW\nI=\n", "YWJj"])
def test_base64_is_taken(world: World, text: str) -> None:
    """Whole groups of four are taken, line ends or not."""
    item = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "good"}, "data": {"a": text}}
    world.kubectl("apply", "-f", "-", stdin=json.dumps(item))
    world.kubectl("delete", "secret", "good")


def test_config_maps_hold_base64_as_binary_data(world: World) -> None:
    """binaryData that is no base64 is refused."""
    said = refused(world, "ConfigMap", binaryData={"a": "abc"})
    assert 'ConfigMap in version "v1" cannot be handled as a ConfigMap: illegal base64 data at input byte 0' in said


def test_a_key_is_data_or_binary_data(world: World) -> None:
    """The same key can't be in both."""
    said = refused(world, "ConfigMap", data={"a": "b", "c": "d"}, binaryData={"a": "YQ=="})
    assert said == (
        'The ConfigMap "bad" is invalid: data[a]: Invalid value: "a": duplicate of key present in binaryData\n'
    )


def test_tls_secrets_have_certificate_and_key(world: World) -> None:
    """A Secret for TLS needs both, be they empty."""
    said = refused(world, "Secret", type="kubernetes.io/tls", data={"other": "YQ=="})
    assert "* data[tls.crt]: Required value\n* data[tls.key]: Required value\n" in said
    assert "tls.crt" not in refused(world, "Secret", type="kubernetes.io/tls", stringData={"tls.crt": ""})
