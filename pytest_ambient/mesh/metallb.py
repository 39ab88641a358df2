"""MetalLB, which gives Services of type LoadBalancer an address out of the network that the nodes are in."""

import ipaddress
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_ambient import _fetch
from pytest_ambient._kube import Object
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import InstallerError, Invalid, KubeError

NAME = "metallb"
VERSION = "v0.15.3"
URL = f"https://raw.githubusercontent.com/metallb/metallb/{VERSION}/config/manifests/metallb-native.yaml"
SHA256 = "84b4e102f2b65f5d69085f5816c29362b74641873d8ac3de996e5f86a8219176"
IMAGES = (f"quay.io/metallb/controller:{VERSION}", f"quay.io/metallb/speaker:{VERSION}")
NAMESPACE = "metallb-system"
POOL = "pytest-ambient"
"""The name of the pool and of its announcement."""

MOST = 50
"""Addresses that a pool has at most."""
SHARE = 4
"""A pool takes no more than one address in so many: the rest is for nodes."""


def pool(subnets: Sequence[str]) -> str:
    """`FIRST-LAST`: addresses near the end of the first IPv4 subnet; InstallerError when there is none or no room.

    Container runtimes give addresses from the start. The very last one is left out, for some put the gateway there.
    """
    found = [ipaddress.ip_network(subnet, strict=False) for subnet in subnets]
    networks = [network for network in found if isinstance(network, ipaddress.IPv4Network)]
    if not networks:
        raise InstallerError(
            f"addon {NAME}: no IPv4 subnet of the nodes' network is known, there are {', '.join(subnets) or 'none'}"
        )
    hosts = networks[0].num_addresses - 2
    size = min(MOST, hosts // SHARE)
    if size < 1:
        raise InstallerError(f"addon {NAME}: subnet {networks[0]} is too small to give addresses away")
    last = networks[0].broadcast_address - 2
    return f"{last - (size - 1)}-{last}"


def manifest(within: float) -> Path:
    """MetalLB's own manifest, downloaded once and checked; FetchFailed says where to put it without a network."""
    return _fetch.fetch(URL, sha256=SHA256, name=f"{NAME}/{VERSION}/metallb-native.yaml", within=within)


def resources(subnets: Sequence[str]) -> list[Object]:
    """The pool and its announcement on the nodes' network."""
    meta = {"name": POOL, "namespace": NAMESPACE}
    version = "metallb.io/v1beta1"
    return [
        {"apiVersion": version, "kind": "IPAddressPool", "metadata": meta, "spec": {"addresses": [pool(subnets)]}},
        {"apiVersion": version, "kind": "L2Advertisement", "metadata": meta, "spec": {"ipAddressPools": [POOL]}},
    ]


def applied(apply: Callable[[Object], object], items: Sequence[Object], within: float) -> None:
    """Applies pool and announcement, again and again until the webhook that checks them answers."""
    for item in items:

        def tried(item: Object = item) -> bool | NotYet:
            try:
                apply(item)
            except Invalid:
                raise
            except KubeError as error:
                return NotYet(str(error))
            return True

        until(tried, what=f"{NAME} to take its {item['kind']}", within=within)
