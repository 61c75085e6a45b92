"""Invented, valid answers for any form: for shared vectors, simulated phones and benchmarks.

Only `Random.random()` is drawn from, whose sequence Python guarantees for a seed.
"""

from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from mobile_contract.forms.definition import UNKNOWN, Field, FieldType, Form
from mobile_contract.forms.visibility import Visibility, visibility

T = TypeVar("T")

_NAMES = ("赵一", "钱二", "孙三", "李四", "周五")
_TEXTS = {"plate": "湘L00000", "phone": "13800000000"}


def sample_answers(form: Form, rng: Random, optional: float = 0.6) -> dict[str, Any]:
    """Answers that `validate_answers` accepts: every shown required field, others with chance `optional`.

    Hidden fields get none; `unknown` is chosen one time in ten where a field offers it.
    """
    answers: dict[str, Any] = {}
    for field in form.fields:
        shown = field.visible_when is None or visibility(form, answers)[field.id] is Visibility.SHOWN
        if shown and (field.required or rng.random() < optional):
            answers[field.id] = sample_value(field, rng)
    return answers


def sample_value(field: Field, rng: Random) -> Any:
    """One valid answer to a field."""
    match field.type:
        case FieldType.INTEGER | FieldType.MONEY:
            return int(_number(field, rng))
        case FieldType.DECIMAL:
            return round(_number(field, rng), 2)
        case FieldType.BOOLEAN:
            return rng.random() < 0.5
        case FieldType.ONE_OF | FieldType.YES_NO:
            return _choice(field, rng)
        case FieldType.MANY_OF:
            return _choices(field, rng)
        case FieldType.DATE:
            return f"2026-{1 + int(rng.random() * 12):02}-{1 + int(rng.random() * 28):02}"
        case FieldType.DATETIME:
            return f"2026-01-09T{int(rng.random() * 24):02}:30:00+08:00"
        case FieldType.SIGNATURE | FieldType.REFERENCE:
            return _id(rng)
        case FieldType.PHOTOS:
            return [_id(rng)]
        case FieldType.LOCATION:
            lat, lon = 25.79 + rng.random() / 100, 113.03 + rng.random() / 100
            return {"lat": round(lat, 6), "lon": round(lon, 6), "accuracy_m": 15, "datum": "wgs84"}
        case FieldType.VISITORS:
            return [_NAMES[0], pick(_NAMES[1:], rng)]
        case _:
            return _text(field, rng)


def pick(options: Sequence[T], rng: Random) -> T:
    """One of the options, each as likely as the others."""
    return options[int(rng.random() * len(options))]


def _number(field: Field, rng: Random) -> float:
    """Small numbers near the lower bound: what people live in is small."""
    low = 0 if field.minimum is None or field.minimum < 0 else field.minimum
    high = min(low + 12, field.maximum if field.maximum is not None else low + 12)
    return low + rng.random() * (high - low) * rng.random()


def _choice(field: Field, rng: Random) -> str:
    known = [code for code in field.choice_codes if code != UNKNOWN]
    return UNKNOWN if field.has_unknown and rng.random() < 0.1 else pick(known, rng)


def _choices(field: Field, rng: Random) -> list[str]:
    alone = [choice.code for choice in field.choices if choice.exclusive]
    if alone and rng.random() < 0.4:
        return [pick(alone, rng)]
    others = [code for code in field.choice_codes if code not in alone and code != UNKNOWN]
    drawn = [code for code in others if rng.random() < 1.5 / len(others)]
    return drawn or [pick(others, rng)]


def _id(rng: Random) -> str:
    return str(UUID(int=int(rng.random() * 2**53) << 64 | int(rng.random() * 2**53), version=4))


def _text(field: Field, rng: Random) -> str:
    if field.sensitive in _TEXTS:
        return _TEXTS[field.sensitive]
    if field.sensitive == "name":
        return pick(_NAMES, rng)
    return pick(("1F", "2F", "３f", "B1", "顶层"), rng)
