"""Checks the answers of one block, or a visit's header, against its form: all problems at once, with
pointers.

Validators are compiled once per process and form. Required-when-shown is inside the schema, so a valid
block costs one call into the compiled validator.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema_rs

from mobile_contract.error_codes import message
from mobile_contract.forms.answer_schema import answers_schema
from mobile_contract.forms.catalogue import header_form
from mobile_contract.forms.definition import Form

MAX_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault. `pointer` is an RFC 6901 JSON pointer into what was checked; `code` is stable for ever."""

    pointer: str
    code: str
    message: str


CODES = (
    "required",
    "bad_type",
    "bad_choice",
    "out_of_range",
    "too_long",
    "too_many",
    "duplicate",
    "bad_text",
    "bad_format",
)
"""Every problem code this module can give; `mobile_contract.error_codes` says what each means."""

_BY_KEYWORD = {
    "required": "required",
    "minLength": "required",
    "minItems": "required",
    "type": "bad_type",
    "enum": "bad_choice",
    "const": "bad_choice",
    "minimum": "out_of_range",
    "maximum": "out_of_range",
    "maxLength": "too_long",
    "maxItems": "too_many",
    "uniqueItems": "duplicate",
    "format": "bad_format",
}


@lru_cache(maxsize=256)
def _validator(form: Form) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(answers_schema(form), validate_formats=True)


def validate_answers(form: Form, answers: object) -> list[Problem]:
    """Every problem of one block's answers, by pointer, one a spot; empty when they are valid.

    Answers of hidden fields are never required; when given, their type is still checked. Never raises on bad
    input, whatever JSON it is.
    """
    validator = _validator(form)
    try:
        if validator.is_valid(answers):
            return []
        errors = list(validator.iter_errors(answers))
    except ValueError:
        # Only text that is no Unicode (a lone surrogate) cannot be handed to the validator.
        return _unreadable_texts(answers)
    # A wrong type makes later keywords fail too; the first fault of a spot says what is wrong.
    problems: dict[str, Problem] = {}
    for problem in map(_problem, sorted(errors, key=lambda error: error.kind.name != "type")):
        problems.setdefault(problem.pointer, problem)
    return sorted(problems.values(), key=lambda problem: problem.pointer)[:MAX_PROBLEMS]


def validate_header(header: object, version: int = 1) -> list[Problem]:
    """Every problem of a visit's header; same contract as `validate_answers`."""
    return validate_answers(header_form(version), header)


def _problem(error: jsonschema_rs.ValidationError) -> Problem:
    path = list(error.instance_path)
    keyword = str(error.kind.name)
    code = _BY_KEYWORD.get(keyword, "bad_format")
    if keyword == "required":
        path.append(error.kind.as_dict()["property"])
    elif keyword == "pattern":
        code = "bad_text" if "\0" in str(error.instance) else "bad_format"
    return Problem(_pointer(path), code, message(code))


def _unreadable_texts(value: object, path: tuple[str | int, ...] = ()) -> list[Problem]:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return [Problem(_pointer(path), "bad_text", message("bad_text"))]
        return []
    if isinstance(value, Mapping):
        return [
            problem
            for key, item in value.items()
            for problem in [*_unreadable_texts(key, path), *_unreadable_texts(item, (*path, _shown(key)))]
        ]
    if isinstance(value, list):
        return [
            problem for position, item in enumerate(value) for problem in _unreadable_texts(item, (*path, position))
        ]
    return []


def _shown(key: Any) -> str:
    return str(key).encode("utf-8", "replace").decode()


def _pointer(path: list[Any] | tuple[Any, ...]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
