"""Masking: persons by surname, organisations and roles in full, numbers by their ends."""

import pytest

from backend.identity.masking import mask_names, mask_number, mask_party, mask_plate, mask_text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("王建国", "王*"),
        ("王卫东、李玉堂", "王*、李*"),
        ("欧阳明月（租客）", "欧*（租*）"),
        ("房东", "房东"),
        ("业主：王建国", "业主：王*"),
        ("3栋经营者", "3栋经营者"),
        ("福泉物业", "福泉物业"),
        ("老街面馆 周小雨 13800138000", "老街面馆 周* 138****8000"),
        ("Li Xiuying", "L* X*"),
        ("", ""),
    ],
)
def test_party_shows_persons_by_surname(text: str, masked: str) -> None:
    assert mask_party(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("电话13800138000", "电话138****8000"),
        ("0735-2345678", "0735****5678"),
        ("身份证431002199001011234。", "身份证4310**********1234。"),
        ("2单元301室", "2单元***室"),
        ("3-2-501", "3-2-***"),
        ("湘A8Z7Y6占道，粤B·D12345也是", "湘A***占道，粤B***也是"),
        ("限3日内移走2辆车", "限3日内移走2辆车"),
    ],
)
def test_text_loses_its_numbers(text: str, masked: str) -> None:
    assert mask_text(text) == masked


def test_sensitive_fields_never_pass_as_they_are() -> None:
    assert mask_names("王卫东、房东") == "王*、房*"
    assert mask_names("") == ""
    assert mask_number("13800138000") == "138****8000"
    assert mask_number("12345") == "***"
    assert mask_plate("湘L12345") == "湘L***"
