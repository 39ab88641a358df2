"""What the values in an AuthorizationPolicy must look like; each check returns what is wrong, empty when nothing is."""

import re
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address

ADDRESSES = ("ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks")
ACCOUNTS = ("serviceAccounts", "notServiceAccounts")
PORTS = ("ports", "notPorts")
_DOMAINS = ("trustDomains", "notTrustDomains")
_PATHS = ("paths", "notPaths")
_TEMPLATES = ("{*}", "{**}")
_LITERAL = re.compile(r"[a-zA-Z0-9-._~%!$&'()+,;:@=]+")
Check = Callable[[str, str], str]
"""What is wrong with a value; it is told where it was found."""


def checked(where: str, values: Sequence[str], check: Check) -> Iterator[str]:
    """What is wrong with the values; only ports and addresses are told of one by one."""
    found = (mistake for value in values if (mistake := nonempty(value, where) or check(value, where)))
    yield from found if check in (address, port) else list(found)[:1]


def checked_field(field: str, values: Sequence[str]) -> Iterator[str]:
    """What is wrong with the values of a field of a source or operation."""
    check = next((each for fields, each in _CHECKS if field in fields), nonempty)
    yield from checked(field[:1].upper() + field[1:], values, check)


def nonempty(value: str, where: str) -> str:
    """Anything but nothing."""
    return "" if value else f"empty value not allowed, found in {where}"


def address(value: str, where: str) -> str:
    """An IP address or CIDR range."""
    if "/" not in value:
        try:
            ip_address(value)
        except ValueError:
            return f"bad IP address ({value})"
        return ""
    start, _, length = value.rpartition("/")
    why = f'bad CIDR range ({value}): netip.ParsePrefix("{value}"): '
    try:
        bits = ip_address(start).max_prefixlen
    except ValueError:
        return f'{why}ParseAddr("{start}"): unable to parse IP'
    if not length.isdecimal() or (length[0] == "0" and length != "0"):
        return f'{why}bad bits after slash: "{length}"'
    return "" if int(length) <= bits else f"{why}prefix length out of range"


def port(value: str, where: str) -> str:
    """A port number."""
    if not value.isdecimal():
        return f'bad port ({value}): strconv.ParseUint: parsing "{value}": invalid syntax'
    return "" if int(value) < 65536 else f"bad port ({value}): <nil>"


def account(value: str, where: str) -> str:
    """`ACCOUNT` or `NAMESPACE/ACCOUNT`."""
    if "*" in value:
        return f"wildcard not allowed, found in {where}"
    namespace, slash, name = value.partition("/")
    wanted = "expected format 'serviceAccount' or 'namespace/serviceAccount', found"
    if "/" in name:
        return f'{wanted} "{value}" in {where}'
    if slash and not namespace:
        return f'{wanted} empty namespace "{value}" in {where}'
    return f'{wanted} empty serviceAccount "{value}" in {where}' if slash and not name else ""


def wildcard(value: str, where: str) -> str:
    """At most one `*`, and that at an end."""
    if value.count("*") > 1:
        return f'at most one wildcard is allowed, found in {where}: "{value}"'
    if "*" in value.strip("*"):
        return f'wildcard is only allowed at the start or end, found in {where}: "{value}"'
    return ""


def trust_domain(value: str, where: str) -> str:
    """A trust domain, with `*` at an end."""
    if mistake := wildcard(value, where):
        return mistake
    return f"trust domain must not contain '/', found in {where}: \"{value}\"" if "/" in value else ""


def path(value: str, where: str) -> str:
    """A path, with `*` at an end or templates `{*}` and `{**}`."""
    if not value:
        return ""
    bare, many = value.strip("/"), False
    why = f"invalid or unsupported path {bare}, found in {where}. "
    for part in bare.split("/"):
        if part in _TEMPLATES:
            if many:
                return f"{why}{{**}} is not the last operator"
            many = part == "{**}"
        elif "{" in part or "}" in part:
            return f"{why}Contains '{{' or '}}' beyond a supported path template"
        elif any(each in value for each in _TEMPLATES) and not _LITERAL.fullmatch(part):
            return f"{why}Contains segment {part} with invalid string literal"
    return ""


_CHECKS: tuple[tuple[tuple[str, ...], Check], ...] = (
    (ADDRESSES, address),
    (PORTS, port),
    (ACCOUNTS, account),
    (_DOMAINS, trust_domain),
    (_PATHS, path),
)
