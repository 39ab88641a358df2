"""Calls to curl's options and its output back to outcomes, with output recorded from a real curl."""

from dataclasses import replace

import pytest

from pytest_ambient.verdict.call import DELETE, GET, HEAD, POST, Call
from pytest_ambient.verdict.curl import Row, arguments, command, config, parse, pasteable
from pytest_ambient.verdict.outcome import Lost, Outcome
from tests.verdict.outcomes import TOKEN, outcome, replayed
from tests.verdict.record import record, situations
from tests.verdict.server import serving

URL = "http://reviews:9080/reviews/0"
LIMITS = ["--silent", "--show-error", "--noproxy", "*", "--max-time", "10", "--connect-timeout", "5"]
CLOSE = ["--header", "Connection: close"]


def report(index: int, role: str = "call") -> list[str]:
    """The write-out option of a row."""
    return ["--write-out", rf"\nT {index} {role}\n%{{header_json}}\n%{{json}}\n"]


@pytest.mark.parametrize(
    ("name", "exit_code", "status", "body", "error"),
    [
        ("0-through-waypoint", 0, 200, '{"id": "0","podname": "reviews-v1-7bbc4c5497-vmgz9"', ""),
        ("0-waypoint-403", 0, 403, "RBAC: access denied", ""),
        ("0-waypoint-403-head", 0, 403, "", ""),
        ("0-nothing", 0, 200, "", ""),
        ("6-no-address", 6, 0, "", "Could not resolve host: nosuch.invalid"),
        ("18-cut-short", 18, 200, "half", "transfer closed with 96 bytes remaining to read"),
        ("22-fail", 22, 403, "", "The requested URL returned error: 403"),
        ("28-silent", 28, 0, "", "Operation timed out after 1000 milliseconds with 0 bytes received"),
        ("35-no-tls", 35, 0, "", "OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number"),
        ("52-empty", 52, 0, "", "Empty reply from server"),
        ("56-reset", 56, 0, "", "Recv failure: Connection reset by peer"),
        ("56-reset-in-body", 56, 200, "half", "Recv failure: Connection reset by peer"),
    ],
)
def test_a_recording_is_read(name: str, exit_code: int, status: int, body: str, error: str) -> None:
    """Every exit code that the suite knows, as curl 7.88 printed it."""
    seen = outcome(name)
    assert (seen.exit_code, seen.status, seen.error) == (exit_code, status, error)
    assert seen.body[: len(body) or None] == body


@pytest.mark.parametrize("name", ["0-answered", "18-cut-short", "28-silent", "52-empty", "56-reset"])
def test_a_connection_that_was_made_has_its_addresses(name: str) -> None:
    """The witness is found by the caller's address and port, so both must be there even without an answer."""
    seen = outcome(name)
    assert seen.connected
    assert (seen.local_ip, seen.remote_ip) == ("127.0.0.1", "127.0.0.1")
    assert seen.local_port > 0
    assert 0 < seen.connect_ms <= seen.total_ms


@pytest.mark.parametrize("name", ["6-no-address", "7-refused", "28-never-connected"])
def test_a_connection_that_was_not_made_is_not_connected(name: str) -> None:
    """A refusal by ztunnel always connects first, these never do."""
    assert not outcome(name).connected


def test_headers_are_lower_case_and_keep_their_order() -> None:
    """Names are compared without case, repeated values stay apart."""
    assert outcome("0-through-waypoint").header("Server") == "istio-envoy"
    assert outcome("0-binary").headers["x-odd"] == ('"q" \\b', "second")
    assert outcome("0-binary").header("X-Odd") == '"q" \\b, second'
    assert outcome("0-binary").header("absent") is None


def test_a_body_may_hold_anything() -> None:
    """Bytes that are no text, quotes, newlines, something like a report: all of it stays body."""
    raw = bytes(range(256)) + b'\n{"http_code":500}\n'
    assert outcome("0-binary").body == raw.decode(errors="replace")


def test_a_body_may_imitate_a_report_but_for_the_token() -> None:
    """Only the token of this very exec ends a body."""
    forged = b'\nT0 0 call\n{}\n{"http_code":200,"exitcode":0,"num_connects":1}\n'
    real = b'\nT1 0 call\n{}\n{"http_code":403,"exitcode":0,"num_connects":1}\n'
    ((seen,),) = parse([Row(GET(URL))], "T1", forged + real)
    assert isinstance(seen, Outcome)
    assert (seen.status, seen.body) == (403, forged.decode())


def test_each_of_many_requests_is_an_outcome_over_its_own_connection() -> None:
    """A count gives that many outcomes, from that many ports."""
    seen = replayed("0-three-times")
    assert len({one.local_port for one in seen if isinstance(one, Outcome)}) == 3


def test_signing_in_is_not_the_rows_outcome() -> None:
    """The row's outcome is that of its own call."""
    assert outcome("0-signed-in").status == 200


REPORT = '\nT 0 call\n{}\n{"exitcode":%d,"http_code":%d,"num_connects":%d,"errormsg":"why"}\n'


@pytest.mark.parametrize(
    ("stdout", "reason"),
    [
        ("", "curl ended before this request"),
        ("half a body", "curl ended before this request"),
        ('body\nT 0 call\n{}\n{"exitcode":0,', "curl's report is cut off"),
        ("body\nT 0 call", "curl's report is cut off"),
        (REPORT % (0, 0, 1), "curl reports success without an HTTP answer"),
        (REPORT % (0, 200, 0), "curl used a connection that was open already"),
        (REPORT % (3, 0, 0), "curl could not try: why (curl exit 3)"),
        (REPORT % (45, 0, 0), "curl could not try: why (curl exit 45)"),
    ],
)
def test_output_that_proves_nothing_is_lost(stdout: str, reason: str) -> None:
    """No output, half of it, or a request that was never made: none of them is a verdict."""
    assert parse([Row(GET(URL))], "T", stdout.encode()) == [[Lost(reason)]]


def test_rows_after_a_cut_are_lost_and_those_before_it_stand() -> None:
    """A round that broke off keeps what it had."""
    first, second = parse([Row(GET(URL)), Row(GET(URL, count=2))], "T", (REPORT % (0, 200, 1)).encode())
    assert isinstance(first[0], Outcome)
    assert second == [Lost("curl ended before this request")] * 2


LOGIN = '\nT %d login\n%s\n{"exitcode":%d,"http_code":%d,"num_connects":1,"errormsg":"why"}\n'
CALLED = '\nT %d call\n{}\n{"exitcode":0,"http_code":200,"num_connects":1}\n'
COOKIE = '{"set-cookie":["session=abc; Path=/"]}'


@pytest.mark.parametrize(
    ("stdout", "reason"),
    [
        (CALLED % 0, "signing in as normal proved nothing: curl ended before it"),
        (
            LOGIN % (0, "{}", 56, 0) + CALLED % 0,
            "signing in as normal gave no cookie: reset without an HTTP byte (curl exit 56)",
        ),
        (
            LOGIN % (0, "{}", 0, 200) + CALLED % 0,
            "signing in as normal gave no cookie: HTTP 200 from the application",
        ),
        (
            LOGIN % (0, COOKIE, 0, 500) + CALLED % 0,
            "signing in as normal gave no cookie: HTTP 500 from the application",
        ),
    ],
)
def test_a_row_that_did_not_sign_in_proves_nothing(stdout: str, reason: str) -> None:
    """Otherwise an answer to nobody would pass for an answer to that person."""
    assert parse([Row(GET(URL, signed_in="normal"))], "T", stdout.encode()) == [[Lost(reason)]]


def test_a_failure_stands_although_signing_in_failed_too() -> None:
    """A refusal of the call itself needs no cookie to be true."""
    failed = '\nT 0 call\n{}\n{"exitcode":56,"http_code":0,"num_connects":1}\n'
    ((seen,),) = parse([Row(GET(URL, signed_in="normal"))], "T", (LOGIN % (0, "{}", 56, 0) + failed).encode())
    assert isinstance(seen, Outcome)
    assert seen.exit_code == 56


def test_a_cookie_of_an_earlier_row_makes_a_row_prove_nothing() -> None:
    """curl keeps one set of cookies for a whole run: a row is only sure of those that its own sign-in set."""
    rows = [Row(GET(URL, signed_in="normal")), Row(GET(URL, signed_in="test"))]
    tracked = '{"set-cookie":["session=abc; Path=/","track=1"]}'
    stdout = LOGIN % (0, tracked, 0, 302) + CALLED % 0 + LOGIN % (1, COOKIE, 0, 302) + CALLED % 1
    first, second = parse(rows, "T", stdout.encode())
    assert isinstance(first[0], Outcome)
    assert second == [Lost("a cookie of an earlier row was sent too: track")]
    replaced = LOGIN % (0, COOKIE, 0, 302) + CALLED % 0 + LOGIN % (1, COOKIE, 0, 302) + CALLED % 1
    assert all(isinstance(seen, Outcome) for row in parse(rows, "T", replaced.encode()) for seen in row)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (GET(URL), [*report(0), "--url", URL]),
        (DELETE(URL), ["--request", "DELETE", *report(0), "--url", URL]),
        (HEAD(URL), ["--head", "--output", "/dev/null", *report(0), "--url", URL]),
        (
            POST(URL, headers={"X-A": "b", "X-Empty": ""}, body="a=b"),
            [
                *("--request", "POST", "--header", "X-A: b", "--header", "X-Empty;", "--data-raw", "a=b"),
                *(*report(0), "--url", URL),
            ],
        ),
        (GET(URL, count=20), [*report(0), "--url", f"{URL}#[1-20]"]),
        (GET(f"{URL}?a=[1]&b={{x}}"), [*report(0), "--url", rf"{URL}?a=\[1\]&b=\{{x\}}"]),
    ],
    ids=str,
)
def test_a_row_is_one_operation(call: Call, words: list[str]) -> None:
    """Each call has its options, its limits and its report."""
    assert arguments([Row(call)], "T") == ["-q", *LIMITS, *CLOSE, *words]


def test_rows_repeat_all_their_options() -> None:
    """`--next` forgets every option, so each row says them again; signing in is an operation of its own."""
    rows = [Row(GET(URL), 2.5, 0.5), Row(GET("http://productpage:9080/productpage?u=normal", signed_in="normal"))]
    limits = ["--silent", "--show-error", "--noproxy", "*", "--max-time", "2.5", "--connect-timeout", "0.5"]
    page = "http://productpage:9080/productpage?u=normal"
    login = ["--data-raw", "username=normal", "--referer", page, "--cookie", "", "--output", "/dev/null"]
    assert arguments(rows, "T") == [
        *("-q", *limits, *CLOSE, *report(0), "--url", URL, "--next"),
        *(*LIMITS, *CLOSE, *login, *report(1, "login"), "--url", "http://productpage:9080/login", "--next"),
        *(*LIMITS, *CLOSE, "--cookie", "", *report(1), "--url", page),
    ]


def test_rows_that_do_not_fit_travel_on_standard_input() -> None:
    """Up to 8 KiB the rows are arguments, beyond that a configuration which says the same."""
    few = [Row(GET(URL))] * 10
    assert command(few, "T") == (["curl", *arguments(few, "T")], None)
    many = [Row(GET(URL))] * 60
    argv, stdin = command(many, "T")
    assert argv == ["curl", "-q", "-K", "-"]
    assert stdin == config(many, "T").encode()


def test_a_configuration_quotes_what_it_must() -> None:
    """Quotes, backslashes and newlines arrive as they are."""
    text = config([Row(POST(URL, body='a "b" \\ c\n\td'))], "T")
    assert text == "\n".join(
        [
            "silent",
            "show-error",
            'noproxy = "*"',
            'max-time = "10"',
            'connect-timeout = "5"',
            'header = "Connection: close"',
            'request = "POST"',
            r'data-raw = "a \"b\" \\ c\n\td"',
            r'write-out = "\\nT 0 call\\n%{header_json}\\n%{json}\\n"',
            f'url = "{URL}"',
            "",
        ]
    )


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (GET(URL), f"curl -sS {URL}"),
        (DELETE(URL), f"curl -sS -X DELETE {URL}"),
        (HEAD(URL), f"curl -sS -I {URL}"),
        (
            POST(f"{URL}?a=1&b=2", headers={"end-user": "o'neil"}, body="x y"),
            f"curl -sS -X POST -H 'end-user: o'\"'\"'neil' --data-raw 'x y' '{URL}?a=1&b=2'",
        ),
        (GET(URL, count=20), f"curl -sS -H 'Connection: close' '{URL}#[1-20]'"),
        (
            GET("http://productpage:9080/productpage?u=normal", signed_in="normal"),
            "curl -sS -b '' -o /dev/null -e 'http://productpage:9080/productpage?u=normal' -d username=normal "
            "http://productpage:9080/login --next -sS -b '' 'http://productpage:9080/productpage?u=normal'",
        ),
    ],
    ids=str,
)
def test_a_call_can_be_repeated_by_hand(call: Call, line: str) -> None:
    """The line survives a shell as it is."""
    assert pasteable(call, "deploy/curl", "default") == f"kubectl -n default exec deploy/curl -- {line}"


def test_the_line_by_hand_names_cluster_and_container() -> None:
    """Enough to reach the very container that called."""
    line = pasteable(GET(URL), "pod/a", "n", context="kind-ambient", kubeconfig="my file", container="ambient-curl")
    assert line == (
        "kubectl --kubeconfig 'my file' --context kind-ambient -n n exec pod/a -c ambient-curl -- "
        "curl -sS http://reviews:9080/reviews/0"
    )


def test_curl_here_prints_what_was_recorded() -> None:
    """Run again on this machine, each situation gives the outcome of its recording."""

    def comparable(seen: Outcome | Lost) -> object:
        if isinstance(seen, Lost):
            return seen
        return replace(seen, local_port=0, remote_port=0, connect_ms=0.0, total_ms=0.0, error="", headers={})

    quick = ("0-answered", "0-binary", "0-three-times", "0-signed-in", "0-waypoint-403-head", "52-empty", "56-reset")
    with serving() as server:
        calls = situations(server)
        for name in (*quick, "7-refused", "18-cut-short"):
            stdout = str(record(name, calls[name])["stdout"]).encode("latin-1")
            (seen,) = parse([Row(calls[name])], TOKEN, stdout)
            assert [comparable(one) for one in seen] == [comparable(one) for one in replayed(name)]
