"""What the values in an AuthorizationPolicy must look like; each check returns what is wrong, empty when nothing is."""

from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address, ip_network

ADDRESSES = ("ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks")
ACCOUNTS = ("serviceAccounts", "notServiceAccounts")
PORTS = ("ports", "notPorts")
_PATHS = ("paths", "notPaths")


def checked(where: str, values: Sequence[str], check: Callable[[str], str]) -> Iterator[str]:
    """What is wrong with the values, each of which may not be empty and must pass the check."""
    for value in values:
        if value == "":
            yield f"empty value not allowed, found in {where}"
        elif mistake := check(value):
            yield mistake if mistake.endswith(")") else f"{mistake}, found in {where}"


def checked_field(field: str, values: Sequence[str]) -> Iterator[str]:
    """What is wrong with the values of a field of a source or operation."""
    check = next((each for fields, each in _CHECKS if field in fields), nonempty)
    yield from checked(field[:1].upper() + field[1:], values, check)


def nonempty(value: str) -> str:
    """Any value will do."""
    return ""


def address(value: str) -> str:
    """An IP address or CIDR range."""
    try:
        if "/" in value:
            ip_network(value, strict=False)
        else:
            ip_address(value)
    except ValueError:
        return f"bad CIDR range ({value})" if "/" in value else f"bad IP address ({value})"
    return ""


def port(value: str) -> str:
    """A port number."""
    return "" if value.isdecimal() and int(value) < 65536 else f"bad port ({value})"


def account(value: str) -> str:
    """`ACCOUNT` or `NAMESPACE/ACCOUNT`."""
    if "*" in value:
        return "wildcard not allowed"
    parts = value.split("/")
    if len(parts) > 2 or not all(parts):
        return f"expected format 'serviceAccount' or 'namespace/serviceAccount', found \"{value}\""
    return ""


def path(value: str) -> str:
    """A path, with `*` at an end or templates `{*}` and `{**}`."""
    parts = value.strip("/").split("/")
    if any(part not in ("{*}", "{**}") and ("{" in part or "}" in part) for part in parts):
        return f"invalid or unsupported path {value}: contains '{{' or '}}' beyond a supported path template"
    if "{**}" in parts[:-1] and any(part in ("{*}", "{**}") for part in parts[parts.index("{**}") + 1 :]):
        return f"invalid or unsupported path {value}: {{**}} is not the last operator"
    return ""


_CHECKS: tuple[tuple[tuple[str, ...], Callable[[str], str]], ...] = (
    (ADDRESSES, address),
    (PORTS, port),
    (ACCOUNTS, account),
    (_PATHS, path),
)
