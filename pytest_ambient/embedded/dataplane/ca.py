"""The mesh's certificate authority: one SPIFFE certificate per service account, made when it is first needed."""

import base64
import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..istiod.model import TRUST_DOMAIN, Identity
from ..objects import Object

_LIFETIME = datetime.timedelta(days=365)  # nothing renews them, and a cluster may be kept for weeks
_SKEW = datetime.timedelta(minutes=2)


@dataclass(frozen=True)
class Leaf:
    """A certificate on disk."""

    chain: Path
    key: Path
    certificate: x509.Certificate

    @property
    def described(self) -> Object:
        """As ztunnel's config_dump shows a certificate."""
        return describe(self.certificate)


class Authority:
    """Issues the mesh's certificates into one folder, readable by this user alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, TRUST_DOMAIN)])
        self.root = (
            _certificate(self._key.public_key(), self._subject, self._subject)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.root_file = folder / "root.pem"
        self.root_file.write_bytes(self.root.public_bytes(Encoding.PEM))
        self._leaves: dict[Identity, Leaf] = {}

    def leaf(self, identity: Identity) -> Leaf:
        """The certificate of a service account."""
        if identity not in self._leaves:
            self._leaves[identity] = self._issue(identity)
        return self._leaves[identity]

    def _issue(self, identity: Identity) -> Leaf:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity.uri)])
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        certificate = (
            _certificate(key.public_key(), x509.Name([]), self._subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=False)
            .add_extension(name, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        stem = self._folder / f"{identity.namespace}.{identity.account}"
        chain, secret = Path(f"{stem}.pem"), Path(f"{stem}.key")
        secret.touch(mode=0o600)
        secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        chain.write_bytes(certificate.public_bytes(Encoding.PEM))
        return Leaf(chain, secret, certificate)


def describe(certificate: x509.Certificate) -> Object:
    """A certificate as ztunnel's config_dump shows it; `pem` is the PEM text in base64 once more."""
    return {
        "pem": base64.b64encode(certificate.public_bytes(Encoding.PEM)).decode(),
        "serialNumber": str(certificate.serial_number),
        "validFrom": f"{certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}",
        "expirationTime": f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
    }


def _certificate(key: ec.EllipticCurvePublicKey, subject: x509.Name, issuer: x509.Name) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .public_key(key)
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _LIFETIME)
    )
