"""What keeps the configuration small: Envoy reads all of it again whenever a pod comes or goes."""

from ipaddress import IPv4Network

from pytest_ambient.embedded.dataplane.matching import blocks
from pytest_ambient.embedded.dataplane.xds import inner, outer, passed_on, pipe, socket, static


def test_addresses_become_the_fewest_blocks_that_hold_no_others() -> None:
    """Neighbours share a block; none is added."""
    values = [f"127.0.0.{last}" for last in (4, 5, 6, 7, 9)]
    assert blocks(values) == [
        {"address_prefix": "127.0.0.4", "prefix_len": 30},
        {"address_prefix": "127.0.0.9", "prefix_len": 32},
    ]
    found = [f"{each['address_prefix']}/{each['prefix_len']}" for each in blocks(values)]
    assert sorted(str(one) for each in found for one in IPv4Network(each)) == values
    assert blocks([]) == []


def test_a_cluster_says_once_how_endpoints_of_one_kind_are_reached() -> None:
    """Plain ones need no word at all."""
    plain, inside = outer(pipe("/a")), inner("originate", "a")
    passed = passed_on(socket("127.0.0.1", 80))
    assert not {key for key in (*static("none"), *static("plain", plain, plain)) if key.startswith("transport")}
    assert static("inside", inside, inside)["transport_socket"]["name"] == "internal_upstream"
    assert static("passed", passed)["transport_socket"]["name"] == "upstream_proxy_protocol"


def test_a_cluster_of_several_kinds_tells_them_apart() -> None:
    """By what each endpoint carries; what carries nothing comes last."""
    mixed = static("mixed", outer(pipe("/a")), inner("originate", "a"))["transport_socket_matches"]
    assert [(each["name"], each["match"]) for each in mixed] == [("inner", {"inner": "true"}), ("outer", {})]
