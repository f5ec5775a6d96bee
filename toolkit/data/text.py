"""Normal forms of headers, names and codes."""

import re
import unicodedata
from functools import cache

from toolkit.data.words import LOOKALIKES

_LEADING = re.compile(
    r"^(?:[(（]?\d{1,2}[)）.、．](?!\d)|[(（][一二三四五六七八九十]{1,3}[)）]|[一二三四五六七八九十]{1,3}、|其中[:：,，]?|[#*★☆※])+"
)
_NOT_WORD = re.compile(r"[^\w%‰]+|_")
_BETWEEN_HAN = re.compile(r"(?<=[\u4e00-\u9fff）)])\s+(?=[\u4e00-\u9fff（(])")
_NUMERALS = re.compile(r"[〇零一二三四五六七八九十百]+")
_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0}


class _Seen(dict[int, str | None]):
    """Each character as it is seen: white space as a blank, what cannot be seen as nothing."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        hidden = unicodedata.category(character) in ("Cf", "Cc")
        self[code] = " " if character.isspace() else None if hidden else character
        return self[code]


_SEEN = _Seen()


def visible(text: str) -> str:
    """Return a text without characters that cannot be seen, its white space made plain."""
    if text.isascii() and text.isprintable():
        return text.strip()
    kept = text.translate(_SEEN)
    return _BETWEEN_HAN.sub("", re.sub(r" +", " ", kept)).strip() if " " in kept else kept


@cache
def squash(text: str) -> str:
    """Return the letters and digits of a header or a word, half-width and in lower case."""
    plain = unicodedata.normalize("NFKC", visible(text)).lower()
    plain = _LEADING.sub("", plain) or plain
    return _NOT_WORD.sub("", plain)


@cache
def loosen(text: str) -> str:
    """Return a squashed header without the words for "number" and "total" that come and go."""
    plain = squash(text)
    loose = re.sub(r"总人数|总数|人数|总量|数量", "数", plain).replace("的", "").replace("总面积", "面积")
    loose = loose.replace("其中", "")
    return loose.removesuffix("数") if len(loose) > 3 else loose


def plain_code(text: str) -> str:
    """Return a code in half-width Latin letters and digits without white space."""
    normal = unicodedata.normalize("NFKC", visible(text)).translate(LOOKALIKES)
    return re.sub(r"\s+", "", normal)


def arabic_numerals(text: str) -> str:
    """Return a text with its Chinese numerals written in digits: 第十一小学 becomes 第11小学."""
    return _NUMERALS.sub(lambda match: _numeral(match.group()), text)


def _numeral(characters: str) -> str:
    if "十" not in characters and "百" not in characters:
        return "".join(str(_DIGITS[character]) for character in characters)
    hundreds, _, rest = characters.rpartition("百")
    tens, ten, units = rest.rpartition("十")
    total = 100 * (_DIGITS.get(hundreds, 1) if "百" in characters else 0)
    total += 10 * (_DIGITS.get(tens, 1) if ten else 0) + (
        _DIGITS.get(units.lstrip("零〇"), 0) if units else 0
    )
    return str(total)
