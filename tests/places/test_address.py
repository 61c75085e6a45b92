"""Addresses as people write them, taken to parts; what is not recognised is left out, never invented."""

import pytest

from backend.places.address import normal_address, parse_address

CASES = {
    "湖南省郴州市北湖区人民路街道福泉社区槐荫路8号福泉小区3栋2单元501室": {
        "province": "湖南省",
        "city": "郴州市",
        "district": "北湖区",
        "street": "人民路街道",
        "community": "福泉社区",
        "road": "槐荫路",
        "number": "8",
        "estate": "福泉小区",
        "building": "3",
        "unit": "2",
        "room": "501",
    },
    "槐荫路８号２单元３０１": {"road": "槐荫路", "number": "8", "unit": "2", "room": "301"},
    "福泉小区3-2-501": {"estate": "福泉小区", "building": "3", "unit": "2", "room": "501"},
    "福泉小区３－２－５０１室": {"estate": "福泉小区", "building": "3", "unit": "2", "room": "501"},
    "福泉小区3-501": {"estate": "福泉小区", "building": "3", "room": "501"},
    "福泉小区甲栋乙单元201": {"estate": "福泉小区", "building": "甲", "unit": "乙", "room": "201"},
    "柳溪花园12号楼1单元602": {"estate": "柳溪花园", "building": "12", "unit": "1", "room": "602"},
    "柳溪花园B座1203": {"estate": "柳溪花园", "building": "B", "room": "1203"},
    "柳溪花园第三幢": {"estate": "柳溪花园", "building": "三"},
    "柳溪村5组12号": {"community": "柳溪村", "group": "5", "number": "12"},
    "柳溪村第五组": {"community": "柳溪村", "group": "五"},
    "北湖区石桥镇柳溪村三组": {"district": "北湖区", "street": "石桥镇", "community": "柳溪村", "group": "三"},
    "石榴巷16-2号": {"road": "石榴巷", "number": "16-2"},
    "石榴巷16号之一": {"road": "石榴巷", "number": "16", "rest": "之一"},
    "石榴巷": {"road": "石榴巷"},
    "槐荫里小区5栋": {"estate": "槐荫里小区", "building": "5"},
    "青年大道101号": {"road": "青年大道", "number": "101"},
    "上海市徐汇区枫桥路20弄3号": {"province": "上海市", "district": "徐汇区", "road": "枫桥路", "rest": "20弄3号"},
    "柳溪花园东区3栋": {"estate": "柳溪花园", "rest": "东区3栋"},
    "阳光城市花园3栋": {"estate": "阳光城市花园", "building": "3"},
    "水乡花园3栋": {"estate": "水乡花园", "building": "3"},
    "柳溪新村3栋101": {"estate": "柳溪新村", "building": "3", "room": "101"},
    "农贸市场旁": {"rest": "农贸市场旁"},
    "听雨苑7座2-301": {"estate": "听雨苑", "building": "7", "unit": "2", "room": "301"},
    "5栋": {"building": "5"},
    "501": {"room": "501"},
    "老粮站后面": {"rest": "老粮站后面"},
    "": {},
    "  ": {},
}


@pytest.mark.parametrize("raw", CASES)
def test_parse_address_as_written_gives_its_parts(raw: str) -> None:
    assert parse_address(raw) == CASES[raw]


def test_normal_address_full_width_becomes_half_and_stems_stay() -> None:
    assert normal_address(" 福泉小区，甲栋 ３—２—５０１ａ ") == "福泉小区甲栋3-2-501A"
