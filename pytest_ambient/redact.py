"""Takes secrets out of what is going to be written or shown: tokens, keys, cookies, passwords, data of Secrets."""

import base64
import binascii
import copy
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

Object: TypeAlias = dict[str, Any]
Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

GONE: Final = "<redacted>"
"""What stands where a secret stood."""

SHORTEST = 8
"""Characters from which on a known value is looked for: shorter ones would be found in innocent words."""

HEADERS = (
    "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token", "x-csrf-token",
    "x-amz-security-token", "x-forwarded-client-cert",
)  # fmt: skip
"""Headers whose values nobody must read."""

FIELDS = (
    "token", "id-token", "id_token", "idToken", "access-token", "access_token", "accessToken", "refresh-token",
    "refresh_token", "refreshToken", "bearerToken", "bearer_token", "password", "passwd", "client-secret",
    "client_secret", "clientSecret", "client-key-data", "clientKeyData", "client-certificate-data",
    "clientCertificateData", "private_key", "privateKey", "secret_key", "secretKey", "api_key", "apiKey",
)  # fmt: skip
"""Fields of kubeconfigs and other configurations whose values nobody must read."""

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""The annotation with a copy of all of an object, Secrets' data and environments included."""

_NAMES = "|".join(map(re.escape, HEADERS))
_KEYS = "|".join(map(re.escape, FIELDS))
_SMALL = tuple({name.lower(): None for name in FIELDS})
_Q = r"""\\?["']"""

PATTERNS: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    (
        ("private key",),
        re.compile(r"(-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----).*?(-----END \2-----|\Z)", re.DOTALL),
        rf"\1{GONE}\3",
    ),
    # a header in a mapping: its one value or its list of them; then one on a line or in an argument of its own
    (
        HEADERS,
        re.compile(rf"({_Q}(?:{_NAMES}){_Q}\s*[:,=]\s*)[\[(][^\])]*([\])])", re.IGNORECASE),
        rf"\1[{GONE}]",
    ),
    (HEADERS, re.compile(rf"({_Q}(?:{_NAMES}){_Q}\s*[:,=]\s*({_Q})).*?\2", re.IGNORECASE), rf"\1{GONE}\2"),
    (HEADERS, re.compile(rf"""(['"](?:{_NAMES}):[ \t]*)[^'"\r\n]+""", re.IGNORECASE), rf"\1{GONE}"),
    (HEADERS, re.compile(rf"(?<![\w'\"-])((?:{_NAMES}):[ \t]*)[^\r\n]+", re.IGNORECASE), rf"\1{GONE}"),
    (("eyj",), re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"), GONE),
    (
        ("bearer", "basic", "negotiate"),
        re.compile(r"\b(Bearer|Basic|Negotiate) +[A-Za-z0-9._~+/=-]{6,}"),
        rf"\1 {GONE}",
    ),
    (
        ("gh", "glpat-", "xox", "akia", "sha256~", "k8s-aws-v1.", "ya29.", "hvs."),
        re.compile(
            r"\b(?:gh[opsu]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abps]-[\w-]{10,}"
            r"|AKIA[0-9A-Z]{16}|sha256~[\w-]{20,}|k8s-aws-v1\.[\w-]{8,}|ya29\.[\w-]{10,}|hvs\.[\w-]{10,})"
        ),
        GONE,
    ),
    (("://",), re.compile(r"(://)[^/\s:@'\"]+:[^/\s@'\"]+@"), rf"\1{GONE}@"),
    (
        ("token=", "apikey=", "api_key=", "password=", "secret=", "sig="),
        re.compile(r"([?&](?:access_|id_)?(?:token|api_?key|password|secret|sig)=)[^&\s'\"#]+", re.IGNORECASE),
        rf"\1{GONE}",
    ),
    (_SMALL, re.compile(rf"({_Q}(?:{_KEYS}){_Q}\s*[:=]\s*({_Q})).*?\2"), rf"\1{GONE}\2"),
    (_SMALL, re.compile(rf"(?<![\w'\"-])((?:{_KEYS})[:=][ \t]*)(?![{{\[|>&*<\s])[^\s,]+"), rf"\1{GONE}"),
)
"""What secrets look like, and what is left of them, in this order; before each, words in small letters of which one
must be in a text: looking for words costs a fraction of looking for patterns."""


def redacted(text: str, known: Iterable[str] = ()) -> str:
    """The text without what looks like a secret, and without the values that are known to be some."""
    for value in sorted({*known}, key=len, reverse=True):
        if len(value) >= SHORTEST:
            text = text.replace(value, GONE)
    small = text.lower()
    for words, pattern, left in PATTERNS:
        # beyond ASCII a pattern knows more letters for one than `lower` does
        if not text.isascii() or any(word in small for word in words):
            text = pattern.sub(left, text)
    return text


def cleaned(value: Json, known: Iterable[str] = ()) -> Json:
    """Plain values with every text in them redacted."""
    if isinstance(value, str):
        return redacted(value, known)
    if isinstance(value, list):
        return [cleaned(one, known) for one in value]
    if isinstance(value, dict):
        return {key: cleaned(one, known) for key, one in value.items()}
    return value


def shown(item: Object) -> Object:
    """A Kubernetes object without what may be secret by its place: contents of Secrets, values in environments."""
    item = copy.deepcopy(item)
    (item.get("metadata", {}).get("annotations") or {}).pop(LAST_APPLIED, None)
    if item.get("kind") == "Secret":
        for key in ("data", "stringData"):
            item[key] = dict.fromkeys(item.get(key) or {}, GONE)
    for entry in _environments(item):
        if "value" in entry:
            entry["value"] = GONE
    return item


def credentials(kubeconfig: str) -> frozenset[str]:
    """The values of a kubeconfig that nobody must read, decoded too; none when it is no YAML."""
    import yaml

    try:
        config = yaml.safe_load(kubeconfig)
        users = [entry.get("user") or {} for entry in config.get("users") or ()]
    except (yaml.YAMLError, AttributeError, TypeError):
        return frozenset()
    found = {value for user in users for value in _secrets(user)}
    return frozenset(found | {plain for value in found if (plain := _decoded(value))})


def _secrets(user: Object) -> Iterator[str]:
    keys = (*FIELDS, "auth-provider", "config")
    for key, value in user.items():
        if isinstance(value, dict) and key in keys:
            yield from _secrets(value)
        elif isinstance(value, str) and key in keys:
            yield value
        elif key == "exec" and isinstance(value, dict):
            yield from (str(one.get("value") or "") for one in value.get("env") or ())


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode().strip()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def _environments(value: Any) -> Iterator[Object]:
    """Every entry of an `env` list, wherever it is."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "env" and isinstance(one, list):
                yield from (entry for entry in one if isinstance(entry, dict))
            else:
                yield from _environments(one)
    elif isinstance(value, list):
        for one in value:
            yield from _environments(one)
