"""The stored sort key of a Chinese name: pinyin word by word, numbers padded so that 2栋 comes before 10栋."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from pypinyin import lazy_pinyin

_DIGITS: Final = "零一二三四五六七八九"
_STEMS: Final = "甲乙丙丁戊己庚辛壬癸"
_COUNTED: Final = "栋幢座号楼单元室层组网片区期"
"""What is counted: a numeral in Chinese digits before one of these is a number, elsewhere it is part of a name."""

_CHINESE_NUMBER = re.compile(rf"(?:(?<=第)[{_DIGITS}〇十百]+|[{_DIGITS}〇十百]+(?=[{_COUNTED}]))")
_STEM = re.compile(rf"[{_STEMS}](?=[{_COUNTED}])")
_NUMBER = re.compile(r"\d+")
WIDTH: Final = 8


@lru_cache(maxsize=65_536)
def pinyin_key(name: str) -> str:
    """``"福泉小区2栋"`` → ``"fu quan xiao qu 00000002 dong"``. Compared byte by byte."""
    text = unicodedata.normalize("NFKC", name).lower()
    text = _CHINESE_NUMBER.sub(lambda m: str(chinese_number(m[0])), text)
    text = _STEM.sub(lambda m: str(_STEMS.index(m[0]) + 1), text)
    text = _NUMBER.sub(lambda m: f" {m[0].lstrip('0').rjust(WIDTH, '0')} ", text)
    return " ".join(" ".join(lazy_pinyin(text)).split())


def chinese_number(text: str) -> int:
    """``二十三`` → 23, ``一百零五`` → 105, ``一二`` → 12."""
    text = text.replace("〇", "零")
    if "十" not in text and "百" not in text:
        return int("".join(str(_DIGITS.index(c)) for c in text))
    hundreds, _, rest = text.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    return 100 * (_value(hundreds, 1) if "百" in text else 0) + (10 * _value(tens, 1) if ten else 0) + _value(ones, 0)


def _value(text: str, empty: int) -> int:
    digits = text.replace("零", "")
    return int("".join(str(_DIGITS.index(c)) for c in digits if c in _DIGITS) or empty)
