"""Which words of a sealed body are personal, and the same body without them. Pure functions over what was opened.

What a form marks as sensitive, the persons a step names, and telephone and identity numbers wherever they stand.
Conditions read no sensitive field, so a body without its persons gives the same hazards.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from backend.identity.masking import mask_text
from mobile_contract.forms import Form, header_form

Body = Mapping[str, Any]
FormOf = Callable[[str, int], Form | None]

NAME, PHONE, ID_NUMBER, PLATE, SENSITIVE = "name", "phone", "id_number", "plate", "sensitive"
#: Classes by which a person can be found, and the kind of look-up key each gives. Others tell about somebody.
FOUND_BY: Final = {"name": NAME, "contact": NAME, "phone": PHONE, "id_number": ID_NUMBER, "plate": PLATE}
#: What needs a permission of its own to be seen.
GUARDED: Final = frozenset({"health", "welfare", "custody", "signature"})
#: Fields of steps and orders: names of persons, and prose that may name some.
PARTIES: Final = (
    *("responsible_party", "refusal_witness", "addressee", "owner", "contact"),
    *("signatory", "witness"),
)
#: What somebody needs, and why, is nobody else's business.
_NEEDS: Final = {"vulnerable": "welfare", "help": "welfare"}
#: In a notice these are the community's: whom to call, and what it offers to everybody.
_OF_THE_OFFICE: Final = ("contact", "help")
PROSE: Final = (
    *("measures", "funds", "plan", "interim", "recipient", "letter", "outcome", "note", "reason"),
    *("remark", "void_reason", "address"),
)
GONE: Final = "***"
_PHONES: Final = re.compile(r"(?<!\d)(?:\+?86[- ]?)?(1[3-9]\d[- ]?\d{4}[- ]?\d{4})(?!\d)")
_ID_NUMBERS: Final = re.compile(r"(?<!\d)(\d{17}[\dXx])(?![\dXx])")
_SEPARATORS: Final = re.compile(r"[、，,；;/\s（）()：:]+")


@dataclass(frozen=True, slots=True)
class Datum:
    """A personal value: where it stands (``where`` is told to people), its class, and the words themselves."""

    where: str
    kind: str
    value: Any

    def words(self) -> Iterator[tuple[str, str, str]]:
        """``(kind, as it is written, normal spelling)`` of everything in it that a person can be found by."""
        text = self.value if isinstance(self.value, str) else ""
        found = FOUND_BY.get(self.kind)
        if found == NAME:
            for part in _SEPARATORS.split(text):
                if part and not any(c.isdigit() for c in part):
                    yield NAME, part, normal(NAME, part)
        elif found is not None and normal(found, text):
            yield found, text, normal(found, text)
        yield from _numbers(text)

    def look_ups(self) -> Iterator[tuple[str, str]]:
        """``(kind, normal spelling)`` of the same."""
        return ((kind, spelled) for kind, _, spelled in self.words())


def normal(kind: str, value: str) -> str:
    """One spelling of a value, however it was typed."""
    text = unicodedata.normalize("NFKC", value).casefold()
    if kind == PHONE:
        digits = "".join(c for c in text if c.isdigit())
        return digits[2:] if len(digits) == 13 and digits.startswith("86") else digits
    return "".join(text.split())


def data_of(body: Body, form_of: FormOf) -> list[Datum]:
    """Every personal value of a record's payload, a step's content, an order's or a notice's snapshot, and of what was
    noted about a house."""
    found = list(_visit_data(body["visit"], form_of)) if body.get("visit") else []
    for part in (body, *_parts(body), *(body.get("items") or ())):
        found += [Datum(name, NAME, part[name]) for name in PARTIES if part.get(name) not in (None, "", GONE)]
        found += [Datum(name, "prose", part[name]) for name in PROSE if _tells(part.get(name))]
        needs = ((name, kind) for name, kind in _NEEDS.items() if part.get(name) not in (None, "", GONE))
        found += [Datum(name, kind, part[name]) for name, kind in needs]
    return found


def _parts(body: Body) -> Iterator[Body]:
    """What a step says, and what a notice is made of."""
    if isinstance(body.get("step"), Mapping):
        yield body["step"]
    if isinstance(body.get("content"), Mapping):
        yield {name: value for name, value in body["content"].items() if name not in _OF_THE_OFFICE}


def _visit_data(visit: Body, form_of: FormOf) -> Iterator[Datum]:
    header = visit["header"]
    yield from _answers(header, header_form(), "header")
    if _tells(header.get("remark")):
        yield Datum("header.remark", "prose", header["remark"])
    for block in visit.get("blocks") or ():
        form = form_of(block["form"], int(block["version"]))
        yield from _answers(block.get("answers") or {}, form, block["form"])


def _answers(answers: Body, form: Form | None, where: str) -> Iterator[Datum]:
    """Of a form that is not known here every text may be personal."""
    for name, value in answers.items():
        field = form.by_id.get(name) if form is not None else None
        if field is not None and field.sensitive is not None and value not in (None, "", []):
            yield Datum(f"{where}.{name}", field.sensitive, value)
        elif (field is None and form is None and isinstance(value, str)) or _tells(value):
            yield Datum(f"{where}.{name}", "prose", value)


def _tells(value: Any) -> bool:
    return isinstance(value, str) and any(True for _ in _numbers(value))


def _numbers(text: str) -> Iterator[tuple[str, str, str]]:
    for kind, form in ((PHONE, _PHONES), (ID_NUMBER, _ID_NUMBERS)):
        for match in form.finditer(text):
            yield kind, match[1], normal(kind, match[1])


def without_persons(body: Body, form_of: FormOf, further: tuple[str, ...] = ()) -> dict[str, Any]:
    """The body with its persons taken out: sensitive answers are gone, names are ***, prose keeps its other words.

    ``further``: values that are to be taken out of prose as well.
    """
    known = [d.value for d in data_of(body, form_of) if d.kind in FOUND_BY and isinstance(d.value, str)]
    words = sorted({*further, *known} - {""}, key=len, reverse=True)
    cleaned = _cleaned(body, words)
    if body.get("visit"):
        cleaned["visit"] = _clean_visit(body["visit"], form_of, words)
    if body.get("step"):
        cleaned["step"] = _cleaned(body["step"], words)
    if body.get("items"):
        cleaned["items"] = [_cleaned(item, words) for item in body["items"]]
    return cleaned


def _cleaned(part: Body, words: list[str]) -> dict[str, Any]:
    cleaned = dict(part)
    cleaned |= {name: GONE for name in (*PARTIES, *_NEEDS) if cleaned.get(name)}
    cleaned |= {name: _clean_text(cleaned[name], words) for name in PROSE if isinstance(cleaned.get(name), str)}
    return cleaned


def _clean_visit(visit: Body, form_of: FormOf, words: list[str]) -> dict[str, Any]:
    cleaned = {**visit, "header": _clean_answers(visit["header"], header_form(), words)}
    if visit.get("blocks"):
        cleaned["blocks"] = [
            {
                **block,
                "answers": _clean_answers(
                    block.get("answers") or {}, form_of(block["form"], int(block["version"])), words
                ),
            }
            for block in visit["blocks"]
        ]
    return cleaned


def _clean_answers(answers: Body, form: Form | None, words: list[str]) -> dict[str, Any]:
    """Of an unknown form nothing can be kept. ``visitors`` are staff; everything typed loses the known words."""
    if form is None:
        return {}
    cleaned = {}
    for name, value in answers.items():
        field = form.by_id.get(name)
        if field is not None and field.sensitive is not None:
            continue
        is_typed = isinstance(value, str) and (field is None or field.type in ("text", "long_text"))
        # What says which object it is stays, or the hazard would be another one.
        cleaned[name] = _clean_text(value, words) if is_typed and name not in form.locus else value
    return cleaned


def _clean_text(text: str, words: list[str]) -> str:
    for word in words:
        if len(word) > 1:
            text = text.replace(word, GONE)
    return mask_text(text) if _tells(text) else text
