"""The patterns of strings that the tables of `schemas/` name with `~`."""

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DOMAIN = rf"{_LABEL}(\.{_LABEL})*"

PATTERNS = {
    "label": rf"^{_LABEL}$",
    "domain": rf"^{_DOMAIN}$",
    "group": rf"^$|^{_DOMAIN}$",
    "hostname": rf"^(\*\.)?{_DOMAIN}$",
    "kind": r"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$",
    "header": r"^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$",
    "claimed": r"^[-_A-Za-z0-9]+$",
    "duration": r"^([0-9]{1,5}(h|m|s|ms)){1,4}$",
    "controller": rf"^{_DOMAIN}\/[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+$",
    "protocol": rf"^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|{_DOMAIN}\/[A-Za-z0-9]+$",
    "reason": r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
    "condition": rf"^({_DOMAIN}/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
}
