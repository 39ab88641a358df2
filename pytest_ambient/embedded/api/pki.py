"""The API's own certificates and keys: made at start, kept in one folder that only its owner can read."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ADMIN = "kubernetes-admin"
MASTERS = "system:masters"
_LIFE = timedelta(days=365)
_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
_SIGNS = x509.KeyUsage(
    key_cert_sign=True, crl_sign=True, digital_signature=True, content_commitment=False, key_encipherment=False,
    data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
)  # fmt: skip


@dataclass(frozen=True)
class Credentials:
    """What the server shows and what its administrator shows; PEM."""

    folder: Path
    authority: bytes
    client_certificate: bytes
    client_key: bytes
    signing_key: ec.EllipticCurvePrivateKey
    """Signs service account tokens."""

    def server_context(self) -> ssl.SSLContext:
        """TLS for the server: client certificates are looked at, not demanded."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.folder / "server.crt", self.folder / "server.key")
        context.load_verify_locations(self.folder / "ca.crt")
        context.verify_mode = ssl.CERT_OPTIONAL
        context.set_alpn_protocols(["http/1.1"])
        return context


def create(folder: Path, address: str = "127.0.0.1") -> Credentials:
    """Make a new authority with a server certificate for `address` and an administrator; files are mode 0600."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = _key()
    name = _name("kubernetes")
    root = _root(name, key)
    server_key, client_key = _key(), _key()
    server = _leaf(_name("kube-apiserver"), server_key, key, ExtendedKeyUsageOID.SERVER_AUTH, address)
    client = _leaf(_name(ADMIN, MASTERS), client_key, key, ExtendedKeyUsageOID.CLIENT_AUTH)
    authority = root.public_bytes(Encoding.PEM)
    _write(folder / "ca.crt", authority)
    _write(folder / "server.crt", server)
    _write(folder / "server.key", _pem(server_key))
    return Credentials(folder, authority, client, _pem(client_key), _key())


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _name(common: str, organization: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organization:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + _LIFE)


def _root(name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """The authority's certificate, with all that strict clients (Python 3.13) look for."""
    builder = _builder(name, name, key).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.add_extension(_SIGNS, critical=True).sign(key, hashes.SHA256())


def _leaf(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    authority: ec.EllipticCurvePrivateKey,
    usage: x509.ObjectIdentifier,
    address: str = "",
) -> bytes:
    builder = _builder(subject, _name("kubernetes"), key).add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    builder = builder.add_extension(issued_by, critical=False)
    if address:
        names: list[x509.GeneralName] = [x509.DNSName(each) for each in _NAMES]
        addresses = {ip_address(address), IPv4Address("127.0.0.1")}
        names += [x509.IPAddress(each) for each in sorted(addresses, key=str)]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(authority, hashes.SHA256()).public_bytes(Encoding.PEM)


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(content)
