"""How a personal value is shown to whom: masked by its class, in full, or not at all."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from backend.identity.masking import mask_names, mask_number, mask_party, mask_plate
from backend.privacy.personal import GUARDED, NAME, Datum, FormOf
from backend.rectification.presenting import Shape, label
from mobile_contract.forms import header_form

MASKS: Final[Mapping[str, Callable[[str], str]]] = {
    "name": mask_names,
    "contact": mask_names,
    "phone": mask_number,
    "id_number": mask_number,
    "plate": mask_plate,
}
FIELD_LABELS: Final = {
    "responsible_party": ("责任人", "Responsible party"),
    "refusal_witness": ("见证人", "Witness"),
    "addressee": ("当事人", "Addressee"),
    "owner": ("产权人", "Owner"),
    "contact": ("联系人", "Contact"),
    "signatory": ("签收人", "Signed by"),
    "witness": ("见证人", "Witness"),
    "address": ("地址", "Address"),
    "vulnerable": ("特殊情况", "Special needs"),
    "help": ("帮扶", "Help"),
    "measures": ("整改措施", "Measures"),
    "note": ("说明", "Note"),
    "reason": ("理由", "Reason"),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose eyes: values are in full when ``person`` is None, or where they name that person (by look-up keys), else
    masked. Of a guarded class (health, welfare, custody, signature) nothing is shown unless ``sensitive``."""

    person: frozenset[tuple[str, str]] | None
    sensitive: bool


def shown(data: Sequence[Datum], form_of: FormOf, reader: Reader) -> list[Shape]:
    """The values of one row as the reader may see them; what may not be seen at all is left out."""
    words = _words_of_others(data, reader.person)
    found = [
        {
            "where": datum.where,
            "label": label_of(datum.where, form_of),
            "kind": datum.kind,
            "value": _value(datum, words, reader),
        }
        for datum in data
    ]
    return [one for one in found if one["value"] is not None]


def _value(datum: Datum, words: Mapping[str, str], reader: Reader) -> Any:
    if datum.kind in GUARDED:
        return datum.value if reader.sensitive else None
    if reader.person is None:
        return datum.value
    if not isinstance(datum.value, str):
        return None
    if datum.kind == "prose":
        return _prose(datum.value, words)
    if any(key in reader.person for key in datum.look_ups()):
        return datum.value
    return (mask_party if datum.where == "responsible_party" else MASKS[datum.kind])(datum.value)


def _words_of_others(data: Sequence[Datum], person: Collection[tuple[str, str]] | None) -> dict[str, str]:
    """How the names and numbers of everybody else in the row are written where prose speaks of them."""
    words: dict[str, str] = {}
    for datum in data:
        for kind, spelled, normal in datum.words():
            if person is not None and (kind, normal) not in person:
                words[spelled] = mask_names(spelled) if kind == NAME else mask_number(spelled)
    return words


def _prose(text: str, words: Mapping[str, str]) -> str:
    for word in sorted(words, key=len, reverse=True):
        if len(word) > 1:
            text = text.replace(word, words[word])
    return text


def label_of(where: str, form_of: FormOf) -> Shape:
    """What the place of a value is called: its form's label where there is one."""
    code, _, field_id = where.partition(".")
    form = header_form() if code == "header" else form_of(code, 1) if field_id else None
    field = form.by_id.get(field_id) if form is not None else None
    return label(field.label) if field is not None else label(FIELD_LABELS.get(where, (where, where)))
