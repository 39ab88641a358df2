"""What this machine's curl really sends and prints for rows: connections, fragments, cookies, configuration."""

import json
import subprocess

from pytest_ambient.verdict.call import GET, POST
from pytest_ambient.verdict.curl import Row, arguments, config, parse
from pytest_ambient.verdict.outcome import Lost, Outcome
from tests.verdict.server import serving


def run(rows: list[Row], *, by_config: bool = False) -> list[list[Outcome | Lost]]:
    """The rows' observations, sent by arguments or by configuration."""
    argv = ["curl", "-q", "-K", "-"] if by_config else ["curl", *arguments(rows, "TOKEN")]
    stdin = config(rows, "TOKEN").encode() if by_config else b""
    ran = subprocess.run(argv, input=stdin, capture_output=True, timeout=30, check=False)
    return parse(rows, "TOKEN", ran.stdout)


def requests(rows: list[Row], *, by_config: bool = False) -> list[str]:
    """The requests as the server read them."""
    found = []
    for row in run(rows, by_config=by_config):
        for seen in row:
            assert isinstance(seen, Outcome)
            found.append(json.loads(seen.body)["request"])
    return found


def test_a_count_repeats_the_same_request_over_new_connections() -> None:
    """The number in the fragment is never sent, and no request reuses a connection."""
    with serving() as server:
        url = f"http://127.0.0.1:{server.port}/echo?a=[1-2]&b={{x,y}}"
        rows = [Row(GET(url, count=5)), Row(GET(url))]
        lines = {request.split("\r\n")[0] for request in requests(rows)}
        ports = [seen.local_port for row in run(rows) for seen in row if isinstance(seen, Outcome)]
    assert lines == {"GET /echo?a=[1-2]&b={x,y} HTTP/1.1"}
    assert len(set(ports)) == 6


def test_cookies_belong_to_signed_in_rows_only() -> None:
    """A row without a person sends no cookie, before and after a row that has one."""
    with serving() as server:
        url = f"http://127.0.0.1:{server.port}/echo"
        sent = requests([Row(GET(url)), Row(GET(url, signed_in="normal")), Row(GET(url))])
    assert ["Cookie: session=e30.x" in request for request in sent] == [False, True, False]


def test_signing_in_posts_the_form_with_a_referer() -> None:
    """As Bookinfo's page does it: productpage redirects to where the person came from."""
    with serving() as server:
        url = f"http://127.0.0.1:{server.port}/echo"
        argv = ["curl", *arguments([Row(GET(url, signed_in="normal"))], "TOKEN"), "--trace-ascii", "-"]
        here = argv.index("--next")
        argv = [*argv[:here], "--trace-ascii", "-"]
        trace = subprocess.run(argv, capture_output=True, timeout=30, check=False, text=True).stdout
    assert "POST /login HTTP/1.1" in trace
    assert f"Referer: {url}" in trace
    assert "username=normal" in trace


def test_configuration_and_arguments_send_the_same() -> None:
    """Whatever the body and the headers hold."""
    with serving() as server:
        url = f"http://127.0.0.1:{server.port}/echo"
        body = 'a "b" \\ c\n\td # {x} %41 ü'
        rows = [Row(POST(url, headers={"X-Q": 'say "hi" \\n', "X-Empty": ""}, body=body)), Row(GET(url, count=2))]
        assert requests(rows) == requests(rows, by_config=True)


def test_one_failing_row_does_not_stop_the_others() -> None:
    """Every row of a battery has its say."""
    with serving() as server:
        here = f"http://127.0.0.1:{server.port}"
        rows = [Row(GET(f"{here}/reset")), Row(GET(f"http://127.0.0.1:{server.closed}/")), Row(GET(f"{here}/echo"))]
        exits = [seen.exit_code for row in run(rows) for seen in row if isinstance(seen, Outcome)]
    assert exits == [56, 7, 0]
