"""The certificates that a listener of a Gateway shows its callers, and what is wrong with them.

Reasons and messages are those of Istio 1.30.3.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ..objects import Object, namespace_of
from .backends import Unresolved, granted
from .model import Certificate
from .view import View

_PAIRS = (("cert", "key"), ("tls.crt", "tls.key"))
"""Under which names a Secret may hold a chain and its key: the first pair with values counts."""
_MOST = 2
_NAMED = 3
_INVALID, _NOT_PERMITTED = "InvalidCertificateRef", "RefNotPermitted"
_WHY = "(missing a ReferenceGrant?)"


@dataclass(frozen=True)
class Shown:
    """What a listener shows; nothing without TLS, and where all that it names cannot be used."""

    certificates: tuple[Certificate, ...] = ()
    problem: Unresolved | None = None
    """Why it serves nobody; what is wrong with one of two is not told."""


def shown(view: View, gateway: Object, listener: Object) -> Shown:
    """The certificates that a listener names and what is wrong with them."""
    refs: Sequence[Object] = (listener.get("tls") or {}).get("certificateRefs") or ()
    if len(refs) > _MOST:
        return Shown(problem=Unresolved(_INVALID, f"TLS mode can only support up to {_MOST} server certificates"))
    found = [_certificate(view, gateway, each) for each in refs]
    good = tuple(each for each in found if isinstance(each, Certificate))
    bad = [each for each in found if isinstance(each, Unresolved)]
    if good or not bad:
        return Shown(good)
    return Shown(problem=Unresolved(bad[0].reason, "; ".join(each.message for each in bad)))


def _certificate(view: View, gateway: Object, ref: Object) -> Certificate | Unresolved:
    group, kind, name = str(ref.get("group", "")), str(ref.get("kind", "Secret")), str(ref.get("name", ""))
    own, namespace = namespace_of(gateway), str(ref.get("namespace") or namespace_of(gateway))
    about = f"invalid certificate reference {group}/{kind}/{name}.{ref.get('namespace', '')}"
    if (group, kind) != ("", "Secret"):
        return Unresolved(_INVALID, f"{about}, only secret is allowed")
    secret = view.secret_by_key.get(f"{namespace}/{name}")
    if secret is None:
        return Unresolved(_INVALID, f"{about}, secret {namespace}/{name} not found")
    found = _held(secret.get("data") or {})
    if isinstance(found, str):
        return Unresolved(_INVALID, f"{about}, {found}")
    if namespace != own and not granted(view, "Gateway", own, "Secret", namespace, name):
        why = f'not accessible to a Gateway in namespace "{own}" {_WHY}'
        return Unresolved(_NOT_PERMITTED, f"certificateRef {name}/{namespace} {why}")
    return found


def _held(data: Mapping[str, str]) -> Certificate | str:
    """The pair in a Secret, or why there is none that can be used."""
    for chain, key in _PAIRS:
        if data.get(chain) and data.get(key):
            texts = [_text(data[each]) for each in (chain, key)]
            malformed = _malformed(*texts)
            if malformed:
                return f"the certificate is malformed: {malformed}"
            return Certificate(*texts)
    for chain, key in _PAIRS:
        if chain in data and key in data:
            return f'found keys "{chain}" and "{key}", but they were empty'
    wanted = " or ".join(f"({chain} and {key})" for chain, key in _PAIRS)
    names = sorted(data)
    more = f", and {len(names) - _NAMED} more..." if len(names) >= _NAMED else ""
    return f"found secret, but didn't have expected keys {wanted}; found: {', '.join(names[:_NAMED])}{more}"


def _text(coded: str) -> str:
    """A value of a Secret as text; what is none of it is left out."""
    try:
        return base64.b64decode(coded).decode(errors="ignore")
    except ValueError:
        return ""


@lru_cache(maxsize=32)
def _malformed(chain: str, key: str) -> str:
    """What Go's crypto/tls says of a pair that is none; empty for one that fits."""
    for text, what in ((chain, "certificate"), (key, "key")):
        if "-----BEGIN" not in text:
            return f"tls: failed to find any PEM data in {what} input"
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    try:
        shown = x509.load_pem_x509_certificates(chain.encode())[0].public_key().public_bytes(*form)
    except (ValueError, UnsupportedAlgorithm):
        return "x509: malformed certificate"
    try:
        own = serialization.load_pem_private_key(key.encode(), password=None).public_key().public_bytes(*form)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "tls: failed to parse private key"
    return "" if own == shown else "tls: private key does not match public key"
