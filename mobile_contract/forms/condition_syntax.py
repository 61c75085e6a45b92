"""The part of CEL that conditions may use, read into a small tree.

Allowed: `== != < <= > >=`, `in`, `&& || !`, parentheses, text and number literals, `has(a.x)`, `a.flag`
for a boolean field, and `a.list.exists(x, x == 'p' || x == 'q')`. Nothing else: this part means the same
in every CEL implementation a phone may bring.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

MAX_LENGTH, MAX_DEPTH = 1000, 20
FLIPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

Literal: TypeAlias = str | int | float


@dataclass(frozen=True, slots=True)
class FieldRef:
    """`a.field` as an operand."""

    field: str


@dataclass(frozen=True, slots=True)
class Compare:
    """`a.field op other`; a literal on the left has been turned around."""

    op: str
    field: str
    other: Literal | FieldRef


@dataclass(frozen=True, slots=True)
class Member:
    """`a.field in [literals]`."""

    field: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """`'code' in a.list`, or `a.list.exists(x, x == 'p' || …)`: any of `values` is in the list."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Has:
    field: str


@dataclass(frozen=True, slots=True)
class Truth:
    """A boolean field standing alone."""

    field: str


@dataclass(frozen=True, slots=True)
class Not:
    item: "Node"


@dataclass(frozen=True, slots=True)
class And:
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    items: tuple["Node", ...]


Node: TypeAlias = Compare | Member | Contains | Has | Truth | Not | And | Or
Operand: TypeAlias = FieldRef | str | int | float | tuple[Literal, ...]


class ConditionInvalid(ValueError):
    """The text is not in the allowed part of CEL; the message says where and why."""


_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'[^'\\\n\r\0]*'|"[^"\\\n\r\0]*")
    | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
    | (?P<name>[A-Za-z_]\w*)
    | (?P<op>&&|\|\||==|!=|<=|>=|<|>|!|\(|\)|\[|\]|,|\.)
    )""",
    re.VERBOSE | re.ASCII,
)


def parse_condition(text: str) -> Node:
    """Reads one condition. Raises ConditionInvalid."""
    if len(text) > MAX_LENGTH:
        raise ConditionInvalid(f"longer than {MAX_LENGTH} characters")
    parser = _Parser(text)
    node = parser.disjunction(0)
    if parser.peek() is not None:
        raise parser.fault(f"unexpected {parser.peek()!r}")
    return node


def fields_read(node: Node) -> frozenset[str]:
    """Every field the condition names."""
    match node:
        case And(items) | Or(items):
            return frozenset().union(*(fields_read(item) for item in items))
        case Not(item):
            return fields_read(item)
        case Compare(_, field, FieldRef(other)):
            return frozenset({field, other})
        case _:
            return frozenset({node.field})


def walk(node: Node) -> list[Node]:
    """The node and all nodes below it, outermost first."""
    match node:
        case And(items) | Or(items):
            return [node, *(inner for item in items for inner in walk(item))]
        case Not(item):
            return [node, *walk(item)]
        case _:
            return [node]


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                raise ConditionInvalid(f"cannot read {text[position : position + 20].strip()!r}")
            self.tokens.append((str(match.lastgroup), match.group(str(match.lastgroup))))
            position = match.end()
        self.at = 0

    def peek(self) -> str | None:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else None

    def kind(self) -> str | None:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else None

    def fault(self, reason: str) -> ConditionInvalid:
        return ConditionInvalid(f"{reason} (token {self.at + 1})")

    def take(self, *wanted: str) -> str:
        token = self.peek()
        if token is None or (wanted and (token not in wanted or self.kind() == "text")):
            raise self.fault(f"expected {' or '.join(wanted) or 'more'}, found {token or 'the end'}")
        self.at += 1
        return token

    def sees(self, *wanted: str) -> bool:
        return self.peek() in wanted and self.kind() != "text"

    def name(self) -> str:
        if self.kind() != "name":
            raise self.fault(f"expected a name, found {self.peek() or 'the end'}")
        return self.take()

    def disjunction(self, depth: int) -> Node:
        items = [self.conjunction(depth)]
        while self.sees("||"):
            self.take()
            items.append(self.conjunction(depth))
        return items[0] if len(items) == 1 else Or(tuple(items))

    def conjunction(self, depth: int) -> Node:
        items = [self.relation(depth)]
        while self.sees("&&"):
            self.take()
            items.append(self.relation(depth))
        return items[0] if len(items) == 1 else And(tuple(items))

    def relation(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.fault(f"nested deeper than {MAX_DEPTH}")
        if self.sees("!"):
            self.take()
            inner = self.negatable(depth + 1)
            if self.sees("in", *FLIPPED):
                raise self.fault("put parentheses around the comparison to negate it")
            return Not(inner)
        if self.sees("("):
            return self.negatable(depth)
        if self.sees("has"):
            return self.has()
        left = self.operand()
        if self.sees("in"):
            self.take()
            return self.membership(left, self.operand())
        if self.sees(*FLIPPED):
            return self.comparison(left, self.take(), self.operand())
        if not isinstance(left, FieldRef):
            raise self.fault("a literal is no condition")
        if self.sees("."):
            return self.exists(left)
        return Truth(left.field)

    def negatable(self, depth: int) -> Node:
        """What may stand behind `!`: parentheses, has(), a flag, exists(), another `!`; no comparison."""
        if self.sees("("):
            self.take()
            node = self.disjunction(depth + 1)
            self.take(")")
            if self.sees("in", *FLIPPED):
                raise self.fault("the result of a comparison cannot be compared")
            return node
        if self.sees("!"):
            return self.relation(depth)
        if self.sees("has"):
            return self.has()
        left = self.operand()
        if not isinstance(left, FieldRef):
            raise self.fault("a literal is no condition")
        return self.exists(left) if self.sees(".") else Truth(left.field)

    def has(self) -> Node:
        self.take("has")
        self.take("(")
        operand = self.operand()
        self.take(")")
        if not isinstance(operand, FieldRef):
            raise self.fault("has() takes a field")
        return Has(operand.field)

    def operand(self) -> Operand:
        kind = self.kind()
        if kind == "text":
            return self.take()[1:-1]
        if kind == "number":
            token = self.take()
            return float(token) if "." in token else int(token)
        if self.sees("["):
            return self.literals()
        if self.name() != "a":
            self.at -= 1
            raise self.fault(f"unknown name {self.peek()!r}; fields are written a.field")
        self.take(".")
        return FieldRef(self.name())

    def literals(self) -> tuple[Literal, ...]:
        self.take("[")
        found: list[Literal] = []
        while True:
            item = self.operand()
            if isinstance(item, FieldRef | tuple):
                raise self.fault("a list holds literals only")
            found.append(item)
            if self.take(",", "]") == "]":
                return tuple(found)

    def comparison(self, left: Operand, op: str, right: Operand) -> Node:
        if isinstance(left, tuple) or isinstance(right, tuple):
            raise self.fault("a list can only stand behind in")
        if self.sees("in", *FLIPPED):
            raise self.fault("comparisons cannot be chained")
        if isinstance(left, FieldRef):
            return Compare(op, left.field, right)
        if isinstance(right, FieldRef):
            return Compare(FLIPPED[op], right.field, left)
        raise self.fault("two literals are compared")

    def membership(self, left: Operand, right: Operand) -> Node:
        if isinstance(left, FieldRef) and isinstance(right, tuple):
            return Member(left.field, right)
        if isinstance(left, str) and isinstance(right, FieldRef):
            return Contains(right.field, (left,))
        raise self.fault("in needs `a.field in [literals]` or `'code' in a.list`")

    def exists(self, of: FieldRef) -> Node:
        self.take(".")
        if self.name() != "exists":
            self.at -= 1
            raise self.fault("only exists() may be called on a field")
        self.take("(")
        variable = self.name()
        if variable == "a":
            raise self.fault("the variable of exists() hides the answers")
        self.take(",")
        values = [self.equals(variable)]
        while self.sees("||"):
            self.take()
            values.append(self.equals(variable))
        self.take(")")
        return Contains(of.field, tuple(values))

    def equals(self, variable: str) -> str:
        self.take(variable)
        self.take("==")
        value = self.operand()
        if not isinstance(value, str):
            raise self.fault("exists() compares its variable with texts")
        return value
