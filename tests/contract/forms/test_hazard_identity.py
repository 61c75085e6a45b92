"""Identity, loci and deadlines: fixed values, because a phone computes them too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile_contract.forms import get_form
from mobile_contract.rules import due_at_ms, hazard_id, locus_of
from tests.contract.forms import tiny_forms as tiny

EBIKE = get_form("ebike_charging", 1)
COMMUNITY = "0190a000-0000-7000-8000-000000000001"
PLACE = "0190a000-0000-7000-8000-000000000002"


@pytest.mark.parametrize(
    ("floor", "locus"),
    [
        ("3f", "STAIR/3F"),
        (" ３Ｆ　", "STAIR/3F"),
        ("\ufeff3F\x85", "STAIR/3F"),
        ("三楼", "STAIR/三楼"),
        ("b1 左", "STAIR/B1 左"),
        ("ß", "STAIR/SS"),
        ("", "STAIR/-"),
        (" ", "STAIR/-"),
        (None, "STAIR/-"),
    ],
)
def test_locus_of_spellings_of_one_floor_are_one_locus(floor: str | None, locus: str) -> None:
    assert locus_of(EBIKE, {"place": "stair", "floor_label": floor}) == locus


def test_locus_of_missing_parts_and_forms_without_locus() -> None:
    assert locus_of(EBIKE, {}) == "-/-"
    assert locus_of(get_form("self_built_house", 1), {"tilt": "none"}) == ""
    numbered = tiny.form(tiny.field("row", "integer"), locus=["row"])
    assert locus_of(numbered, {"row": 0}) == "0"


@given(st.text(alphabet="3fFbB１Ｆｆ 　左三楼#-/", max_size=10))
def test_locus_of_its_own_result_is_the_same(floor: str) -> None:
    once = locus_of(EBIKE, {"floor_label": floor})
    assert locus_of(EBIKE, {"floor_label": once.removeprefix("-/").lower()}) == once


def test_hazard_id_is_fixed_for_ever() -> None:
    found = hazard_id(COMMUNITY, PLACE, "EBC-ROUTE", "STAIR/3F")
    assert str(found) == "e8100645-f633-5554-8a5b-06906b11b820"
    assert found == hazard_id(COMMUNITY.upper(), PLACE.upper(), "EBC-ROUTE", "STAIR/3F")


def test_hazard_id_differs_by_every_part() -> None:
    parts = [COMMUNITY, PLACE, "EBC-ROUTE", "STAIR/3F"]
    others = [PLACE, COMMUNITY, "EBC-04", "STAIR/2F"]
    ids = {hazard_id(*parts)}
    for position, other in enumerate(others):
        changed = list(parts)
        changed[position] = other
        ids.add(hazard_id(*changed))
    assert len(ids) == 5


NOON = 1_767_931_200_000  # 2026-01-09 12:00 in Shanghai
MIDNIGHT = 1_767_974_400_000  # the midnight after it


@pytest.mark.parametrize(
    ("due", "effective", "expected"),
    [
        ("0", NOON, MIDNIGHT - 1),
        ("0", MIDNIGHT - 1, MIDNIGHT - 1),
        ("0", MIDNIGHT, MIDNIGHT + 86_400_000 - 1),
        ("24h", NOON, NOON + 86_400_000),
        ("1h", MIDNIGHT, MIDNIGHT + 3_600_000),
        ("7d", NOON, MIDNIGHT + 7 * 86_400_000 - 1),
        ("0", 0, 16 * 3_600_000 - 1),
    ],
)
def test_due_at_ms_hours_are_exact_and_days_end_with_the_day(due: str, effective: int, expected: int) -> None:
    assert due_at_ms(due, effective) == expected


@pytest.mark.parametrize("due", ["", "0d", "0h", "d", "7", "1w", "-1d", "24H"])
def test_due_at_ms_unknown_deadline_raises(due: str) -> None:
    with pytest.raises(ValueError, match="due"):
        due_at_ms(due, 0)
