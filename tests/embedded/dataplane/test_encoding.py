"""Configuration as protobuf."""

import ast
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.embedded import dataplane
from pytest_ambient.embedded.dataplane import encoding
from pytest_ambient.embedded.dataplane.encoding import Unwritable, encoded, response

SOURCES = sorted(Path(dataplane.__path__[0]).glob("*.py"))
KINDS = ("config.", "extensions.filters.", "extensions.path.", "extensions.transport_sockets.", "type.")
"""All but what only the bootstrap has, which is JSON."""


@pytest.mark.parametrize(
    ("message", "content", "written"),
    [
        ("config.core.v3.SocketAddress", {"address": "::1", "port_value": 15008}, b"\x12\x03::1\x18\xa0\x75"),
        ("config.core.v3.CidrRange", {"prefix_len": 32}, b"\x12\x02\x08\x20"),
        ("config.core.v3.Http2ProtocolOptions", {"allow_connect": True}, b"\x28\x01"),
        ("config.cluster.v3.CircuitBreakers.Thresholds", {"max_retries": 2**31}, b"\x2a\x06\x08\x80\x80\x80\x80\x08"),
        ("config.cluster.v3.Cluster", {"connect_timeout": "10s"}, b"\x22\x04\x08\x0a\x10\x00"),
        ("config.cluster.v3.Cluster", {"connect_timeout": "0.25s"}, b"\x22\x07\x08\x00\x10\x80\xe5\x9a\x77"),
        ("config.cluster.v3.Cluster", {"connect_timeout": "1e-05s"}, b"\x22\x05\x08\x00\x10\x90\x4e"),
        (
            "config.cluster.v3.Cluster",
            {"connect_timeout": "-1.5s"},
            b"\x22\x16\x08" + b"\xff" * 9 + b"\x01\x10\x80\xb6\xca\x91\xfe" + b"\xff" * 4 + b"\x01",
        ),
        ("config.core.v3.Http2ProtocolOptions", {"max_concurrent_streams": 100.0}, b"\x12\x02\x08\x64"),
        ("config.cluster.v3.Cluster", {"lb_policy": "RANDOM"}, b"\x30\x03"),
        ("type.v3.Percent", {"value": 50}, b"\x09\x00\x00\x00\x00\x00\x00\x49\x40"),
        ("config.accesslog.v3.ResponseFlagFilter", {"flags": ["UH", "UF"]}, b"\x0a\x02UH\x0a\x02UF"),
        ("config.listener.v3.Listener", {"internal_listener": {}}, b"\xda\x01\x00"),
        (
            "config.listener.v3.Filter",
            {"typed_config": {"@type": "a/google.protobuf.StringValue", "value": "b"}},
            b"\x22\x24\x0a\x1da/google.protobuf.StringValue\x12\x03\x0a\x01b",
        ),
        (
            "config.listener.v3.Filter",
            {"typed_config": {"@type": "a/envoy.config.core.v3.Pipe", "path": "b"}},
            b"\x22\x22\x0a\x1ba/envoy.config.core.v3.Pipe\x12\x03\x0a\x01b",
        ),
        (
            "config.core.v3.Metadata",
            {"filter_metadata": {"a": {"b": "c"}}},
            b"\x0a\x0f\x0a\x01a\x12\x0a\x0a\x08\x0a\x01b\x12\x03\x1a\x01c",
        ),
        (
            "config.core.v3.Metadata",
            {"filter_metadata": {"a": {"b": [None, True, 1, {}]}}},
            b"\x0a\x25\x0a\x01a\x12\x20\x0a\x1e\x0a\x01b\x12\x19\x32\x17"
            b"\x0a\x02\x08\x00\x0a\x02\x20\x01\x0a\x09\x11\x00\x00\x00\x00\x00\x00\xf0\x3f\x0a\x02\x2a\x00",
        ),
        ("config.core.v3.Pipe", {"path": "x" * 200}, b"\x0a\xc8\x01" + b"x" * 200),
    ],
)
def test_written(message: str, content: dict[str, Any], written: bytes) -> None:
    """Each kind of value, worked out by hand from protobuf's description of its wire format."""
    assert encoded(f"envoy.{message}", content) == written


def test_response() -> None:
    """A file is a DiscoveryResponse: a version, and each resource with its type."""
    expected = b"\x0a\x017" + 2 * b"\x12\x24\x0a\x20type.googleapis.com/envoy.x.Kind\x12\x00"
    assert response("7", "envoy.x.Kind", [b"", b""]) == expected


@pytest.mark.parametrize(
    ("message", "content", "text"),
    [
        ("config.core.v3.Pipe", {"modes": 1}, "envoy.config.core.v3.Pipe has no field modes in wire.txt"),
        ("config.core.v3.Tube", {}, "there is no message envoy.config.core.v3.Tube in wire.txt"),
        ("config.rbac.v3.RBAC", {"action": "MAYBE"}, "envoy.config.rbac.v3.RBAC.action can't be 'MAYBE'"),
        ("type.v3.TokenBucket", {"max_tokens": -1}, "envoy.type.v3.TokenBucket.max_tokens can't be -1"),
        ("type.v3.TokenBucket", {"max_tokens": 2**32}, "envoy.type.v3.TokenBucket.max_tokens can't be 4294967296"),
        ("type.v3.TokenBucket", {"tokens_per_fill": 0.5}, "envoy.type.v3.TokenBucket.tokens_per_fill can't be 0.5"),
        ("type.v3.TokenBucket", {"fill_interval": "1m"}, "envoy.type.v3.TokenBucket.fill_interval can't be '1m'"),
        ("config.core.v3.Pipe", {"path": None}, "envoy.config.core.v3.Pipe.path can't be None"),
        ("config.core.v3.Pipe", {"path": "\ud800"}, "envoy.config.core.v3.Pipe.path can't be '\\ud800'"),
        ("config.core.v3.Address", {"pipe": {"path": None}}, "envoy.config.core.v3.Pipe.path can't be None"),
        ("config.core.v3.Address", {"pipe": "p"}, "envoy.config.core.v3.Address.pipe can't be 'p'"),
        ("config.listener.v3.Filter", {"typed_config": {}}, "envoy.config.listener.v3.Filter.typed_config can't be {}"),
    ],
)
def test_unwritable(message: str, content: dict[str, Any], text: str) -> None:
    """What the table lacks, and a value that its field can't have, is named and never written in another way."""
    with pytest.raises(Unwritable) as told:
        encoded(f"envoy.{message}", content)
    assert str(told.value) == text


def test_table_is_whole() -> None:
    """Every type that a field of the table has is in the table, too."""
    text = files(dataplane).joinpath("wire.txt").read_text("utf-8")
    assert "envoy.config.listener.v3.Listener" in encoding._table()
    for name, entry in encoding._table().items():
        assert entry.enum or encoding._fields(name).keys() == {field for _, field, *_ in entry.listed}, name
        assert len({number for number, *_ in entry.listed}) == len(entry.listed), name
    assert max(map(len, text.splitlines())) <= 120


def test_table_has_what_is_written() -> None:
    """Every extension that the data plane names is in the table, and so are the fields given beside its name."""
    seen = 0
    for kind, fields in _named():
        assert f"envoy.{kind}" in encoding._table(), kind
        assert fields <= encoding._fields(f"envoy.{kind}").keys(), kind
        seen += 1
    assert seen > 15


def _named() -> Iterator[tuple[str, set[str]]]:
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("part", "typed"):
                words = [str(each.value) for each in node.args if isinstance(each, ast.Constant)]
                for kind in filter(lambda word: word.startswith(KINDS), words):
                    yield kind, {word.arg for word in node.keywords if word.arg}
