"""The JSON Schema (2020-12) of a form's answers, as published to phones and checked on the server.

Fields the schema does not know are ignored: an old server and a new phone understand each other. Nothing is
rejected that the domain could mean; what is rejected could not be stored or judged.
"""

from typing import Any

from mobile_contract.forms.definition import (
    NUMERIC,
    SAFE_INTEGER,
    Field,
    FieldType,
    Form,
)
from mobile_contract.forms.visibility_schema import Schema, shown_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TEXT_LENGTH = 200
LONG_TEXT_LENGTH = 4000
MAX_PHOTOS = 50
MAX_VISITORS = 20
DATUMS = ("wgs84", "gcj02", "bd09", "cgcs2000")
NO_NUL = "^[^\\u0000]*$"
UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
# Years from 1000: a day before that is a typing error, and `date` alone lets year 0000 through.
DATE = "^[12][0-9]{3}-[0-9]{2}-[0-9]{2}$"


def answers_schema(form: Form) -> dict[str, Any]:
    """The schema of one block's answers, required fields conditional on what is shown.

    Raises ConditionInvalid when a visible_when is outside the allowed part of CEL.
    """
    schema: dict[str, Any] = {
        "$schema": DIALECT,
        "$id": f"urn:saolou:form:{form.code}:{form.version}",
        "title": form.title.zh,
        "type": "object",
        "properties": {field.id: {"title": field.label.zh} | _value_schema(field) for field in form.fields},
        "required": [field.id for field in form.fields if field.required and field.visible_when is None],
    }
    conditional = _conditional(form)
    return schema | {"allOf": conditional} if conditional else schema


def _conditional(form: Form) -> list[Schema]:
    """One if/then for each distinct visible_when, in form order."""
    by_condition: dict[str, list[str]] = {}
    for field in form.fields:
        if field.required and field.visible_when is not None:
            by_condition.setdefault(field.visible_when, []).append(field.id)
    return [{"if": shown_schema(form, names[0]), "then": {"required": names}} for names in by_condition.values()]


def _value_schema(field: Field) -> Schema:
    items: Schema
    if field.type in NUMERIC:
        return {
            "type": "number" if field.type is FieldType.DECIMAL else "integer",
            "minimum": -SAFE_INTEGER if field.minimum is None else field.minimum,
            "maximum": SAFE_INTEGER if field.maximum is None else field.maximum,
        }
    match field.type:
        case FieldType.TEXT | FieldType.LONG_TEXT:
            limit = TEXT_LENGTH if field.type is FieldType.TEXT else LONG_TEXT_LENGTH
            return {"type": "string", "maxLength": limit, "pattern": NO_NUL} | _filled(field, "minLength")
        case FieldType.BOOLEAN:
            return {"type": "boolean"}
        case FieldType.ONE_OF | FieldType.YES_NO:
            return {"type": "string", "enum": list(field.choice_codes)}
        case FieldType.MANY_OF:
            items = {"type": "string", "enum": list(field.choice_codes)}
            return {"type": "array", "items": items, "uniqueItems": True} | _filled(field, "minItems")
        case FieldType.DATE:
            return {"type": "string", "pattern": DATE, "format": "date"}
        case FieldType.DATETIME:
            return {"type": "string", "maxLength": 40, "format": "date-time"}
        case FieldType.SIGNATURE | FieldType.REFERENCE:
            return {"type": "string", "pattern": UUID}
        case FieldType.PHOTOS:
            items = {"type": "string", "pattern": UUID}
            return _list_of(items, MAX_PHOTOS) | _filled(field, "minItems")
        case FieldType.VISITORS:
            items = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": NO_NUL}
            return _list_of(items, MAX_VISITORS) | _filled(field, "minItems")
        case _:
            return _location()


def _filled(field: Field, keyword: str) -> Schema:
    """A required text or list must hold something."""
    return {keyword: 1} if field.required else {}


def _list_of(items: Schema, most: int) -> Schema:
    return {"type": "array", "items": items, "maxItems": most, "uniqueItems": True}


def _location() -> Schema:
    """Position as the phone reported it, with its datum; conversion happens on the server."""
    return {
        "type": "object",
        "properties": {
            "lat": {"type": "number", "minimum": -90, "maximum": 90},
            "lon": {"type": "number", "minimum": -180, "maximum": 180},
            "accuracy_m": {"type": "number", "minimum": 0, "maximum": 100000},
            "datum": {"type": "string", "enum": list(DATUMS)},
        },
        "required": ["lat", "lon", "datum"],
    }
