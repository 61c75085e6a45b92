"""Files that cannot be read are refused with every fault named."""

from pathlib import Path
from typing import Any

import pytest

from mobile_contract.forms import DefinitionInvalid, load_form, parse_form
from mobile_contract.forms.strict_yaml import YamlInvalid, read_yaml
from mobile_contract.rules import load_rules, parse_rules

LABEL = {"zh": "灯", "en": "Lamp"}


def form_with(**field: Any) -> dict[str, Any]:
    row = {"id": "lamp", "label": LABEL, "type": "text"} | field
    return {"code": "lamps", "version": 1, "title": LABEL, "fields": [row]}


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], "must be a mapping"),
        ({"code": "x"}, "missing key 'fields'"),
        (form_with() | {"code": "Bad Code"}, "no identifier"),
        (form_with() | {"version": 0}, "whole number"),
        (form_with() | {"version": True}, "whole number"),
        (form_with() | {"title": {"zh": "灯"}}, "one in en"),
        (form_with() | {"place_kinds": ["castle"]}, "'castle' is not one of"),
        (form_with() | {"locus": ["other"]}, "'other' is not one of"),
        (form_with() | {"opens": "lamps"}, "opens: must be a list"),
        (form_with() | {"opens": ["lamps"]}, "must be a mapping"),
        (form_with() | {"opens": [{"form": "lamps"}]}, "missing key 'when'"),
        (form_with() | {"opens": [{"form": "A b", "when": "a.lamp == 'x'"}]}, "needs the code of a form"),
        (form_with() | {"fields": []}, "non-empty list"),
        (form_with() | {"fields": ["x"]}, "must be a mapping"),
        (form_with() | {"fields": [*form_with()["fields"], *form_with()["fields"]]}, "stands twice"),
        (form_with() | {"colour": "red"}, "unknown key 'colour'"),
        (form_with(id="Lamp"), "no identifier"),
        (form_with(type="colour"), "type 'colour' is not one of"),
        (form_with(label={"zh": " ", "en": "x"}), "needs a text in zh"),
        (form_with(required="yes"), "required must be bool"),
        (form_with(visible_when=True), "visible_when must be str"),
        (form_with(sensitive="secret"), "sensitive 'secret'"),
        (form_with(unit=LABEL), "numbers only"),
        (form_with(minimum=1), "numbers only"),
        (form_with(type="integer", minimum="1"), "minimum must be a number"),
        (form_with(type="integer", minimum=2, maximum=1), "above maximum"),
        (form_with(type="integer", bands=[2, 1]), "rising list"),
        (form_with(type="one_of"), "needs choices"),
        (form_with(type="one_of", choices={"a b": LABEL}), "no choice code"),
        (form_with(type="one_of", choices={"a": LABEL | {"exclusive": 1}}), "true or false"),
        (form_with(type="yes_no", choices={"a": LABEL}), "brings its own"),
        (form_with(choices={"a": LABEL}), "has no choices"),
    ],
)
def test_parse_form_faulty_document_names_the_fault(document: Any, fault: str) -> None:
    with pytest.raises(DefinitionInvalid) as raised:
        parse_form(document, "lamps.yaml")
    assert fault in str(raised.value)


def test_parse_form_many_faults_names_them_all() -> None:
    document = form_with(type="colour", sensitive="secret") | {"version": -1}
    with pytest.raises(DefinitionInvalid) as raised:
        parse_form(document)
    assert len(raised.value.problems) == 3


RULE: dict[str, Any] = {
    "code": "LMP-01",
    "title": LABEL,
    "severity": "yellow",
    "when": "a.lamp == 'x'",
    "due": "7d",
    "actions": ["fix"],
    "evidence": ["ph"],
    "closers": ["grid_head"],
    "basis": [{"mark": "U", "text": "-"}],
}
RULES: dict[str, Any] = {
    "form": "lamps",
    "version": 1,
    "form_versions": [1],
    "category": "other",
    "rules": [RULE],
}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"code": "lmp 1"}, "must look like"),
        ({"group": "grp"}, "must look like"),
        ({"severity": "purple"}, "severity 'purple'"),
        ({"due": "soon"}, "due 'soon'"),
        ({"due": "0d"}, "due '0d'"),
        ({"when": 1}, "needs a condition"),
        ({"hidden": "absent"}, "hidden can only be unknown"),
        ({"at": "battery_until minus 30"}, "must look like"),
        ({"actions": []}, "non-empty list"),
        ({"actions": [{"to": "fire"}]}, "missing key 'do'"),
        ({"actions": [{"do": "refer", "to": ["fire"]}]}, "must be texts"),
        ({"basis": [{"mark": "U", "text": "-", "when": 1}]}, "when must be"),
        ({"basis": [{"mark": "U", "text": "-", "source": ["L1"]}]}, "not in sources.yaml"),
        ({"evidence": "ph"}, "list of texts"),
        ({"closers": ["street", "street"]}, "twice"),
        ({"basis": []}, "non-empty list"),
        ({"basis": [{"mark": "X", "text": "-"}]}, "not V, U or D"),
        ({"basis": [{"mark": "U", "text": " "}]}, "text is empty"),
        ({"basis": [{"mark": "U", "text": "-", "source": "L99"}]}, "not in sources.yaml"),
        ({"due_note": "later"}, "needs a text in zh"),
        ({"penalty": 5}, "unknown key 'penalty'"),
    ],
)
def test_parse_rules_faulty_rule_names_the_fault(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(DefinitionInvalid) as raised:
        parse_rules(RULES | {"rules": [RULE | change]})
    assert fault in str(raised.value)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"category": "lamps"}, "'lamps' is not one of house"),
        ({"form_versions": []}, "list of form versions"),
        ({"version": "1"}, "whole number"),
        ({"rules": {}}, "must be a list"),
        ({"rules": [RULE, RULE]}, "stands twice"),
    ],
)
def test_parse_rules_faulty_set_names_the_fault(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(DefinitionInvalid) as raised:
        parse_rules(RULES | change)
    assert fault in str(raised.value)


def test_read_yaml_keeps_yes_and_no_as_text(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: yes\nb: no\nc: on\nd: true\ne: 2026-01-09\nf: 010\ng: 1.5\nh: -3\ni:\n", encoding="utf-8")
    assert read_yaml(path) == {
        "a": "yes", "b": "no", "c": "on", "d": True, "e": "2026-01-09", "f": "010",
        "g": 1.5, "h": -3, "i": None,
    }  # fmt: skip


@pytest.mark.parametrize("content", [b"a: 1\na: 2\n", b"a: [", b"\xff\xfe", b"!!python/object:os.system {}\n"])
def test_load_form_unreadable_file_names_the_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lamps.v1.yaml"
    path.write_bytes(content)
    with pytest.raises(YamlInvalid):
        read_yaml(path)
    for load in (load_form, load_rules):
        with pytest.raises(DefinitionInvalid) as raised:
            load(path)
        assert "lamps.v1.yaml" in str(raised.value)


def test_load_form_under_a_wrong_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.v1.yaml"
    path.write_text(
        "code: lamps\nversion: 1\ntitle: {zh: 灯, en: Lamps}\n"
        "fields:\n- {id: lamp, label: {zh: 灯, en: Lamp}, type: text}\n",
        encoding="utf-8",
    )
    with pytest.raises(DefinitionInvalid, match=r"lamps\.v1\.yaml"):
        load_form(path)
