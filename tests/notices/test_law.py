"""P8 on paper: no notice announces what a community may not do, and what is not verified is never printed as law."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from backend.documents.blocks import Block, texts_of
from backend.notices import wording
from backend.notices.wording import evacuation_blocks, rectification_blocks, words_of_power
from mobile_contract.rules import Basis, list_rules
from tests.factories.notices import issued, notice_body
from tests.factories.records import CHARGING_EBIKE, PARKED_EBIKE, block, visit_body
from tests.factories.sweeps import Sweep

Write = Callable[[dict[str, Any]], list[Block]]
FRAME: dict[str, Any] = {
    "number": "〔2026〕07号",
    "addressee": "王建国",
    "address": "槐荫路8号",
    "issuers": ["福泉社区居民委员会"],
    "issued_ms": 1_780_000_000_000,
    "deadline_ms": 1_780_100_000_000,
    "replaced_number": "〔2026〕06号",
    "contact": "0735-2220000",
}
RECTIFICATION = {
    **FRAME,
    "kind": "rectification",
    "inspected_on": "2026年1月9日",
    "inspectors": ["石小满"],
    "hazards": [{"number": "1", "place": "3栋", "title": "堵塞", "law": ["第二十八条"], "photos": ["a" * 64]}],
    "requirement": wording.REQUIREMENT,
    "interim": wording.INTERIM,
}
EVACUATION = {
    **FRAME,
    "kind": "evacuation",
    "house_code": "FQ-03",
    "owner": "王建国",
    "appraiser": "衡正鉴定所",
    "report_no": "J-1",
    "reported_on": "2026年1月5日",
    "grade": "D",
    "danger_parts": "承重墙开裂",
    "households": [{"name": "501室", "persons": 3}],
    "resettlement": "投亲、租房或安置点",
    "help": "社区派人协助",
    "utilities": "请关闭水电气总阀，带走贵重物品",
}


def check_respects_the_law(write_rectification: Write, write_evacuation: Write) -> None:
    """Neither kind of notice says a word of power; the consequence is a report and nothing else."""
    for write, content in ((write_rectification, RECTIFICATION), (write_evacuation, EVACUATION)):
        texts = texts_of(write(content))
        assert words_of_power(texts) == []
        assert all("有关部门依法处理" in text for text in texts if "逾期" in text)


def test_sentences_threaten_with_nothing() -> None:
    check_respects_the_law(rectification_blocks, evacuation_blocks)


@pytest.mark.parametrize("threat", ["逾期将处以罚款。", "逾期将依法查封。", "逾期不改将断电。", "拒不撤离的强制撤离。"])
def test_check_catches_a_threat(threat: str) -> None:
    def threatening(content: dict[str, Any]) -> list[Block]:
        return [*rectification_blocks(content), {"block": "paragraph", "text": threat}]

    with pytest.raises(AssertionError):
        check_respects_the_law(threatening, evacuation_blocks)


@pytest.mark.parametrize("field", ["requirement", "interim", "contact", "addressee", "address"])
def test_typed_threat_is_refused_and_uses_no_number(sweep: Sweep, field: str) -> None:
    person = sweep.person("safety_officer")
    hazard = sweep.hazard(sweep.tree.households[0])
    answer = person.post("/notices", notice_body(hazard, **{field: "否则罚款并查封"}))
    assert (answer.status_code, answer.json["code"]) == (422, "notice_wording")
    assert "查封、罚款" in answer.json["detail"]
    assert issued(person, hazard)["number"].endswith("01号")


#: An e-bike parked in a low house's stairwell: a hazard without any verified article.
LOW = {**PARKED_EBIKE, "building_class": "low"}


def check_printed_grounds(sweep: Sweep, answers: Any) -> list[str]:
    """Whatever a notice about such a hazard prints as grounds are verified articles of laws; returns them."""
    place = sweep.tree.households[0]
    sweep.put(visit_body(place, [block("ebike_charging", place, answers)]))
    sweep.compile(place)
    notice = issued(sweep.person("safety_officer"), sweep.hazard_id(place))
    grounds = [text.removeprefix("依据：").split("；") for text in notice["text"] if text.startswith("依据：")]
    bases = [basis for rules in list_rules() for rule in rules.rules for basis in rule.basis]
    verified = {b.text for b in bases if b.mark == "V" and b.source is not None and b.source.force == "law"}
    found = [text for line in grounds for text in line]
    assert set(found) <= verified
    return found


@pytest.mark.parametrize("answers, is_law", [(PARKED_EBIKE, True), (CHARGING_EBIKE, True), (LOW, False)])
def test_print_grounds_only_verified_articles(sweep: Sweep, answers: Any, is_law: bool) -> None:
    assert bool(check_printed_grounds(sweep, answers)) is is_law


def test_print_every_ground_as_law_is_caught(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Basis, "is_law", property(lambda _: True))
    with pytest.raises(AssertionError):
        check_printed_grounds(sweep, LOW)


def test_words_of_power_are_found_in_any_place() -> None:
    for word, (before, after) in product(("罚款", "查封", "停电", "强制搬离"), (("", ""), ("将被", "处理"))):
        assert words_of_power([before + word + after])
    assert words_of_power(["请拔下插头，强制认证标志缺失", wording.CONSEQUENCE]) == []
