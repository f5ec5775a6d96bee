"""How sure a claim to a name is, and whether another claim contests it."""

from dataclasses import dataclass
from typing import Literal, get_args

from toolkit.data.name_claims import Claim, Reading
from toolkit.data.name_forms import is_ordinal

How = Literal[
    "corrected",
    "exact",
    "normalised",
    "former_name",
    "linked_name",
    "short_name",
    "campus",
    "nearly",
    "cleaned",
    "group_name",
    "slip",
    "unmatched",
]
"""Rules from the surest to the loosest; a name that needed two is told by the looser."""

_HOWS = get_args(How)
_SOURCES: dict[str, How] = {"current": "normalised", "former": "former_name", "linked": "linked_name"}
_SOURCE_RANKS = {"former": 2, "linked": 3}
_SHORTENED = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A claim to a name under one reading; the lower the rank, the surer."""

    claim: Claim
    reading: Reading
    rank: int
    how: How
    may_win: bool

    @property
    def order(self) -> tuple[int, int]:
        """Rank, and the rule among equal ranks; the lower, the surer."""
        return self.rank, _HOWS.index(self.how)


def ranked(claim: Claim, reading: Reading, *, has_campus: bool) -> Candidate:
    """Rank a claim: name in force, town added or left out, former names, other ways to write the name."""
    how: How = _SOURCES[claim.source]
    if claim.rule:
        rank, how = _SHORTENED, claim.rule
    elif claim.source == "current":
        rank = int(claim.town != reading.town)
        how = "nearly" if reading.is_town_short else how
    else:
        rank = _SOURCE_RANKS[claim.source]
    may_win = bool(reading.town) or has_campus or claim.is_alone
    return Candidate(claim, reading, rank, how, may_win)


def contests(one: Candidate, best: Candidate) -> bool:
    """Say whether another claim is as good as the best one.

    A name in force wins over those that bear it only with their town if it is a number, such as 第1小学;
    it does not win over a school that bore exactly this name.
    """
    if best.reading.town and not one.may_win:
        return False
    if best.rank >= _SHORTENED:
        return True
    if best.rank > 0:
        return one.rank < _SHORTENED
    if one.rank == 1:
        return not is_ordinal(one.reading.base)
    return one.rank == 0 or (one.rank < _SHORTENED and one.claim.town == one.reading.town)


def looser(one: How, other: How) -> How:
    """Return the looser of two rules."""
    return one if _HOWS.index(one) >= _HOWS.index(other) else other
