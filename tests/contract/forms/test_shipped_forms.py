"""The shipped forms against the field lists they were ordered by, written out here by hand."""

import pytest

from mobile_contract.forms import (
    FormUnknown,
    digest,
    form_document,
    get_form,
    header_form,
    list_forms,
    opened_forms,
    parse_form,
)
from mobile_contract.forms.definition import Form
from mobile_contract.rules import list_rules

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
MULTI_USE = """
place_name* S | uscc S | trade* E produce store shop catering repair courier service
uses* X live produce store operate | area* N | floors S | sleepers* I
sleep_where* E same loft upper rear separate [c] | separation* E full partial none [c] | own_exit* Y [c]
second_escape* Y [c] | exits* I | exit_state* E clear blocked locked | shutter_manual Y
dangerous* X none fuel lpg solvent firework battery | wiring* X ok loose bare overload no_rcd
ebike_inside* E none park charge | cooking E none electric lpg pipeline | alarm* Y
extinguisher* E ok expired none | sandwich Y | bars Y
"""
SHOP = """
shop_name* S | uscc S | trade* E produce store shop catering repair courier service | area* N | live_in* Y
fuel* E none pipeline lpg electric liquid | gas_alarm* E ok faulty none [c] | cylinders* I [c]
lpg_faults* X none tee through_wall old_hose valve under_table near_fire multi_fuel no_flameout [c]
gas_place* E normal basement closed [c] | highrise B | duct* E clean late never [c]
exit_state* E clear blocked locked | extinguisher* E ok expired none
wiring* X ok loose bare overload no_rcd | ebike_inside* E none park charge
hydrant E ok blocked na | signboard Y | training Y
"""
ALARM = """
beneficiary* R | reason* X lone_elder childless_elder disabled destitute low_income other | consent* G
model* S | serial* S | cert Y | link E local nb other | room* X bedroom living corridor | mount E ceiling wall
wall_gap N | battery_until* D | tested* B | heard* B | contact S | payer* E owner community government
installed_on* D | next_check* D
"""
GAS = """
fuel_now* E lpg coal electric pipeline | intent* E agree wait refuse away
objection* X cost moving landlord works safety other [c] | contact_by* X door notice phone wechat | attempts* I
contract_on D [c] | fee N [c] | riser B | indoor_on D | meter_no S | lit_on D | leak_test* E pass fail [c]
hose E metal old | flameout Y | vent E good poor | bedroom Y | tampered Y | lpg_left* I [c] | briefed G
"""
LOW_INCOME = """
case_ref* R | declared* I | actual* I | changes X none birth death moved work illness | income_pc N
asset_flags X none house vehicle business | method* X home neighbour data
suggest* E keep up down stop destitute | reason* T [c] | heard* B [c] | reviewers* V | published_on D | next_on* D
"""
VACCINE = """
person* R | age_band* E a60 a70 a80 | vaccine* S | doses* I | last_on D
status* E done willing hesitant refused deferred | hesitation X illness effect family travel other
mobility E free aided bedridden | home_visit B | medical_note E none ask_clinician | appointment D | result S
followup_on D
"""
REQUEST = """
source* E visit window phone hotline wechat
category* E livelihood housing medical dispute environment facility other | summary* T | urgency* E urgent normal
requester S | owner* S | due* D | referred_to S | result T | replied_on D | satisfaction E good fair bad
"""
KEYS = """
event* E deposit out back return | slot* S | household* R | deposited_on* D [c] | consent* G [c]
allowed_people* S [c] | out_at* M [c] | out_by* S [c] | purpose* S [c] | back_at* M [c] | returned_on* D [c]
"""
HELPER = """
person* R | helper* S | assigned_on* D
needs* X shopping medicine medical payment paperwork repair company other
errands* X none shopping medicine medical payment paperwork repair company other
errand_on D | errand_note T | next_on D | ended_on D
"""
EVENT = """
kind* E study drill volunteer screening sorting greening award other | title* S | held_on* D | ended_on D
organiser S | post* S [c] | shifts I [c] | units I | people* I | summary T
"""
LETTERS = {
    "text": "S", "long_text": "T", "integer": "I", "decimal": "N", "money": "N", "boolean": "B", "yes_no": "Y",
    "date": "D", "one_of": "E", "many_of": "X", "photos": "P", "reference": "R", "signature": "G", "datetime": "M",
    "location": "L", "visitors": "V",
}  # fmt: skip
TABLES = {
    "header": HEADER, "self_built_house": HOUSE, "ebike_charging": EBIKE, "anti_theft_window": WINDOW,
    "multi_use_premises": MULTI_USE, "street_shop": SHOP, "smoke_alarm_install": ALARM, "gas_retrofit": GAS,
    "low_income_review": LOW_INCOME, "elderly_vaccination": VACCINE, "resident_request": REQUEST,
    "key_custody": KEYS, "helper_assignment": HELPER, "community_event": EVENT,
}  # fmt: skip


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
    assert [form.code for form in list_forms()] == sorted(TABLES.keys() - {"header"})
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
    assert list(marked["multi_use_premises"]) == list(marked["street_shop"]) == list(marked["community_event"]) == []
    assert list(marked["smoke_alarm_install"]) == ["beneficiary", "reason", "consent", "contact"]
    assert list(marked["gas_retrofit"]) == ["briefed"]
    assert list(marked["low_income_review"]) == [
        "case_ref", "changes", "income_pc", "asset_flags", "suggest", "reason", "heard",
    ]  # fmt: skip
    assert list(marked["resident_request"]) == ["requester"]
    assert list(marked["helper_assignment"]) == ["person", "helper", "needs", "errands", "errand_note"]


def test_forms_of_health_and_keys_are_personal_data_throughout() -> None:
    for code, kind in (("elderly_vaccination", "health"), ("key_custody", "custody")):
        form = get_form(code, 1)
        assert {field.sensitive for field in form.fields} == {kind}
        assert code not in {ruleset.form for ruleset in list_rules()}


def test_key_custody_is_never_filled_for_the_home_it_opens() -> None:
    """What stands beside a visit in the clear is its place: a key's must not be the home, or a map shows it."""
    assert not {"household", "unit", "building", "premises"} & set(get_form("key_custody", 1).place_kinds)


def test_forms_shipped_open_forms_that_fit_the_same_place() -> None:
    opened = {form.code: [opening.form for opening in form.opens] for form in list_forms() if form.opens}
    assert opened == {"multi_use_premises": ["anti_theft_window"], "street_shop": ["multi_use_premises"]}
    for code, targets in opened.items():
        for target in targets:
            assert set(get_form(code, 1).place_kinds) <= set(get_form(target, 1).place_kinds)


@pytest.mark.parametrize(
    ("code", "answers", "opened"),
    [
        ("multi_use_premises", {"bars": "yes"}, ("anti_theft_window",)),
        ("multi_use_premises", {"bars": "no"}, ()),
        ("multi_use_premises", {"bars": "unknown"}, ()),
        ("street_shop", {"live_in": "yes"}, ("multi_use_premises",)),
        ("street_shop", {}, ()),
        ("anti_theft_window", {"kind": "cage"}, ()),
    ],
)
def test_opened_forms_answer_that_says_so_brings_the_form_along(
    code: str, answers: dict[str, str], opened: tuple[str, ...]
) -> None:
    assert opened_forms(get_form(code, 1), answers) == opened


def test_forms_shipped_name_their_places_and_locus() -> None:
    assert get_form("ebike_charging", 1).locus == ("place", "floor_label")
    assert get_form("smoke_alarm_install", 1).locus == ("serial",)
    with_locus = {form.code for form in list_forms() if form.locus}
    assert with_locus == {"ebike_charging", "smoke_alarm_install"}
    assert get_form("self_built_house", 1).place_kinds == ("building",)
    assert all(form.place_kinds for form in list_forms())
