"""A form to and from plain JSON values: the shape of its YAML file, of the database and of the feed to
phones.
"""

import hashlib
import json
import re
from typing import Any

from mobile_contract.forms.definition import (
    CHOICE,
    NUMERIC,
    PLACE_KINDS,
    SENSITIVE_CLASSES,
    YES_NO_CHOICES,
    Choice,
    DefinitionInvalid,
    Document,
    Field,
    FieldType,
    Form,
    Label,
    Opening,
)

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CHOICE_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_FORM_KEYS = frozenset({"code", "version", "title", "place_kinds", "locus", "opens", "fields"})
_FIELD_KEYS = frozenset(
    (
        "id",
        "label",
        "type",
        "required",
        "choices",
        "unit",
        "minimum",
        "maximum",
        "visible_when",
        "sensitive",
        "bands",
    )
)


class Faults:
    """Collects every fault of one document, so that an author sees them all at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, where: str, what: str) -> None:
        self.found.append(f"{where}: {what}")

    def label(self, where: str, value: Any) -> Label:
        """Reads `{zh, en}`, both non-empty text."""
        if (
            isinstance(value, dict)
            and set(value) == {"zh", "en"}
            and all(isinstance(text, str) and text.strip() for text in value.values())
        ):
            return Label(value["zh"], value["en"])
        self.add(where, "needs a text in zh and one in en")
        return Label("", "")

    def keys(self, where: str, value: Any, allowed: frozenset[str], needed: frozenset[str]) -> bool:
        """Reports unknown and missing keys; False when `value` is no mapping at all."""
        if not isinstance(value, dict):
            self.add(where, "must be a mapping")
            return False
        for key in sorted(set(value) - allowed, key=str):
            self.add(where, f"unknown key {key!r}")
        for key in sorted(needed - set(value)):
            self.add(where, f"missing key {key!r}")
        return True

    def texts(self, where: str, value: Any, allowed: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Reads a list of different texts, each one of `allowed` when given."""
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.add(where, "must be a list of texts")
            return ()
        if len(set(value)) != len(value):
            self.add(where, "names something twice")
        for item in value:
            if allowed is not None and item not in allowed:
                self.add(where, f"{item!r} is not one of {', '.join(allowed)}")
        return tuple(value)


def parse_form(document: Document, source: str = "form") -> Form:
    """Reads a form document. Raises DefinitionInvalid listing every structural fault.

    Conditions are only checked for being text here; `rules.publish_checks.check_form` judges them.
    """
    faults = Faults()
    if not faults.keys("form", document, _FORM_KEYS, _FORM_KEYS - {"place_kinds", "locus", "opens"}):
        raise DefinitionInvalid(source, faults.found)
    code, version = document.get("code"), document.get("version")
    if not (isinstance(code, str) and _IDENTIFIER.fullmatch(code)):
        faults.add("code", f"{code!r} is no identifier")
    if not (isinstance(version, int) and not isinstance(version, bool) and version > 0):
        faults.add("version", "must be a whole number from 1")
    title = faults.label("title", document.get("title"))
    place_kinds = faults.texts("place_kinds", document.get("place_kinds", []), PLACE_KINDS)
    raw_fields = document.get("fields")
    if not isinstance(raw_fields, list) or not raw_fields:
        faults.add("fields", "must be a non-empty list")
        raw_fields = []
    fields = tuple(_parse_field(raw, position, faults) for position, raw in enumerate(raw_fields))
    ids = [field.id for field in fields]
    for twice in sorted({name for name in ids if ids.count(name) > 1}):
        faults.add("fields", f"id {twice!r} stands twice")
    locus = faults.texts("locus", document.get("locus", []), tuple(ids))
    opens = _parse_opens(document.get("opens", []), faults)
    if faults.found:
        raise DefinitionInvalid(source, faults.found)
    return Form(str(code), int(document["version"]), title, place_kinds, locus, fields, opens)


def _parse_opens(raw: Any, faults: Faults) -> tuple[Opening, ...]:
    if not isinstance(raw, list):
        faults.add("opens", "must be a list")
        return ()
    found = []
    for position, item in enumerate(raw):
        where, keys = f"opens[{position}]", frozenset({"form", "when"})
        if not faults.keys(where, item, keys, keys):
            continue
        form, when = item.get("form"), item.get("when")
        if isinstance(form, str) and _IDENTIFIER.fullmatch(form) and isinstance(when, str):
            found.append(Opening(form, when))
        else:
            faults.add(where, "needs the code of a form and a condition")
    return tuple(found)


def _parse_field(raw: Any, position: int, faults: Faults) -> Field:
    where = f"fields[{position}]"
    if not faults.keys(where, raw, _FIELD_KEYS, frozenset({"id", "label", "type"})):
        return Field("", Label("", ""), FieldType.TEXT)
    name = raw.get("id")
    if isinstance(name, str) and _IDENTIFIER.fullmatch(name):
        where = f"fields.{name}"
    else:
        faults.add(where, f"id {name!r} is no identifier")
    kind = raw.get("type")
    if kind not in FieldType.__members__.values():
        faults.add(where, f"type {kind!r} is not one of {', '.join(FieldType)}")
        kind = FieldType.TEXT
    type_ = FieldType(kind)
    for key, wanted in (("required", bool), ("visible_when", str)):
        if key in raw and not isinstance(raw[key], wanted):
            faults.add(where, f"{key} must be {wanted.__name__}")
    sensitive = raw.get("sensitive")
    if sensitive is not None and sensitive not in SENSITIVE_CLASSES:
        faults.add(where, f"sensitive {sensitive!r} is not one of {', '.join(SENSITIVE_CLASSES)}")
    minimum, maximum, bands = _parse_numbers(raw, type_, where, faults)
    return Field(
        id=str(name),
        label=faults.label(f"{where}.label", raw.get("label")),
        type=type_,
        required=raw.get("required") is True,
        choices=_parse_choices(raw.get("choices"), type_, where, faults),
        unit=faults.label(f"{where}.unit", raw["unit"]) if "unit" in raw else None,
        minimum=minimum,
        maximum=maximum,
        visible_when=raw.get("visible_when"),
        sensitive=sensitive,
        bands=bands,
    )


def _parse_numbers(
    raw: dict[str, Any], type_: FieldType, where: str, faults: Faults
) -> tuple[int | float | None, int | float | None, tuple[int, ...]]:
    for key in ("unit", "minimum", "maximum", "bands"):
        if key in raw and type_ not in NUMERIC:
            faults.add(where, f"{key} belongs to numbers only")
    bounds: list[int | float | None] = []
    for key in ("minimum", "maximum"):
        value = raw.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            faults.add(where, f"{key} must be a number")
            value = None
        bounds.append(value)
    low, high = bounds
    if low is not None and high is not None and low > high:
        faults.add(where, "minimum is above maximum")
    bands = raw.get("bands", [])
    if not isinstance(bands, list) or not all(isinstance(item, int) for item in bands) or sorted(bands) != bands:
        faults.add(where, "bands must be a rising list of whole numbers")
        bands = []
    return low, high, tuple(bands)


def _parse_choices(raw: Any, type_: FieldType, where: str, faults: Faults) -> tuple[Choice, ...]:
    if type_ is FieldType.YES_NO:
        if raw is not None:
            faults.add(where, "yes_no brings its own choices")
        return YES_NO_CHOICES
    if type_ not in CHOICE:
        if raw is not None:
            faults.add(where, f"type {type_} has no choices")
        return ()
    if not isinstance(raw, dict) or not raw:
        faults.add(where, "needs choices: a mapping of code to label")
        return ()
    found = []
    for code, value in raw.items():
        spot = f"{where}.choices.{code}"
        if not (isinstance(code, str) and _CHOICE_CODE.fullmatch(code)):
            faults.add(spot, "is no choice code")
        exclusive = value.get("exclusive", False) if isinstance(value, dict) else False
        if not isinstance(exclusive, bool):
            faults.add(spot, "exclusive must be true or false")
        label = {key: text for key, text in value.items() if key != "exclusive"} if isinstance(value, dict) else value
        found.append(Choice(str(code), faults.label(spot, label), exclusive is True))
    return tuple(found)


def form_document(form: Form) -> dict[str, Any]:
    """The form as JSON values; `parse_form` reads it back to an equal form. Phones receive exactly this."""
    document = {
        "code": form.code,
        "version": form.version,
        "title": _label(form.title),
        "place_kinds": list(form.place_kinds),
        "locus": list(form.locus),
        "fields": [_field_document(field) for field in form.fields],
    }
    if form.opens:
        document["opens"] = [{"form": opening.form, "when": opening.when} for opening in form.opens]
    return document


def _field_document(field: Field) -> dict[str, Any]:
    document: dict[str, Any] = {"id": field.id, "label": _label(field.label), "type": str(field.type)}
    if field.required:
        document["required"] = True
    if field.choices and field.type is not FieldType.YES_NO:
        document["choices"] = {
            choice.code: _label(choice.label) | ({"exclusive": True} if choice.exclusive else {})
            for choice in field.choices
        }
    if field.unit:
        document["unit"] = _label(field.unit)
    for key in ("minimum", "maximum", "visible_when", "sensitive"):
        if getattr(field, key) is not None:
            document[key] = getattr(field, key)
    if field.bands:
        document["bands"] = list(field.bands)
    return document


def _label(label: Label) -> dict[str, str]:
    return {"zh": label.zh, "en": label.en}


def digest(document: Document) -> str:
    """SHA-256 (hex) of a definition document; equal for equal contents, whatever the key order."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
