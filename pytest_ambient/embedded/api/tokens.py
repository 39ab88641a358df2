"""Service account tokens: JSON Web Tokens signed with the cluster's own key."""

import base64
import json
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ..objects import Object

ISSUER = "https://kubernetes.default.svc.cluster.local"
HOUR = 3600
_SHORTEST = 600


class Tokens:
    """Signs tokens and knows its own again."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self._known: dict[str, Object] = {}

    def issue(self, account: Object, audiences: Sequence[str] = (), seconds: int | None = None) -> tuple[str, str]:
        """A token for a ServiceAccount and until when it holds: an hour unless asked otherwise."""
        now = int(time.time())
        until = now + max(HOUR if seconds is None else seconds, _SHORTEST)
        meta = account["metadata"]
        claims = {
            "aud": list(audiences) or [ISSUER],
            "exp": until,
            "iat": now,
            "iss": ISSUER,
            "jti": secrets.token_hex(16),
            "kubernetes.io": {
                "namespace": meta["namespace"],
                "serviceaccount": {"name": meta["name"], "uid": meta["uid"]},
            },
            "nbf": now,
            "sub": f"system:serviceaccount:{meta['namespace']}:{meta['name']}",
        }
        signed = f"{_sealed({'alg': 'ES256', 'kid': 'embedded'})}.{_sealed(claims)}"
        first, second = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        signature = _text(first.to_bytes(32, "big") + second.to_bytes(32, "big"))
        return f"{signed}.{signature}", datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def claims(self, token: str) -> Object | None:
        """The claims of a token that this key signed and that still holds, else None."""
        known = self._known.get(token)
        if known is None:
            known = self._opened(token)
            if known is None:
                return None
            self._known[token] = known
        if known["exp"] < time.time():
            del self._known[token]
            return None
        return known

    def _opened(self, token: str) -> Object | None:
        try:
            signed, _, signature = token.rpartition(".")
            raw = _bytes(signature)
            both = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
            self._key.public_key().verify(both, signed.encode(), ec.ECDSA(hashes.SHA256()))
            claims: Object = json.loads(_bytes(signed.partition(".")[2]))
        except (ValueError, InvalidSignature):
            return None
        return claims


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _sealed(content: Object) -> str:
    return _text(json.dumps(content, separators=(",", ":")).encode())
