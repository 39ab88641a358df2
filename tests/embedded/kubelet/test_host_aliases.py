"""Names for addresses that a pod brings along, as a real one finds them in its /etc/hosts."""

from pathlib import Path

import pytest

from pytest_ambient.embedded.kubelet.directions import aliases

from .bench import POD, SERVICE, Bench, play
from .specs import CURL, ECHO, pod, service


@pytest.mark.parametrize("enrolled", [True, False])
def test_names_of_the_pods_own(tmp_path: Path, enrolled: bool) -> None:
    """Its curl, its wget and its programs know them, at every port of what has the address; other pods do not."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("web", ECHO))
        made = bench.store.create(SERVICE, service("web", {"port": 80, "targetPort": 8080}))
        echo = await bench.ready_pod("web")
        given = [
            {"ip": echo["status"]["podIP"], "hostnames": ["friend"]},
            {"ip": made["spec"]["clusterIP"], "hostnames": ["door", "Gate.example"]},
            {"ip": "127.0.0.1", "hostnames": ["me"]},
        ]
        bench.store.create(POD, pod("curl", CURL, ECHO, hostAliases=given))
        bench.store.create(POD, pod("other", CURL))
        caller, other = await bench.ready_pod("curl"), await bench.ready_pod("other")
        for place in ("friend:8080", "door", "gate.example", "me:8080"):
            code, out, _ = await bench.run(caller, "curl", "-s", f"http://{place}/hostname")
            assert (place, code, "hostname" in out) == (place, 0, True)
            assert (await bench.run(caller, "wget", "-q", "-O", "-", f"http://{place}/hostname"))[0] == 0
        program = bench.kubelet._pods[caller["metadata"]["uid"]].caller
        assert (await program.get("http://friend:8080/hostname", {}, 2))[0] == 200
        assert (await bench.run(other, "curl", "-s", "http://door/"))[0] == 6

    play(tmp_path, scenario, enrolled=enrolled)


def test_a_name_leads_where_its_address_does() -> None:
    """Exact ports first, then whatever holds of any host, then the address itself."""
    known = ['connect-to = "127.9.1.1:80:127.9.1.1:20080"', 'connect-to = "other:1:127.9.1.2:2"']
    known += ['connect-to = ":81::20081"']
    assert list(aliases({"friend": "127.9.1.1"}, known)) == [
        'connect-to = "friend:80:127.9.1.1:20080"',
        'connect-to = "friend:81:127.9.1.1:20081"',
        'connect-to = "friend::127.9.1.1:"',
    ]
