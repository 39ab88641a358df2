"""What is refused in a ServiceEntry, in the words of the API and of Istio's webhook, and what is only warned of."""

import pytest

from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.store import Store, find
from pytest_ambient.embedded.istiod.validate import guard, warnings
from pytest_ambient.embedded.istiod.view import NETWORKING
from pytest_ambient.embedded.objects import Object

from .entries import HTTP, entry

TCP: Object = {"name": "tcp", "number": 81, "protocol": "TCP"}


def create(item: Object) -> Object:
    """What a store that istiod guards makes of it."""
    store = Store()
    guard(store)
    store.create(find("Namespace"), {"metadata": {"name": "bookinfo"}})
    return store.create(find("ServiceEntry", NETWORKING), item)


def refusal(item: Object) -> ApiError:
    """Why it is refused."""
    with pytest.raises(ApiError) as caught:
        create(item)
    return caught.value


@pytest.mark.parametrize(
    "item",
    [
        entry(workloadSelector={"labels": {"app": "a"}}, location="MESH_INTERNAL"),
        entry(endpoints=[{"address": "10.0.0.1", "ports": {"http": 81}, "labels": {"version": "v1"}}]),
        entry(resolution="DNS", endpoints=[{"address": "details.bookinfo.svc.cluster.local"}], exportTo=["."]),
        entry(resolution="DNS_ROUND_ROBIN"),
        entry(hosts=["a.example", "b.example"], addresses=["10.0.0.1", "2001:db8::1"]),
        entry(hosts=["single"], ports=[TCP], subjectAltNames=["spiffe://x"]),
    ],
)
def test_what_is_right_is_accepted(item: Object) -> None:
    """As it was written."""
    assert create(item)["spec"] == item["spec"]


@pytest.mark.parametrize(
    ("spec", "cause"),
    [
        (
            {"workloadSelector": {}, "endpoints": []},
            'spec: Invalid value: "object": only one of WorkloadSelector or Endpoints can be set',
        ),
        (
            {"resolution": "NONE", "endpoints": [{"address": "10.0.0.1"}]},
            'spec: Invalid value: "object": NONE mode cannot set endpoints',
        ),
        (
            {"resolution": "DNS", "addresses": ["10.0.0.0/8"]},
            'spec: Invalid value: "object": CIDR addresses are allowed only for NONE/STATIC resolution types',
        ),
        (
            {"resolution": "DNS_ROUND_ROBIN", "endpoints": [{"address": "a.b"}, {"address": "b.c"}]},
            'spec: Invalid value: "object": DNS_ROUND_ROBIN mode cannot have multiple endpoints',
        ),
        ({"hosts": ["*"]}, 'spec.hosts[0]: Invalid value: "string": hostname cannot be wildcard'),
        (
            {"ports": [HTTP, TCP | {"number": 80}]},
            'spec.ports: Invalid value: "array": port number cannot be duplicated',
        ),
        (
            {"ports": [HTTP | {"targetPort": 65536}]},
            'spec.ports[0].targetPort: Invalid value: "integer": port must be between 1-65535',
        ),
        ({"endpoints": [{}]}, 'spec.endpoints[0]: Invalid value: "object": Address is required'),
    ],
)
def test_what_the_definition_refuses(spec: Object, cause: str) -> None:
    """In the API's words."""
    error = refusal(entry(**spec))
    assert (error.status, error.reason) == (422, "Invalid")
    assert cause in error.message


@pytest.mark.parametrize(
    ("item", "field", "what"),
    [
        (entry(resolution="NONE"), "spec.resolution", "ServiceEntries of resolution NONE"),
        (entry(resolution="DYNAMIC_DNS"), "spec.resolution", "ServiceEntries of resolution DYNAMIC_DNS"),
        (entry(hosts=["*.example"]), "spec.hosts[0]", "hosts with a wildcard"),
        (entry(addresses=["10.0.0.0/8"]), "spec.addresses[0]", "addresses that are ranges"),
        (entry(endpoints=[{"address": "10.0.0.1", "weight": 3}]), "spec.endpoints[0].weight", "the weight of an"),
        (entry(endpoints=[{"network": "n"}]), "spec.endpoints[0].network", "the network of an endpoint"),
        (entry(endpoints=[{"address": "unix:///a"}]), "spec.endpoints[0].address", "endpoints that are Unix sockets"),
        (
            entry(resolution="DNS", endpoints=[{"address": "a.b.svc"}, {"address": "a.example"}]),
            "spec.endpoints",
            "endpoints inside and outside of the cluster in one ServiceEntry",
        ),
        (
            entry(resolution="DNS", endpoints=[{"address": "single"}, {"address": "10.0.0.1"}]),
            "spec.endpoints",
            "endpoints inside and outside of the cluster in one ServiceEntry",
        ),
        (
            entry(labels={"networking.istio.io/tunnel": "http"}),
            "metadata.labels[networking.istio.io/tunnel]",
            "the label networking.istio.io/tunnel",
        ),
    ],
)
def test_what_the_mesh_does_not_carry_out_is_refused_by_name(item: Object, field: str, what: str) -> None:
    """Never ignored in silence."""
    assert f"{field}: Forbidden: the embedded mesh does not implement {what}" in refusal(item).message


@pytest.mark.parametrize(
    ("spec", "mistake"),
    [
        ({"hosts": ["a_b.example"]}, 'domain name "a_b.example" invalid (label "a_b" invalid)'),
        ({"hosts": ["a.b_c.example"]}, 'domain name "b_c.example" invalid (label "b_c" invalid)'),
        ({"addresses": ["ten"]}, "ten is not a valid IP"),
        ({"ports": [HTTP | {"protocol": "SMTP"}]}, "unsupported protocol: SMTP"),
        ({"ports": [HTTP | {"name": "a.b"}]}, "invalid port name: a.b"),
        ({"endpoints": [{"address": "a.example"}]}, 'endpoint address "a.example" is not a valid IP address'),
        (
            {"resolution": "DNS", "endpoints": [{"address": "a_b"}]},
            'endpoint address "a_b" is not a valid FQDN or an IP address',
        ),
        (
            {"endpoints": [{"address": "10.0.0.1", "ports": {"web": 1}}]},
            "endpoint port 1 is not defined by the service entry",
        ),
        ({"hosts": ["a.example", "b.example"], "ports": [TCP]}, "multiple hosts provided with non-HTTP, non-TLS ports"),
        ({"exportTo": ["*", "x"]}, "cannot have both public (*) and non-public exportTo values for a resource"),
        ({"exportTo": ["bookinfo", "."]}, "duplicate entries in exportTo: . and current namespace bookinfo"),
        ({"exportTo": [".", "bookinfo"]}, "duplicate entries in exportTo for entry bookinfo"),
        ({"exportTo": ["~", "x"]}, "cannot export service entry to no one (~) and someone"),
        ({"exportTo": ["X"]}, "only .,*, or a valid DNS 1123 label is allowed as exportTo entry"),
        ({"workloadSelector": {"labels": {"a": "*"}}}, 'wildcard is not supported in selector: "a=*"'),
    ],
)
def test_mistakes_are_denied_as_by_istios_webhook(spec: Object, mistake: str) -> None:
    """With what it says before and after them."""
    error = refusal(entry(**spec))
    denied = 'admission webhook "validation.istio.io" denied the request: configuration is invalid: '
    assert error.message == denied + mistake


def test_what_is_only_warned_of() -> None:
    """A selector without labels, and TCP without an address."""
    told = "service entry: workload selector specified without labels, will be applied to all services in namespace"
    assert warnings(entry(workloadSelector={})) == [told]
    plain = entry(ports=[TCP], labels={"networking.istio.io/enable-autoallocate-ip": "false"})
    (warning,) = warnings(plain)
    assert warning.startswith("addresses are required for ports serving TCP (or unset) protocol when IP Autoallocation")
    assert warnings(entry()) == []
