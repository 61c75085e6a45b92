"""The wire schemas, the ids a phone computes, and PROTOCOL.md say the same."""

import hashlib
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

import mobile_contract.sync
from mobile_contract.error_codes import CODES, message
from mobile_contract.forms import answers
from mobile_contract.forms.catalogue import get_form
from mobile_contract.rules.hazard_identity import BLANKS, NS_HAZARD, hazard_id, locus_of
from mobile_contract.sync import messages
from mobile_contract.sync.fields import WireInt
from mobile_contract.sync.outcomes import Problem, PushResult, RecordOutcome, TimeQuality, final_ids
from tests.contract.sync.sync_samples import INSTALL, make_id, make_push, make_record

PROTOCOL = (Path(mobile_contract.sync.__file__).parent / "PROTOCOL.md").read_text(encoding="utf-8")


@given(st.integers(-(2**60), 2**60) | st.floats() | st.text() | st.booleans() | st.none())
def test_wire_int_accepts_exactly_integral_numbers_within_range(value: Any) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    integral = number and abs(value) < 2**53 and value == int(value)
    try:
        loaded = WireInt(required=True).deserialize(value)
    except ValidationError:
        assert not integral
    else:
        assert integral
        assert loaded == value
        assert type(loaded) is int


def test_push_schema_ignores_unknown_fields_and_loads_ids_in_lower_case() -> None:
    push = make_push([make_record(1, later_field=1)], install_id=INSTALL.upper(), later_field={"a": 1})
    loaded = messages.PushSchema().load(push)
    assert loaded["install_id"] == INSTALL
    assert "later_field" not in loaded
    assert "later_field" not in loaded["records"][0]


@pytest.mark.parametrize("wrong", [{"install_id": "x"}, {"push_id": None}, {"clock": {"wall_ms": "1"}}])
def test_push_schema_wrong_envelope_is_refused(wrong: dict[str, Any]) -> None:
    assert set(messages.PushSchema().validate(make_push([], **wrong))) == set(wrong)


def test_push_result_wire_fits_its_schema() -> None:
    results = [
        PushResult(make_id(1), RecordOutcome.STORED, 5, TimeQuality.ANCHORED, missing_attachments=(make_id(2),)),
        PushResult(
            None,
            RecordOutcome.QUARANTINED,
            quarantine_id=make_id(3),
            errors=(Problem("", "record_unreadable"),),
        ),
    ]
    for result in results:
        assert messages.PushResultSchema().validate(result.wire()) == {}


def test_final_ids_only_named_final_outcomes_leave_the_outbox() -> None:
    statuses = ["stored", "duplicate", "quarantined", "retry", "some_later_status"]
    rows = [{"id": make_id(number), "status": status} for number, status in enumerate(statuses)]
    assert final_ids([*rows, {"id": None, "status": "quarantined"}]) == {make_id(0), make_id(1), make_id(2)}


def test_hazard_id_ignores_the_case_of_ids_only() -> None:
    community, place = make_id(1), make_id(2)
    found = hazard_id(community, place, "EBC-02", "STAIR/3F")
    assert found == hazard_id(community.upper(), uuid.UUID(place), "EBC-02", "STAIR/3F")
    assert found != hazard_id(community, place, "EBC-02", "STAIR/4F")
    assert found.version == 5


def test_protocol_lists_exactly_the_codes() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\d*) \| (.+) \|$", PROTOCOL.split("## 9.")[1], re.MULTILINE)
    listed = [(code, where, status, text) for code, where, status, text in rows]
    assert listed == [
        (code.code, code.where, "" if code.status is None else str(code.status), code.en) for code in CODES.values()
    ]


def test_error_codes_cover_the_codes_of_answers() -> None:
    assert set(answers.CODES) <= {code.code for code in CODES.values() if code.where in ("record", "answer")}
    assert message("nul_character") == "内容含有空字符"
    assert message("a_code_of_tomorrow") == "a_code_of_tomorrow"


def test_protocol_examples_are_true() -> None:
    assert hashlib.sha256('{"a":"楼"}'.encode()).hexdigest() in PROTOCOL
    assert str(NS_HAZARD) in PROTOCOL
    nil = "00000000-0000-0000-0000-00000000000"
    assert str(hazard_id(nil + "1", nil + "2", "EBC-ROUTE", "STAIR/3F")) in PROTOCOL
    form = get_form("ebike_charging", 1)
    assert locus_of(form, {"place": "stair", "floor_label": " ３f "}) == "STAIR/3F"
    for character in BLANKS.strip("\t\n\v\f\r "):
        assert f"U+{ord(character):04X}" in PROTOCOL
    assert f"{messages.MAX_RECORDS} records" in PROTOCOL
