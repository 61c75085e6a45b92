"""What papers say and what they leave out."""

import pytest

from backend.identity.masking import mask_party, mask_text
from backend.meetings.sentences import compared, plain, rate, say


@pytest.mark.parametrize(
    "now, before, said",
    [
        (3, 2, "较上周增加1处（50%）"),
        (2, 3, "较上周减少1处（33.3%）"),
        (5, 0, "较上周增加5处"),
        (0, 5, "较上周减少5处（100%）"),
        (0, 0, "与上周持平"),
        (7, 7, "与上周持平"),
        (9, 8, "较上周增加1处（12.5%）"),
    ],
)
def test_compares_without_percentage_on_a_zero_base(now: int, before: int, said: str) -> None:
    assert compared(now, before, "上周") == said


@pytest.mark.parametrize(
    "part, whole, said",
    [(1, 2, "50%"), (1, 3, "33.3%"), (9999, 10000, "99.9%"), (1, 1, "100%"), (0, 0, "—"), (0, 5, "0%")],
)
def test_never_rounds_a_missed_door_away(part: int, whole: int, said: str) -> None:
    assert rate(part, whole) == said


def test_keeps_numbers_and_their_keys_in_a_sentence() -> None:
    parts = say("{this}新增{new}处，其中重大{new.red}处，反弹{rebound}处。", {"new": 3, "new.red": 1}, this="本周")
    assert parts == [
        "本周新增",
        {"figure": "new", "value": 3},
        "处，其中重大",
        {"figure": "new.red", "value": 1},
        "处，反弹0处。",
    ]
    assert plain(parts) == "本周新增3处，其中重大1处，反弹0处。"


@pytest.mark.parametrize(
    "text, masked",
    [
        ("3栋2单元501室", "3栋2单元***室"),
        ("联系13812345678整改", "联系138****5678整改"),
        ("身份证11010519491231002X", "身份证1101**********002X"),
        ("电话0735-2345678", "电话0735****5678"),
        ("3-2-501 门口", "3-2-*** 门口"),
        ("502房东面外墙", "***房东面外墙"),
        ("老旧房屋12栋", "老旧房屋12栋"),
        ("2026年11月", "2026年11月"),
    ],
)
def test_masks_rooms_and_numbers_in_text(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "party, masked",
    [
        ("石小满", "石*"),
        ("欧阳春晓、石小满", "欧*、石*"),
        ("石小满（房东）", "石*（房东）"),
        ("福泉物业公司", "福泉物业公司"),
        ("福泉超市", "福泉超市"),
        ("业主", "业主"),
        ("石小满 13812345678", "石* 138****5678"),
        ("Ahmad", "A*"),
        ("", ""),
    ],
)
def test_masks_persons_and_names_organisations(party: str, masked: str) -> None:
    assert mask_party(party) == masked
