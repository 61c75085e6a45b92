"""Sort keys and field codes."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.places.field_codes import ALPHABET, is_made_code, made_code, normal_code, roster_place_id
from backend.places.naming import chinese_number, pinyin_key


@pytest.mark.parametrize(
    "names",
    [
        ["2栋", "10栋"],
        ["一单元", "二单元", "三单元", "十单元", "十二单元", "二十单元"],
        ["甲栋", "乙栋", "丙栋"],
        ["第1网格", "第2网格", "第11网格"],
        ["第二微网格", "第十微网格"],
        ["101室", "201室", "1001室"],
        ["柳溪花园", "石榴巷", "张家院"],
    ],
)
def test_sort_names_by_pinyin_key_as_people_count(names: list[str]) -> None:
    assert sorted(sorted(names), key=pinyin_key) == names


def test_make_pinyin_key_full_width_equals_half() -> None:
    assert pinyin_key("福泉小区２栋") == pinyin_key("福泉小区2栋") == "fu quan xiao qu 00000002 dong"


@pytest.mark.parametrize(
    ("text", "value"), [("十", 10), ("二十三", 23), ("一百零五", 105), ("一百", 100), ("一二", 12), ("〇", 0)]
)
def test_read_chinese_number_gives_its_value(text: str, value: int) -> None:
    assert chinese_number(text) == value


@given(st.text(max_size=60))
def test_make_pinyin_key_of_any_text_does_not_fail(text: str) -> None:
    pinyin_key(text)


@given(st.uuids())
def test_make_code_is_stable_and_checks(place_id: UUID) -> None:
    code = made_code(place_id)
    assert code == made_code(place_id)
    assert is_made_code(code)
    assert is_made_code(code.lower().replace("-", ""))
    assert not set(code) & set("ILOUZ")


@given(st.uuids(), st.integers(0, 9), st.sampled_from(ALPHABET))
def test_misread_one_character_is_noticed(place_id: UUID, position: int, wrong: str) -> None:
    code = made_code(place_id).replace("-", "")
    misread = code[:position] + wrong + code[position + 1 :]
    assert is_made_code(misread) == (misread == code)


@given(st.uuids(), st.integers(0, 8))
def test_swap_two_neighbours_is_noticed(place_id: UUID, position: int) -> None:
    code = made_code(place_id).replace("-", "")
    swapped = code[:position] + code[position + 1] + code[position] + code[position + 2 :]
    assert is_made_code(swapped) == (swapped == code)


def test_name_place_by_code_any_spelling_is_one_place() -> None:
    community = UUID(int=7)
    assert normal_code(" ｆｑ-03 ") == "FQ-03"
    assert roster_place_id(community, "fq-03") == roster_place_id(community, "ＦＱ－０３")
