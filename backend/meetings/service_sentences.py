"""What a paper says of the community's work for its people: a sentence a kind of service."""

import re
from collections.abc import Mapping
from typing import Final

from backend.meetings.sentences import Part, rate, say

SENTENCES: Final = (
    "敲门、扫楼、扫街专项行动发现隐患{sweep_found}处，发现并销号{sweep_closed}处。",
    "为{windows_opened}户防盗网开设逃生口，为{alarm_homes}户安装独立式感烟报警器。",
    "送达危房劝离通知书{notices_to_leave}份，撤离{homes_evacuated}户；"
    "登记自建房{houses_known}栋，已鉴定{houses_appraised}栋，鉴定率{appraised}。",
    "燃气管道安装上门动员{gas_buildings}栋{gas_homes}户，历时{gas_days}天。",
    "办结居民急难愁盼问题{requests_solved}件。",
    "复查低保{welfare_homes}户{welfare_persons}人；"
    "应接种老年人{elderly_eligible}人，已接种{elderly_vaccinated}人，接种率{vaccinated}。",
    "“一对一”帮代办{helped_persons}人；开展学习主题活动{study_sessions}次；"
    "组织演练{drills}次，{drill_units}个乡镇（单位）{drill_people}人参加。",
)
_KEY: Final = re.compile(r"\{([a-z_]+)\}")


def service_sentences(values: Mapping[str, int], *, whole: bool) -> list[list[Part]]:
    """The sentences of which anything happened, or all of them if ``whole``; every number leads to its rows."""
    rates = {
        "appraised": rate(values.get("houses_appraised", 0), values.get("houses_known", 0)),
        "vaccinated": rate(values.get("elderly_vaccinated", 0), values.get("elderly_eligible", 0)),
    }
    said = [one for one in SENTENCES if whole or any(values.get(key) for key in _KEY.findall(one))]
    return [say(sentence, values, **rates) for sentence in said]
