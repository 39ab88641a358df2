"""Places that curl's own options and variables name are those of the cluster."""

from pathlib import Path

import pytest

from pytest_ambient.embedded.objects import Object

from .bench import SERVICE, Bench
from .test_curl import calling

SHOWN = "http://foo.example/get"


@pytest.mark.parametrize(
    "argv",
    [
        ["--resolve", "foo.example:80:{web}", SHOWN],
        ["--resolve", "+foo.example:80:{web},127.0.0.1", SHOWN],
        ["--resolve", "*:80:{web}", SHOWN],
        ["--resolve", "foo.example:8000:{echo}", "http://foo.example:8000/get"],
        ["--connect-to", "foo.example:80:web:80", SHOWN],
        ["--connect-to", "foo.example:80:web.bookinfo:", SHOWN],
        ["--connect-to", "::web:80", SHOWN],
        ["--connect-to", "::{echo}:8000", SHOWN],
        ["-x", "http://web:80", SHOWN],
        ["--proxy", "echo:8000", SHOWN],
        ["-x", "http://web:80", "http://echo:8000/get"],
    ],
    ids=" ".join,
)
def test_a_place_by_an_option(tmp_path: Path, argv: list[str]) -> None:
    """The call comes there from the pod's own address, for the host of the URL."""

    async def scenario(bench: Bench, caller: Object) -> None:
        found = {name: bench.store.get(SERVICE, name, bench.space) or {} for name in ("web", "echo")}
        places = {name: each["spec"]["clusterIP"] for name, each in found.items()}
        code, out, told = await bench.run(caller, "curl", "-sS", *(word.format(**places) for word in argv))
        assert (code, told) == (0, "")
        assert f'"url": "{argv[-1]}"' in out
        assert bench.plane.calls[-1][0] == caller["status"]["podIP"]

    calling(tmp_path, scenario)


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy", "ALL_PROXY"])
def test_a_place_by_a_variable(tmp_path: Path, name: str) -> None:
    """A proxy of the cluster is asked for names that only it needs to know."""

    async def scenario(bench: Bench, caller: Object) -> None:
        code, out, _ = await bench.run(caller, "sh", "-c", f"{name}=http://web:80 curl -s {SHOWN}")
        assert code == 0
        assert '"url": "http://foo.example/get"' in out

    calling(tmp_path, scenario)


@pytest.mark.parametrize(
    "command",
    [
        "http_proxy=http://nosuch:80 curl -s --noproxy '*' http://echo:8000/get",
        "http_proxy=http://nosuch:80 no_proxy=echo curl -s http://echo:8000/get",
        "http_proxy=http://nosuch:80 curl -s -x '' http://echo:8000/get",
    ],
)
def test_a_proxy_that_is_not_asked(tmp_path: Path, command: str) -> None:
    """The cluster's names are known as ever."""

    async def scenario(bench: Bench, caller: Object) -> None:
        code, out, _ = await bench.run(caller, "sh", "-c", command)
        assert code == 0
        assert '"url": "http://echo:8000/get"' in out

    calling(tmp_path, scenario)


def test_a_place_that_nobody_knows_is_not_the_urls(tmp_path: Path) -> None:
    """Without a port of its own, too."""

    async def scenario(bench: Bench, caller: Object) -> None:
        for said in ("web:80:nosuch.example:", "web::nosuch.example:"):
            assert (await bench.run(caller, "curl", "-s", "--connect-to", said, "http://web/get"))[0] == 6

    calling(tmp_path, scenario)


@pytest.mark.parametrize("option", ["--resolve", "--connect-to"])
def test_a_name_of_the_cluster_that_is_said_to_be_elsewhere(tmp_path: Path, option: str) -> None:
    """What was said counts, not the cluster's own word."""

    async def scenario(bench: Bench, caller: Object) -> None:
        nobody = bench.addresses.pods.take()
        said = f"web:80:{nobody}" + (":80" if option == "--connect-to" else "")
        code, _, _ = await bench.run(caller, "curl", "-s", option, said, "http://web/get")
        assert code == 7

    calling(tmp_path, scenario)
