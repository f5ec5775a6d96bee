"""Slips of the pen: names that differ from a registered one by a character that a clerk would overlook."""

from collections.abc import Iterable
from functools import cache

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from toolkit.data.name_forms import WORDS

SHORTEST = 4
"""Characters that a name has at least when a slip in it may be overlooked."""

_SLIPS = WORDS["slips"]
_TELLING = frozenset(_SLIPS["telling"])
_GENERIC: tuple[str, ...] = tuple(_SLIPS["generic"])
_ENDS_OF_SYLLABLES = str.maketrans({"ü": "v"})


def _shape_groups() -> dict[str, set[int]]:
    groups: dict[str, set[int]] = {}
    for number, group in enumerate(_SLIPS["shapes"].split()):
        for character in group:
            groups.setdefault(character, set()).add(number)
    return groups


_SHAPES = _shape_groups()


class NearNames:
    """All written forms of a register's names, searched for those one slip away.

    Parameters
    ----------
    forms : iterable of (str, str)
        Squeezed form and the code of its school.
    """

    def __init__(self, forms: Iterable[tuple[str, str]]) -> None:
        self._codes: dict[str, set[str]] = {}
        for form, code in forms:
            if len(form) >= SHORTEST:
                self._codes.setdefault(form, set()).add(code)
        self._by_length: dict[int, list[str]] = {}
        for form in self._codes:
            self._by_length.setdefault(len(form), []).append(form)

    def find(self, written: str) -> str:
        """Return the code of the only school whose name is one slip away, else an empty text.

        A school counts as near by any change of one character; it is found if the change is a slip,
        and if no other school is as near.
        """
        if len(written) < SHORTEST:
            return ""
        near = [
            form
            for length in (len(written) - 1, len(written), len(written) + 1)
            for form, _, _ in process.extract(
                written,
                self._by_length.get(length, []),
                scorer=Levenshtein.distance,
                score_cutoff=1,
                limit=None,
            )
        ]
        codes = set().union(*(self._codes[form] for form in near)) if near else set()
        is_slip = any(differ_by_slip(written, form) for form in near)
        return codes.pop() if len(codes) == 1 and is_slip else ""


def differ_by_slip(written: str, registered: str) -> bool:
    """Say whether one character was written wrongly, twice, or left out where it tells nothing.

    A wrong character sounds or looks like the right one. Numerals, directions and the kind of school
    never differ by a slip.

    Parameters
    ----------
    written, registered : str
        Squeezed names.
    """
    edits = list(Levenshtein.editops(registered, written))
    if len(edits) != 1:
        return False
    kind, at, to = edits[0].tag, edits[0].src_pos, edits[0].dest_pos
    if kind == "replace":
        return are_alike(registered[at], written[to])
    if kind == "insert":
        return not written[to].isdigit() and written[to] in registered[max(0, at - 2) : at + 2]
    return _tells_nothing(registered, at)


def are_alike(one: str, other: str) -> bool:
    """Say whether two characters sound or look alike and are not two that tell schools apart."""
    if one.isascii() or other.isascii() or (one in _TELLING and other in _TELLING):
        return False
    if _SHAPES.get(one, set()) & _SHAPES.get(other, set()):
        return True
    return bool(_sounds(one) & _sounds(other))


def _tells_nothing(name: str, at: int) -> bool:
    """Say whether the character at a place belongs to a general word and is none that tells schools apart."""
    if name[at] in _TELLING or name[at].isdigit():
        return False
    for word in _GENERIC:
        start = name.find(word)
        while start >= 0:
            if start <= at < start + len(word):
                return True
            start = name.find(word, start + 1)
    return False


@cache
def _sounds(character: str) -> frozenset[str]:
    """Return the syllables of a character without tone; zh and z, ang and an are one."""
    from pypinyin import Style, pinyin

    read = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
    return frozenset(_plain_syllable(syllable) for syllables in read for syllable in syllables)


def _plain_syllable(syllable: str) -> str:
    """Return a syllable as it is typed by people who do not tell zh from z and ang from an."""
    plain = syllable.translate(_ENDS_OF_SYLLABLES)
    for long, short in (("zh", "z"), ("ch", "c"), ("sh", "s")):
        if plain.startswith(long):
            plain = short + plain[2:]
    return plain[:-1] if plain.endswith(("ang", "eng", "ing")) else plain
