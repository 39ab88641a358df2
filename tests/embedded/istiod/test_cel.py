"""What is an expression of CEL."""

import pytest

from pytest_ambient.embedded.istiod.cel import mistake


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "response.code >= 400",
        "response.code >= 400 && (connection.mtls || request.url_path.contains('v1beta3'))",
        "!has(request.headers['x'].y) ? 'a' : b ? 1u : -0x1F",
        "has(response.grpc_status)",
        r'''request.headers["x-\"y"] == r'\d+' || b'\x01' == b"""a'b"""''',
        "!!a == --1 + 2 * 3 % .5e-3 / 1e9",
        "[1, 2,].exists(x, x in {'a': 1, 'b': [],}) // a remark",
        "a.map(x, x > 1, x + 1)[0].filter(y, true).size() == size(b)",
        ".google.protobuf.Duration{seconds: 1} < duration('1s')",
        "a.if == timestamp(\n'2020-01-01T00:00:00Z')",
    ],
)
def test_expressions(text: str) -> None:
    """Nothing is wrong with them."""
    assert mistake(text) == ""


@pytest.mark.parametrize(
    ("text", "column", "found"),
    [
        ("", 1, "<EOF>"),
        ("a b", 3, "b"),
        ("a ==", 5, "<EOF>"),
        ("(a", 3, "<EOF>"),
        ("a = 1", 3, "="),
        ("a & b", 3, "&"),
        ("'a", 1, "'"),
        ("'\\q'", 1, "'"),
        ("if", 1, "if"),
        ("a ? b", 6, "<EOF>"),
        ("!-a", 2, "-"),
        ("f(a,)", 5, ")"),
        ("[1 2]", 4, "2"),
        ("{1}", 3, "}"),
        ("has(a)", 5, "a"),
        ("a.all(1, true)", 7, "1"),
        ("a.1", 2, ".1"),
    ],
)
def test_what_is_none(text: str, column: int, found: str) -> None:
    """The message says where."""
    assert mistake(text) == f"ERROR: <input>:1:{column}: Syntax error at '{found}'"


def test_lines_are_counted() -> None:
    """As a block of YAML has several."""
    assert mistake("a &&\n  b c") == "ERROR: <input>:2:5: Syntax error at 'c'"


def test_what_nests_too_deep_is_refused() -> None:
    """As Istio's reader does it: it is told, nothing ends."""
    assert mistake("(" * 5000 + "a" + ")" * 5000) == "expression recursion limit exceeded"
