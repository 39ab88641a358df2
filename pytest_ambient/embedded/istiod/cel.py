"""Whether a text is an expression of CEL, by its grammar; what names and functions there are is not asked."""

import re
from collections.abc import Callable, Iterator
from typing import NoReturn

_ESCAPE = r"\\(?:[abfnrtv?\"'`\\]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})"
_RAW = r'[bB]?[rR][bB]?(?:"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"[^"\r\n]*"|\'[^\'\r\n]*\')'
_TEXT = (
    rf'[bB]?(?:"""(?:{_ESCAPE}|[^\\])*?"""|\'\'\'(?:{_ESCAPE}|[^\\])*?\'\'\''
    rf"|\"(?:{_ESCAPE}|[^\\\"\r\n])*\"|'(?:{_ESCAPE}|[^\\'\r\n])*')"
)
_NUMBER = r"0x[0-9a-fA-F]+[uU]?|\d*\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+[uU]?"
_TOKEN = re.compile(
    rf"(?P<space>[ \t\r\n\f]+|//[^\n]*)|(?P<value>{_RAW}|{_TEXT}|{_NUMBER})|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>&&|\|\||[<>=!]=|[-+*/%!<>?:.,(){}\[\]])",
    re.ASCII,
)
_VALUES = ("true", "false", "null")
_RESERVED = (
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
    "namespace", "return", "var", "void", "while", "in",
)  # fmt: skip
_LEVELS = (("||",), ("&&",), ("<", "<=", ">=", ">", "==", "!=", "in"), ("+", "-"), ("*", "/", "%"))
_EACH = {"all": (2,), "exists": (2,), "exists_one": (2,), "filter": (2,), "map": (2, 3)}
"""What goes through a list: how many arguments it has, of which the first is a name."""


def mistake(text: str) -> str:
    """Where it stops to be an expression and why; empty for one that is."""
    try:
        _Reader(text).read()
    except _Wrong as wrong:
        return str(wrong)
    except RecursionError:
        return "expression recursion limit exceeded"
    return ""


class _Wrong(ValueError):
    """It is no expression."""


class _Reader:
    """Reads one; each part says what it was: a `name`, a `field` of something, or anything else."""

    def __init__(self, text: str) -> None:
        self._text, self._here = text, 0
        self._tokens = list(self._split())

    def read(self) -> None:
        self._whole()
        if self._next():
            self._wrong()

    def _split(self) -> Iterator[tuple[str, str, int]]:
        position = 0
        while position < len(self._text):
            found = _TOKEN.match(self._text, position)
            if found is None:
                raise _Wrong(self._told(position, self._text[position]))
            if found.lastgroup != "space":
                yield str(found.lastgroup), found[0], position
            position = found.end()

    def _next(self) -> str:
        """The next token, empty behind the last."""
        return self._tokens[self._here][1] if self._here < len(self._tokens) else ""

    def _taken(self, *wanted: str) -> bool:
        """Whether the next is one of these, which then is behind us."""
        found = self._next() in wanted
        self._here += found
        return found

    def _need(self, wanted: str) -> None:
        if not self._taken(wanted):
            self._wrong()

    def _wrong(self) -> NoReturn:
        position = self._tokens[self._here][2] if self._next() else len(self._text)
        raise _Wrong(self._told(position, self._next() or "<EOF>"))

    def _told(self, position: int, found: str) -> str:
        line = self._text.count("\n", 0, position) + 1
        column = position - (self._text.rfind("\n", 0, position) + 1) + 1
        return f"ERROR: <input>:{line}:{column}: Syntax error at '{found}'"

    def _whole(self) -> str:
        kind = self._binary(0)
        if self._taken("?"):
            self._binary(0)
            self._need(":")
            self._whole()
            return ""
        return kind

    def _binary(self, level: int) -> str:
        if level == len(_LEVELS):
            return self._unary()
        kind = self._binary(level + 1)
        while self._taken(*_LEVELS[level]):
            self._binary(level + 1)
            kind = ""
        return kind

    def _unary(self) -> str:
        sign, kind = self._next(), ""
        if sign not in ("!", "-"):
            return self._member()
        while self._taken(sign):
            kind = ""
        self._member()
        return kind

    def _member(self) -> str:
        kind = self._primary()
        while (sign := self._next()) in (".", "[") or (sign == "{" and kind in ("name", "field")):
            self._here += 1
            if sign == "[":
                self._whole()
                self._need("]")
                kind = ""
            elif sign == "{":
                self._listed("}", self._set)
                kind = ""
            else:
                name = self._name(reserved=True)
                kind = self._called(name, of=True) if self._taken("(") else "field"
        return kind

    def _primary(self) -> str:
        token = self._next()
        if token and (self._tokens[self._here][0] == "value" or token in _VALUES):
            self._here += 1
            return ""
        if self._taken("("):
            self._whole()
            self._need(")")
            return ""
        if self._taken("["):
            self._listed("]", self._whole)
            return ""
        if self._taken("{"):
            self._listed("}", self._pair)
            return ""
        self._taken(".")
        name = self._name()
        return self._called(name, of=False) if self._taken("(") else "name"

    def _name(self, *, reserved: bool = False) -> str:
        token = self._next()
        if not token or self._tokens[self._here][0] != "name" or token in (*_VALUES, "in"):
            self._wrong()
        if token in _RESERVED and not reserved:
            self._wrong()
        self._here += 1
        return token

    def _called(self, name: str, *, of: bool) -> str:
        """The arguments of a call, those of macros too."""
        start = self._here
        kinds = self._listed(")", self._whole, last=False)
        fits = True
        if name == "has" and not of:
            fits = kinds == ["field"]
        elif of and len(kinds) in _EACH.get(name, ()):
            fits = kinds[0] == "name"
        if not fits:
            self._here = start
            self._wrong()
        return ""

    def _pair(self) -> str:
        self._whole()
        self._need(":")
        return self._whole()

    def _set(self) -> str:
        self._name(reserved=True)
        self._need(":")
        return self._whole()

    def _listed(self, end: str, part: Callable[[], str], *, last: bool = True) -> list[str]:
        """The parts up to the end; a `last` comma may follow them."""
        found: list[str] = []
        while not self._taken(end):
            if found and not self._taken(","):
                self._wrong()
            if found and last and self._taken(end):
                break
            found.append(part())
        return found
