"""A parser for the part of JQL that the platform uses; pure.

    query   := [ or ] [ ORDER BY field [ASC|DESC] {, field [ASC|DESC]} ]
    or      := and { OR and }
    and     := not { AND not }
    not     := NOT not | ( or ) | clause
    clause  := field operator value | field [NOT] IN ( value {, value} ) | field IS [NOT] EMPTY

Anything else is a `JqlError` in Jira's words. `wardbook.sandbox.jira.search` evaluates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

TOKEN = re.compile(
    r"""\s*(?: (?P<text>"(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*')
           | (?P<mark>!=|>=|<=|!~|[=<>~(),])
           | (?P<word>(?:cf\[\d+\]|\\.|[^\s"'=!<>~(),;?|*/%^$\#@{}\[\]])+) )""",
    re.VERBOSE,
)
KEYWORDS = frozenset(
    {"and", "or", "not", "in", "is", "order", "by", "empty", "null", "asc", "desc"}
)
COMPARISONS = frozenset({"=", "!=", ">", ">=", "<", "<=", "~", "!~"})
DATE_FIELDS = frozenset({"updated", "created", "duedate", "due", "resolutiondate", "resolved"})
DATE_FORMATS = ("%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M", "%Y/%m/%d", "%Y-%m-%d")
PERIOD = re.compile(r"([+-]?\d+)([wdhm])")
UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}


class JqlError(Exception):
    """The query is not JQL, or names what is not there; the text is Jira's answer."""


@dataclass(frozen=True)
class Clause:
    """`field operator values`; operators `in`, `not in`, `is`, `is not` besides comparisons."""

    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Both:
    """All parts hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Either:
    """One part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Condition


Condition = Clause | Both | Either | Not


@dataclass(frozen=True)
class Query:
    """A condition (None: everything) and the order, fields with whether they descend."""

    condition: Condition | None
    order: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Token:
    """A word, a quoted text or a mark."""

    kind: str
    text: str

    def is_word(self, *words: str) -> bool:
        """Tell whether this is one of the bare words."""
        return self.kind == "word" and self.text.lower() in words


END = Token("end", "")


def parse(jql: str) -> Query:
    """Parse a query.

    Raises:
        JqlError: it is not one.
    """
    return Parser(tokenize(jql)).query()


def tokenize(jql: str) -> list[Token]:
    """Split a query into tokens."""
    tokens = []
    position = 0
    while jql[position:].strip():
        match = TOKEN.match(jql, position)
        if match is None:
            rest = jql[position:].lstrip()
            raise JqlError(
                f"Error in the JQL Query: The character '{rest[0]}' is a reserved JQL character. "
                "You must enclose it in a string or use the escape "
                f"'\\u{ord(rest[0]):04x}' instead. (line 1, character {position + 1})"
            )
        kind = match.lastgroup or ""
        text = match[kind]
        tokens.append(Token(kind, re.sub(r"\\(.)", r"\1", text[1:-1] if kind == "text" else text)))
        position = match.end()
    return tokens


class Parser:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._next = 0

    def query(self) -> Query:
        """Parse everything."""
        condition = None
        if self._peek() is not END and not self._peek().is_word("order"):
            condition = self._or()
        order = self._order() if self._peek().is_word("order") else ()
        if self._peek() is not END:
            raise self._unexpected("'OR' or 'AND'")
        return Query(condition, order)

    def _peek(self) -> Token:
        return self._tokens[self._next] if self._next < len(self._tokens) else END

    def _take(self) -> Token:
        token = self._peek()
        self._next += 1
        return token

    def _unexpected(self, wanted: str) -> JqlError:
        token = self._peek()
        if token is END:
            return JqlError(
                f"Error in the JQL Query: Expecting {wanted} before the end of the query."
            )
        return JqlError(f"Error in the JQL Query: Expecting {wanted} but got '{token.text}'.")

    def _expect(self, mark: str) -> None:
        if self._peek().kind != "mark" or self._peek().text != mark:
            raise self._unexpected(f"'{mark}'")
        self._take()

    def _or(self) -> Condition:
        return self._joined("or", self._and, Either)

    def _and(self) -> Condition:
        return self._joined("and", self._not, Both)

    def _joined(
        self,
        word: str,
        part: Callable[[], Condition],
        join: Callable[[tuple[Condition, ...]], Condition],
    ) -> Condition:
        parts = [part()]
        while self._peek().is_word(word):
            self._take()
            parts.append(part())
        return parts[0] if len(parts) == 1 else join(tuple(parts))

    def _not(self) -> Condition:
        if self._peek().is_word("not"):
            self._take()
            return Not(self._not())
        if self._peek() == Token("mark", "("):
            self._take()
            inner = self._or()
            self._expect(")")
            return inner
        return self._clause()

    def _clause(self) -> Clause:
        field = self._field()
        token = self._peek()
        if token.kind == "mark" and token.text in COMPARISONS:
            self._take()
            return Clause(field, token.text, (self._value(),))
        if token.is_word("is"):
            self._take()
            return Clause(field, self._maybe_not("is", "is not"), (self._empty(),))
        if token.is_word("in", "not"):
            operator = self._maybe_not("in", "not in")
            if not self._take().is_word("in"):
                self._next -= 1
                raise self._unexpected("'IN'")
            return Clause(field, operator, self._list())
        raise self._unexpected(
            "operator but got nothing. The valid operators are '=', '!=', '<', '>', '<=', '>=', "
            "'~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT',"
        )

    def _maybe_not(self, plain: str, negated: str) -> str:
        if self._peek().is_word("not"):
            self._take()
            return negated
        return plain

    def _empty(self) -> str:
        if not self._peek().is_word("empty", "null"):
            raise self._unexpected("'EMPTY' or 'NULL'")
        self._take()
        return ""

    def _field(self) -> str:
        token = self._peek()
        if token.kind == "mark" or token is END or token.is_word(*KEYWORDS):
            raise self._unexpected("a field name")
        return self._take().text

    def _value(self) -> str:
        token = self._peek()
        if token.kind == "mark" or token is END:
            raise self._unexpected("either a value, list or function")
        self._take()
        if token.kind == "word" and self._peek() == Token("mark", "("):
            self._take()
            self._expect(")")
            return f"{token.text.lower()}()"
        return token.text

    def _list(self) -> tuple[str, ...]:
        self._expect("(")
        values = [self._value()]
        while self._peek() == Token("mark", ","):
            self._take()
            values.append(self._value())
        self._expect(")")
        return tuple(values)

    def _order(self) -> tuple[tuple[str, bool], ...]:
        self._take()
        if not self._take().is_word("by"):
            self._next -= 1
            raise self._unexpected("'BY'")
        order = [self._ordered()]
        while self._peek() == Token("mark", ","):
            self._take()
            order.append(self._ordered())
        return tuple(order)

    def _ordered(self) -> tuple[str, bool]:
        field = self._field()
        descends = self._peek().is_word("desc")
        if self._peek().is_word("asc", "desc"):
            self._take()
        return field, descends


def read_date(field: str, text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """Read a JQL date in the asking account's zone: a minute, a day, or a period from `now`.

    Raises:
        JqlError: it is none of these.
    """
    period = PERIOD.fullmatch(text.replace(" ", ""))
    if period:
        return now + timedelta(**{UNITS[period[2]]: int(period[1])})
    if text == "now()":
        return now
    for form in DATE_FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=zone)
        except ValueError:
            continue
    raise JqlError(
        f"Date value '{text}' for field '{field}' is invalid. Valid formats include: "
        "'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format "
        "e.g. '-5d', '4w 2d'."
    )


def compare(operator: str, left: Any, right: Any) -> bool:
    """Compare two ordered values."""
    match operator:
        case "=":
            return bool(left == right)
        case "!=":
            return bool(left != right)
        case ">":
            return bool(left > right)
        case ">=":
            return bool(left >= right)
        case "<":
            return bool(left < right)
    return bool(left <= right)
