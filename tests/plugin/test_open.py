"""`pytest-ambient open`: an address that serves until Ctrl-C, and one line where it cannot."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from pytest_ambient.cli import main
from tests.probe.wire import Wire, page

MAIN = "import sys; from pytest_ambient.cli import main; sys.exit(main())"
READY = [{"type": "Ready", "status": "True"}]


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """An API server in whose namespace shop productpage seems to run."""
    made = Wire(tmp_path_factory.mktemp("wire"))
    made.kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    yield made
    made.close()


def productpage(wire: Wire, port: int) -> None:
    """Let a port of this machine be productpage's."""
    meta = {"name": "productpage", "namespace": "shop", "labels": {"app": "productpage"}}
    ports = [{"port": 9080, "targetPort": port}]
    spec = {"selector": {"app": "productpage"}, "ports": ports}
    wire.kube.apply({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})
    pod = {"containers": [{"name": "main", "image": "curl"}], "nodeName": "n"}
    wire.kube.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod})
    status = {"status": {"phase": "Running", "conditions": READY}}
    wire.kube.patch("v1/Pod", "productpage", "shop", status, subresource="status")


def test_the_address_serves_until_ctrl_c(wire: Wire, tmp_path: Path) -> None:
    """Alone on standard output, with the right path; Ctrl-C is the way to end it, not a failure."""
    with page("hello") as port:
        productpage(wire, port)
        command = [sys.executable, "-c", MAIN, "open", "productpage", f"--ambient-kubeconfig={wire.path}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:")
            assert address.endswith("/productpage")
            with urlopen(address.replace("/productpage", "/config_dump"), timeout=10) as answer:
                assert answer.read() == b'"hello"'
            process.send_signal(signal.SIGINT)
            try:
                rest, told = process.communicate(timeout=20)
            finally:
                process.kill()  # one that did not hear it would be waited for without end
    assert (process.returncode, rest) == (0, "")
    assert told == "carried to shop/productpage until Ctrl-C\n"


def test_a_port_that_is_taken_is_one_line(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1; any other port would not be what was asked for."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        productpage(wire, port)
        words = ["open", "productpage", f"--ambient-kubeconfig={wire.path}", f"--port={port}"]
        assert main(words) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"pytest-ambient: port {port} of 127.0.0.1 cannot be used: {os.strerror(98)}\n"


def test_what_is_not_there_is_one_line(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    """An addon, or a cluster."""
    assert main(["open", "kiali", f"--ambient-kubeconfig={wire.path}"]) == 1
    assert capsys.readouterr().err == (
        "pytest-ambient: kiali is not installed: no Service kiali in the cluster; "
        "--ambient-addons=kiali,prometheus puts it in\n"
    )
    assert main(["open", "kiali"]) == 1
    assert capsys.readouterr().err == (
        "pytest-ambient: there is no cluster bench that pytest-ambient up left: "
        "give --ambient-name, or --ambient-kubeconfig for one that is there\n"
    )


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--ambient-name=a", "--ambient-context=b"], "name two clusters: give one"),
        (["--port=70000", "--ambient-kubeconfig=k"], "--port: wanted a number from 0 to 65535, got 70000"),
        (["--ambient-kubeconfig=/nope"], "--ambient-kubeconfig: /nope cannot be read: No such file or directory"),
        (["--ambient-kubeconfig=/dev/null"], "--ambient-kubeconfig: /dev/null is not a kubeconfig"),
    ],
)
def test_a_wrong_use_is_one_line(words: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2."""
    assert main(["open", "kiali", *words]) == 2
    assert capsys.readouterr().err.rstrip().endswith(text)


def test_what_can_be_opened_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """By the parser."""
    with pytest.raises(SystemExit):
        main(["open", "zipkin"])
    assert "'grafana', 'jaeger', 'kiali', 'productpage', 'prometheus'" in capsys.readouterr().err.replace(
        "choose from grafana, jaeger, kiali, productpage, prometheus",
        "'grafana', 'jaeger', 'kiali', 'productpage', 'prometheus'",
    )
