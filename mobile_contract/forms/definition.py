"""What a form may contain: an immutable, typed model with no behaviour beyond look-up.

A published version never changes; a new version is a new file. Labels come in zh-CN and English.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

SAFE_INTEGER = 2**53 - 1
"""Largest integer that JSON numbers carry exactly on a phone."""

PLACE_KINDS = ("community", "grid", "micro_grid", "estate", "building", "unit", "household", "premises")

SENSITIVE_CLASSES = ("name", "phone", "plate", "id_number", "health", "welfare", "signature", "contact", "custody")
"""Kinds of personal data. No rule reads a field that carries one; only fields that are personal data themselves may
be shown because of it."""

UNKNOWN = "unknown"
"""The answer code that counts as not answered when conditions are judged."""


class FieldType(StrEnum):
    """The kinds of answers; the JSON shape of each stands beside it."""

    TEXT = "text"  # string, one line
    LONG_TEXT = "long_text"  # string
    INTEGER = "integer"  # number without fraction
    DECIMAL = "decimal"  # number
    MONEY = "money"  # integer, in fen
    BOOLEAN = "boolean"  # true | false
    YES_NO = "yes_no"  # "yes" | "no" | "unknown" (could not be seen)
    DATE = "date"  # "YYYY-MM-DD", a local day
    DATETIME = "datetime"  # RFC 3339 with offset
    ONE_OF = "one_of"  # one choice code
    MANY_OF = "many_of"  # list of different choice codes
    PHOTOS = "photos"  # list of attachment ids
    SIGNATURE = "signature"  # attachment id
    REFERENCE = "reference"  # id of another object
    LOCATION = "location"  # {lat, lon, datum, accuracy_m?}
    VISITORS = "visitors"  # list of account ids or names


NUMERIC = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY})
CHOICE = frozenset({FieldType.ONE_OF, FieldType.MANY_OF, FieldType.YES_NO})
READABLE = NUMERIC | CHOICE | {FieldType.TEXT, FieldType.BOOLEAN, FieldType.DATE, FieldType.DATETIME}
"""Types a condition may read."""


@dataclass(frozen=True, slots=True)
class Label:
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Choice:
    """`exclusive` tells a screen that this choice clears the others (无)."""

    code: str
    label: Label
    exclusive: bool = False


YES_NO_CHOICES = (
    Choice("yes", Label("是", "Yes")),
    Choice("no", Label("否", "No")),
    Choice(UNKNOWN, Label("无法查看", "Could not be seen")),
)


@dataclass(frozen=True, slots=True)
class Field:
    """One question. `required` binds only while the field is shown."""

    id: str
    label: Label
    type: FieldType
    required: bool = False
    choices: tuple[Choice, ...] = ()
    unit: Label | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    visible_when: str | None = None
    sensitive: str | None = None
    bands: tuple[int, ...] = ()
    """Upper bounds of the classes in which figures report this number."""

    @property
    def choice_codes(self) -> tuple[str, ...]:
        return tuple(choice.code for choice in self.choices)

    @property
    def has_unknown(self) -> bool:
        return UNKNOWN in self.choice_codes


@dataclass(frozen=True, slots=True)
class Opening:
    """While `when` holds, the form `form` belongs to the same visit, for the same place."""

    form: str
    when: str


@dataclass(frozen=True, eq=False)
class Form:
    """One version of a form. Compared by identity; `forms.document.digest` compares contents."""

    code: str
    version: int
    title: Label
    place_kinds: tuple[str, ...]
    locus: tuple[str, ...]
    fields: tuple[Field, ...]
    opens: tuple[Opening, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Field]:
        return {field.id: field for field in self.fields}

    @cached_property
    def order(self) -> Mapping[str, int]:
        return {field.id: position for position, field in enumerate(self.fields)}

    def fits(self, place_kind: str) -> bool:
        """Whether it may be filled for a place of this kind; a form that names no kinds may be for all."""
        return not self.place_kinds or place_kind in self.place_kinds

    @property
    def sensitive_fields(self) -> tuple[str, ...]:
        return tuple(field.id for field in self.fields if field.sensitive)


class DefinitionInvalid(ValueError):
    """A form or rule file cannot be read. `problems` lists every fault as "where: what"."""

    def __init__(self, source: str, problems: list[str]) -> None:
        super().__init__(f"{source}: " + "; ".join(problems))
        self.source = source
        self.problems = problems


Document = Mapping[str, Any]
"""A definition as plain JSON values, the shape of its YAML file."""
