"""Headers of one or more rows matched to the columns of the data contract."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import permutations

from rapidfuzz import fuzz, process

from toolkit.data.schema import STAGES, TABLES
from toolkit.data.schema.county import CLASS_SIZE_BANDS
from toolkit.data.schema.people import SUBJECTS
from toolkit.data.schema.words import WORDS
from toolkit.data.text import loosen, squash, visible
from toolkit.data.words import (
    AREA_UNITS,
    BAND_SUFFIXES,
    COLUMN_LETTERS,
    COUNTING_UNITS,
    HEADER_REMARKS,
    MONEY_UNITS,
    ORDER_HEADERS,
    SHARE_UNITS,
    STAGE_HEADERS,
    STAGE_WORDS,
    SUBJECT_SUFFIXES,
)
from toolkit.vocabulary import Language, has_term, label, unit_label

_LANGUAGES: tuple[Language, ...] = ("zh", "en")
_BRACKETS = re.compile(r"[(（\[【]([^()（）\[\]【】]*)[)）\]】]")
_UNIT_WORDS = {
    squash(word): word
    for word in (
        *(
            unit_label(column.name, language)
            for table in TABLES.values()
            for column in table.columns
            if has_term(column.name)
            for language in _LANGUAGES
        ),
        *COUNTING_UNITS,
        *(f"万{unit}" for unit in COUNTING_UNITS),
        *SHARE_UNITS,
        *AREA_UNITS,
        *MONEY_UNITS,
    )
    if word
}
_ORDER_WORDS = frozenset(map(squash, ORDER_HEADERS))
_WRITTEN_UNIT = re.compile(r"[\s_/,:-]*(万元|千元|平方米|公顷|亩|元|m2|%)[\s*:]*$", re.IGNORECASE)
_STAGE_COLUMN = frozenset(map(squash, STAGE_HEADERS))
_STAGE_LABELS = {"primary": "小学", "junior": "初中", "senior": "高中"}


@dataclass(frozen=True, slots=True)
class Match:
    """What a header stands for.

    Attributes
    ----------
    column : str
        Canonical column; empty when unknown.
    stem : str
        Stem of a column whose stage the header does not say; the stage comes from the school.
    part : str
        Subject or class-size band, when the header is a value of the long form.
    stage : str
        Stage said above a subject or band.
    unit : str
        Declared unit; empty when none is.
    """

    column: str = ""
    stem: str = ""
    part: str = ""
    stage: str = ""
    unit: str = ""

    @property
    def is_known(self) -> bool:
        """Whether the header means something."""
        return bool(self.column or self.stem or self.part)


@dataclass(frozen=True, slots=True)
class _Index:
    labels: dict[str, str]
    exact: dict[str, str]
    loose: dict[str, str]
    stems: dict[str, str]
    parts: dict[str, str]


def match_header(parts: tuple[str, ...], table: str, stage: str = "") -> Match:
    """Match the parts of one header, outermost first, to a column of a table.

    Parameters
    ----------
    parts : tuple of str
        Texts above the column, one per header row, as written.
    table : str
        Name of the table.
    stage : str
        Stage that the sheet as a whole is about, empty when none.
    """
    return _match_header(tuple(parts), table, stage)


def nearest_header(text: str, table: str) -> str:
    """Return the column whose header is most like a text, or an empty text."""
    index = _index(table)
    found = process.extractOne(squash(text), index.exact.keys(), scorer=fuzz.ratio, score_cutoff=60)
    return index.exact[found[0]] if found else ""


def is_annotation(text: str) -> bool:
    """Say whether a header cell only holds a unit, a remark or a column number."""
    plain = squash(_without_brackets(text) or _BRACKETS.sub(r"\1", text))
    plain = plain.removeprefix("单位")
    return (
        not plain
        or plain in _UNIT_WORDS
        or plain in HEADER_REMARKS
        or plain in COLUMN_LETTERS
        or plain.isdigit()
    )


def is_order_header(text: str) -> bool:
    """Say whether a column only numbers or annotates the rows."""
    return squash(text) in _ORDER_WORDS


def stage_of(text: str) -> str:
    """Return the one stage that a title or a sheet name is about, empty when it is none or several."""
    plain = squash(text)
    found = {stage for word, stage in STAGE_WORDS.items() if word in plain}
    return found.pop() if len(found) == 1 and not re.search("九年|十二年|完全|中小学|义务", plain) else ""


@cache
def _match_header(parts: tuple[str, ...], table: str, stage: str) -> Match:
    unit, texts = "", []
    for part in parts:
        text, found = _split_unit(part)
        unit = found or unit
        if text and not is_annotation(text) and text not in texts:
            texts.append(text)
    if not texts:
        return Match(unit=unit)
    whole = _index(table).labels.get(texts[0].rstrip(" *"), "") if len(texts) == 1 else ""
    if whole:
        # "Item" is the label of one column and `item` the name of another.
        return Match(column=whole, unit=unit)
    said = [part for part in texts if squash(part) in STAGE_WORDS]
    own_stage = STAGE_WORDS[squash(said[-1])] if said else stage
    variants = [(tuple(texts), 1), *_bracket_variants(texts)]
    for variant, needed in variants:
        column = _column(variant, table, own_stage, needed)
        if column:
            return Match(column=column, unit=unit)
    index = _index(table)
    if squash(texts[-1]) in _STAGE_COLUMN:
        return Match(column="stage")
    stem = index.stems.get(loosen(texts[-1])) or index.stems.get(loosen("".join(texts)))
    if stem:
        return Match(stem=stem, unit=unit)
    part = _part(texts, index)
    return Match(part=part, stage=own_stage, unit=unit) if part else Match(unit=unit)


def _column(texts: tuple[str, ...], table: str, stage: str, needed: int) -> str:
    """Return the column of the longest reading of a header that is known and has its last `needed` parts."""
    index = _index(table)
    words = tuple(
        _STAGE_LABELS[STAGE_WORDS[squash(text)]] if squash(text) in STAGE_WORDS else text for text in texts
    )
    if stage and not any(word in _STAGE_LABELS.values() for word in words):
        words = (_STAGE_LABELS[stage], *words)
    for size in range(min(len(words), 4), 0, -1):
        for chosen in permutations(range(len(words)), size):
            if not set(range(len(words) - needed, len(words))) <= set(chosen):
                continue
            joined = squash("".join(words[position] for position in chosen))
            found = index.exact.get(joined) or index.loose.get(loosen(joined))
            if found:
                return found
        if stage and size == 2 and needed == 1:
            stem = index.stems.get(loosen(words[-1]))
            if stem and f"{stem}_{stage}" in TABLES[table].column_names:
                return f"{stem}_{stage}"
    return _stage_moved_to_the_front(words[-1], table) if needed == 1 else ""


def _stage_moved_to_the_front(text: str, table: str) -> str:
    plain = squash(text)
    for stage in STAGES:
        word = _STAGE_LABELS[stage]
        if plain.endswith(word) and plain != word:
            base = plain.removesuffix(word)
            return _index(table).exact.get(word + base) or _index(table).loose.get(loosen(word + base)) or ""
    return ""


def _bracket_variants(texts: list[str]) -> list[tuple[tuple[str, ...], int]]:
    """Return the header with what stands in brackets as parts that must count, and their number."""
    inside = _BRACKETS.findall(texts[-1])
    if not inside:
        return []
    return [((*texts[:-1], *inside, _BRACKETS.sub("", texts[-1])), len(inside) + 1)]


def _part(texts: list[str], index: _Index) -> str:
    """Return the subject or band that a header names."""
    plain = squash(texts[-1])
    if plain in index.parts:
        return index.parts[plain]
    for suffix in SUBJECT_SUFFIXES:
        if plain.endswith(suffix) and plain.removesuffix(suffix) in index.parts:
            return index.parts[plain.removesuffix(suffix)]
    for word in BAND_SUFFIXES:
        if plain.endswith(word) and plain.removesuffix(word) in index.parts:
            return index.parts[plain.removesuffix(word)]
    return ""


def _split_unit(text: str) -> tuple[str, str]:
    """Return a header without its unit and remarks, and the unit."""
    unit = ""

    def take(match: re.Match) -> str:
        nonlocal unit
        words = [squash(word) for word in re.split(r"[:：;；,，、/\s]", match.group(1)) if squash(word)]
        words = [squash(match.group(1))] if squash(match.group(1)) in _UNIT_WORDS else words
        units = [word for word in words if word in _UNIT_WORDS]
        known = [
            word
            for word in words
            if word in _UNIT_WORDS or word in HEADER_REMARKS or word in ("单位", "unit")
        ]
        if words and len(known) == len(words):
            unit = _UNIT_WORDS[units[0]] if units else unit
            return ""
        return match.group(0)

    rest = _BRACKETS.sub(take, unicodedata.normalize("NFKC", visible(text))).strip()
    if not unit:
        written = _WRITTEN_UNIT.search(rest)
        if written:
            unit, bare = written.group(1), rest[: written.start()]
            rest = bare or rest
    return rest, unit


def _without_brackets(text: str) -> str:
    return _split_unit(text)[0]


@cache
def _index(table: str) -> _Index:
    exact: dict[str, str] = {}
    loose: dict[str, set[str]] = {}
    stems: dict[str, set[str]] = {}
    for column in TABLES[table].columns:
        names = (label(column.name, "zh"), label(column.name, "en"), column.name, *column.aliases)
        for name in names:
            exact.setdefault(squash(name), column.name)
            bare = _without_brackets(name)
            exact.setdefault(squash(bare), column.name)
            loose.setdefault(loosen(name), set()).add(column.name)
            stage = next((stage for stage in STAGES if column.name.endswith(f"_{stage}")), "")
            if stage and _STAGE_LABELS[stage] in name:
                stemless = loosen(squash(name).replace(_STAGE_LABELS[stage], "", 1))
                stems.setdefault(stemless, set()).add(column.name.removesuffix(f"_{stage}"))
    unique_stems = {key: values.pop() for key, values in stems.items() if len(values) == 1}
    labels = {
        label(column.name, language): column.name
        for column in TABLES[table].columns
        for language in _LANGUAGES
    }
    return _Index(
        labels,
        exact,
        {key: next(iter(values)) for key, values in loose.items() if len(values) == 1},
        {key: stem for key, stem in unique_stems.items() if key and key not in map(loosen, exact)},
        _parts(table),
    )


@cache
def _parts(table: str) -> dict[str, str]:
    names = {"scores": SUBJECTS, "classes": CLASS_SIZE_BANDS}.get(table, ())
    return {
        squash(word): name
        for name in names
        for word in (name, label(name, "zh"), label(name, "en"), *WORDS.get(name, ()))
    }
