"""The certificates of a Gateway's listeners: what is wrong with them, and what is served of them (Istio 1.30.3)."""

import base64

import pytest

from pytest_ambient.embedded.istiod.model import Certificate
from pytest_ambient.embedded.istiod.statuses import statuses
from pytest_ambient.embedded.istiod.view import View
from pytest_ambient.embedded.objects import Object, name_of

from ..signed import certificate
from .world import CLOCK, facts, mesh_of, meta

GRANT: Object = {
    "metadata": {"name": "g", "namespace": "shop"},
    "spec": {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "bookinfo"}],
        "to": [{"group": "", "kind": "Secret"}],
    },
}


ONE, TWO = certificate("books.example"), certificate("books.example")


def secret(name: str = "books", space: str = "bookinfo", **data: str) -> Object:
    """A Secret with that in it, `_` for the dots of its keys."""
    coded = {key.replace("_", "."): base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": space}, "data": coded}


def whole(name: str = "books", space: str = "bookinfo", of: Certificate = ONE) -> Object:
    """A Secret of type kubernetes.io/tls."""
    return secret(name, space, tls_crt=of.chain, tls_key=of.key)


def gateway(*refs: Object) -> Object:
    """A Gateway that shows these."""
    named = [{"group": "", "kind": "Secret", "name": "books"} | each for each in refs or ({},)]
    listener = {"name": "https", "port": 443, "protocol": "HTTPS", "hostname": "books.example"}
    spec = {"gatewayClassName": "istio", "listeners": [listener | {"tls": {"certificateRefs": named}}]}
    return {"kind": "Gateway", "metadata": meta("front"), "spec": spec}


ABOUT = "invalid certificate reference /Secret/books., "
MALFORMED = f"{ABOUT}the certificate is malformed: tls: "
LACKING = f"{ABOUT}found secret, but didn't have expected keys (cert and key) or (tls.crt and tls.key); found: "


@pytest.mark.parametrize(
    ("view", "reason", "message"),
    [
        (View(gateways=[gateway()]), "InvalidCertificateRef", f"{ABOUT}secret bookinfo/books not found"),
        (
            View(gateways=[gateway({"kind": "ConfigMap"})]),
            "InvalidCertificateRef",
            "invalid certificate reference /ConfigMap/books., only secret is allowed",
        ),
        (View(gateways=[gateway()], secrets=[secret(a="1")]), "InvalidCertificateRef", f"{LACKING}a"),
        (
            View(gateways=[gateway()], secrets=[secret(d="1", c="1", b="1", a="1")]),
            "InvalidCertificateRef",
            f"{LACKING}a, b, c, and 1 more...",
        ),
        (
            View(gateways=[gateway()], secrets=[secret(tls_crt="", tls_key="")]),
            "InvalidCertificateRef",
            f'{ABOUT}found keys "tls.crt" and "tls.key", but they were empty',
        ),
        (
            View(gateways=[gateway()], secrets=[secret(tls_crt="x", tls_key=ONE.key)]),
            "InvalidCertificateRef",
            f"{MALFORMED}failed to find any PEM data in certificate input",
        ),
        (
            View(gateways=[gateway()], secrets=[secret(tls_crt=ONE.chain, tls_key="x")]),
            "InvalidCertificateRef",
            f"{MALFORMED}failed to find any PEM data in key input",
        ),
        (
            View(gateways=[gateway()], secrets=[secret(tls_crt=ONE.chain, tls_key=TWO.key)]),
            "InvalidCertificateRef",
            f"{MALFORMED}private key does not match public key",
        ),
        (
            View(gateways=[gateway({"namespace": "shop"})], secrets=[whole(space="shop")]),
            "RefNotPermitted",
            'certificateRef books/shop not accessible to a Gateway in namespace "bookinfo" (missing a ReferenceGrant?)',
        ),
        (
            View(gateways=[gateway({}, {"name": "b"}, {"name": "c"})], secrets=[whole()]),
            "InvalidCertificateRef",
            "TLS mode can only support up to 2 server certificates",
        ),
        (
            View(gateways=[gateway({}, {"name": "b"})]),
            "InvalidCertificateRef",
            f"{ABOUT}secret bookinfo/books not found; {ABOUT.replace('books', 'b')}secret bookinfo/b not found",
        ),
    ],
)
def test_what_cannot_be_shown_is_told_and_serves_nobody(view: View, reason: str, message: str) -> None:
    """The listener says why, is not programmed and not listened on; the Gateway says nothing of it."""
    status = next(each.status for each in statuses(view, CLOCK) if name_of(each.item) == "front")
    (listener,) = status["listeners"]
    assert facts(listener)[2:] == [
        ("Programmed", "False", "Invalid", "Bad TLS configuration"),
        ("ResolvedRefs", "False", reason, message),
    ]
    assert facts(status)[0][:3] == ("Accepted", "True", "Accepted")
    assert mesh_of(view).ingresses["bookinfo/front"].secured == {}


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        (View(gateways=[gateway()], secrets=[whole()]), (ONE,)),
        (View(gateways=[gateway()], secrets=[secret(cert=ONE.chain, key=ONE.key)]), (ONE,)),
        (View(gateways=[gateway({"namespace": "shop"})], secrets=[whole(space="shop")], grants=[GRANT]), (ONE,)),
        (View(gateways=[gateway({}, {"name": "b"})], secrets=[whole(), whole("b", of=TWO)]), (ONE, TWO)),
        (View(gateways=[gateway({}, {"name": "b"})], secrets=[whole()]), (ONE,)),
    ],
)
def test_what_can_be_shown_is_served(view: View, shown: tuple[Certificate, ...]) -> None:
    """Of two names one that leads nowhere harms nobody."""
    entry = mesh_of(view).ingresses["bookinfo/front"]
    ((end,),) = entry.secured.values()
    assert (end.hostname, end.certificates, entry.ports) == ("books.example", shown, {})
    status = next(each.status for each in statuses(view, CLOCK) if name_of(each.item) == "front")
    assert [each[1] for each in facts(status["listeners"][0])] == ["True", "False", "True", "True"]


@pytest.mark.parametrize("coded", ["x", "//79/A==", base64.b64encode(b"\xff\xfe").decode()])
def test_what_is_no_text_stops_nobody(coded: str) -> None:
    """Odd Secrets are told of as any other that is none."""
    odd = whole()
    odd["data"]["tls.crt"] = coded
    status = next(each.status for each in statuses(View(gateways=[gateway()], secrets=[odd]), CLOCK))
    assert "failed to find any PEM data in certificate input" in facts(status["listeners"][0])[3][3]


def test_keys_are_not_printed() -> None:
    """Whatever shows the mesh in a log."""
    assert "PRIVATE" not in repr(ONE)
