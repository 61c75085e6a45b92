"""The shipped forms against the field lists they were ordered by, written out here by hand."""

import pytest

from mobile_contract.forms import (
    FormUnknown,
    digest,
    form_document,
    get_form,
    header_form,
    list_forms,
    parse_form,
)
from mobile_contract.forms.definition import Form

# id, *: required (while shown), type letter, choices; [c]: shown only under a condition.
HEADER = """
place_id* R | visited_at* M | visitors* V
outcome* E done vacant not_applicable no_answer refused wrong_address
respondent_relation E owner tenant operator family other | respondent_name S | respondent_phone S | location L
photos P | informed* B [c] | signature G | refusal_witness S | remark T
"""
HOUSE = """
owner_name* S | land_type* E state collective
area_type X built_up fringe urban_village resettlement industrial near_school near_hospital near_market other
use_type* E business mixed self rental vacant
business_kinds* X catering lodging retail education care workshop storage leisure other [c]
storeys_above* I | storeys_below I | floor_area* N | built_year* I
structure* E brick_concrete frame brick_timber timber earth_stone steel other
precast_slab Y | foundation E strip isolated pile unknown | design* E qualified sketch none
permits X land planning construct fire none | altered* Y
alterations* X add_storey extend bearing change_use roof_load dig [c] | alter_designed* Y [c]
tilt* E none slight obvious | foundation_state* E none slight severe | crack* E none hairline obvious severe
crack_width* N [c] | decay E none slight severe | facade_loose* Y
site_risks* X none slope flood geohazard excavation past_damage | prelim* E severe some none
appraisal* E todo doing done | grade* E A B C D [c] | report_no* S [c] | report_body* S [c] | report_on* D [c]
report_file P [c] | occupant_households* I | occupant_persons* I
controls* X stop_use stop_business cordon evacuate other [c] | works* X rebuild reinforce other [c]
"""
EBIKE = """
place* E home hall corridor stair exit stilt basement shop outdoor station | floor_label S
building_class* E high_res high_public low | behaviours* X none park charge fly_wire battery_in lift modified
ebike_count* I | battery E lead lithium unknown | gb43854* Y [c] | charger_match Y | blocks_escape* Y
combustibles* Y | power_from* E home public shop [c] | facility* E none short enough | auto_cutoff* Y [c]
fire_gear* Y [c] | separated* Y [c] | owner_known* B | plate* S [c]
onsite* X moved unplugged unwired taught notice none
"""
WINDOW = """
kind* E cage flush invisible none | premises* E home rental mixed crowded | highrise* B | floor* I
windows* I [c] | sealed* Y | opening* Y | open_w* N [c] | open_h* N [c] | sill_h N | inside_open* Y [c]
lock* E none latch key welded [c] | key_fixed* Y [c] | obstructed* Y [c] | overhang N | loose* Y
second_way Y | vulnerable* I
consent* E agree refuse absent | retrofit_on D [c] | payer* E owner community government [c]
"""
LETTERS = {
    "text": "S", "long_text": "T", "integer": "I", "decimal": "N", "boolean": "B", "yes_no": "Y", "date": "D",
    "one_of": "E", "many_of": "X", "photos": "P", "reference": "R", "signature": "G", "datetime": "M",
    "location": "L", "visitors": "V",
}  # fmt: skip
TABLES = {"header": HEADER, "self_built_house": HOUSE, "ebike_charging": EBIKE, "anti_theft_window": WINDOW}


def described(form: Form) -> list[str]:
    rows = []
    for field in form.fields:
        codes = [] if field.type == "yes_no" else list(field.choice_codes)
        parts = [
            field.id + "*" * field.required,
            LETTERS[field.type],
            *codes,
            *["[c]"] * bool(field.visible_when),
        ]
        rows.append(" ".join(parts))
    return rows


@pytest.mark.parametrize("code", TABLES)
def test_form_shipped_has_every_ordered_field_and_choice(code: str) -> None:
    ordered = [row.strip() for line in TABLES[code].strip().splitlines() for row in line.split("|")]
    assert described(get_form(code, 1)) == ordered


def test_list_forms_shipped_leaves_out_the_header() -> None:
    assert [form.code for form in list_forms()] == ["anti_theft_window", "ebike_charging", "self_built_house"]
    assert header_form() is get_form("header", 1)


def test_get_form_unknown_version_raises() -> None:
    with pytest.raises(FormUnknown):
        get_form("ebike_charging", 99)


@pytest.mark.parametrize("code", TABLES)
def test_form_document_read_back_is_the_same_form(code: str) -> None:
    document = form_document(get_form(code, 1))
    assert form_document(parse_form(document)) == document
    assert digest(document) == digest(dict(reversed(document.items())))


def test_forms_shipped_mark_personal_data() -> None:
    marked = {form.code: dict.fromkeys(form.sensitive_fields) for form in [*list_forms(), header_form()]}
    assert list(marked["header"]) == ["respondent_name", "respondent_phone", "signature", "refusal_witness"]
    assert list(marked["self_built_house"]) == ["owner_name"]
    assert list(marked["ebike_charging"]) == ["plate"]
    assert list(marked["anti_theft_window"]) == ["vulnerable"]


def test_forms_shipped_name_their_places_and_locus() -> None:
    assert get_form("ebike_charging", 1).locus == ("place", "floor_label")
    assert get_form("self_built_house", 1).locus == get_form("anti_theft_window", 1).locus == ()
    assert get_form("self_built_house", 1).place_kinds == ("building",)
    assert all(form.place_kinds for form in list_forms())
