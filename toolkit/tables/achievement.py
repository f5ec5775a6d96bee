"""Readings of achievement by test, year and class, their precision, and the entered monitoring, as tables."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from toolkit.exhibits import Caption, exhibit_caption, schools_counted
from toolkit.indicators.outcomes import NOT_COUNTED, Outcomes
from toolkit.indicators.tested import name_tests
from toolkit.models.icc_precision import NOMINAL_COVERAGE, lowest_coverage
from toolkit.tables.exhibit import CellMark, TableColumn, TableExhibit, vocabulary_column
from toolkit.tables.variation import school_year
from toolkit.variation.achievement import AchievementReadings
from toolkit.variation.achievement_trends import AchievementTrends
from toolkit.variation.class_shares import ClassShares
from toolkit.variation.icc_reliability import ICCReliability
from toolkit.variation.monitoring import EnteredMonitoring
from toolkit.variation.shrunken_means import ShrunkenMeans
from toolkit.vocabulary import Language, format_number, label, sentence

ROW_NAMES = {
    "n_schools": "tested_schools",
    "n_schools_with_grade": "schools_with_grade",
    "n_pupils": "tested_pupils",
    "n_classes": "tested_classes",
    "coverage": "test_coverage",
    "enrolment": "grade_students",
    "subject": "tested_subject",
    "scale": "score_scale",
    "test": "test_name",
}
READING_COLUMNS = ("icc", "icc_low", "icc_high", "icc_weighted", "eta_squared", "mean_sd", "mean_cv")
WITHHELD = ("tested_pupils", "test_coverage", *READING_COLUMNS)
SERIES_SHOWN = 24
SCHOOLS_SHOWN = 80
LARGEST_SHORTFALL = 0.02


def tabulate_achievement_readings(
    readings: AchievementReadings, *, year: int, language: Language
) -> TableExhibit:
    """Return the four readings of every test of a year, with n, coverage and kind of test."""
    data = named_tests(readings.of_year(year), language)
    # All that share this table say which reading is which: definitions stand below it.
    notes = (
        *_one_name(data, language),
        sentence("reference_only", language),
        *(sentence(f"definition_{name}", language) for name in ("icc", "eta_squared", "mean_sd", "mean_cv")),
        *((sentence("definition_weights", language),) if data["weighted"].any() else ()),
        sentence("definition_estimand", language, percent=f"{100 * readings.census_from:g}"),
        *coverage_notes(
            data.loc[data["refusal"] == "", "tested_schools"], readings.confidence_level, language
        ),
    )
    columns = (
        vocabulary_column("tested", language),
        *_named_test(data, language),
        vocabulary_column("estimand", language, kind="code"),
        *_counts(("tested_schools", "tested_pupils"), language),
        vocabulary_column("test_coverage", language, kind="share"),
        *_readings(data, language),
        *((vocabulary_column("refusal", language),) if (data["refusal"] != "").any() else ()),
        *_test_codes(data, language),
        vocabulary_column("refusal_code", language, in_files_only=True),
    )
    data["refusal_code"] = data["refusal"]
    marks = _marked(data, [column.name for column in columns])
    data["refusal"] = _words(data["refusal"], language)
    caption = _caption(
        "achievement_readings",
        language,
        n=_tests(data, language),
        notes=notes,
        year=school_year(year),
    )
    return TableExhibit(
        _with_interval(caption, readings.confidence_level, language),
        columns,
        data,
        marks=marks,
        empty_text=sentence("no_tests", language),
    )


def tabulate_tests(outcomes: Outcomes, *, year: int, language: Language, listed: bool = True) -> TableExhibit:
    """Return the account of every test's entries, its scale and coverage; no rows when not to be listed."""
    tests = outcomes.tests[outcomes.tests["year"] == year]
    data = named_tests(tests, language).rename(
        columns={"n_entries": "all_entries", "tested_pupils": "counted_entries"}
    )
    reasons = [name for name in NOT_COUNTED if name in data.columns and data[name].sum() > 0]
    columns = (
        vocabulary_column("tested", language),
        *_named_test(data, language),
        *_counts(("all_entries", "counted_entries", *reasons), language),
        *_counts(("tested_schools", "schools_with_grade", "grade_students"), language),
        vocabulary_column("test_coverage", language, kind="share"),
        vocabulary_column("score_scale", language, kind="code"),
        vocabulary_column("full_mark", language, kind="number", decimals=0),
    )
    others = outcomes.other_entries
    outside = int(others.loc[others["year"] == year, "n_entries"].sum())
    more = (sentence("other_entries", language, count=outside),) if outside and listed else ()
    caption = _caption(
        "achievement_tests",
        language,
        n=_tests(data, language),
        notes=(*more, *_one_name(data, language)),
        year=school_year(year),
    )
    return TableExhibit(
        caption,
        columns,
        data if listed else data.iloc[:0],
        empty_text=sentence("no_tests" if listed else "tests_withheld", language),
    )


def tabulate_achievement_series(trends: AchievementTrends, language: Language) -> TableExhibit:
    """Return the readings of every test of all years."""
    data = named_tests(series_in_order(trends), language)
    columns = (
        vocabulary_column("tested", language),
        *_named_test(data, language),
        vocabulary_column("year", language, kind="text"),
        vocabulary_column("estimand", language, kind="code"),
        *_counts(("tested_schools", "tested_pupils"), language),
        *_readings(data, language),
    )
    return TableExhibit(
        _caption("achievement_series", language, n=_tests(data, language), notes=_one_name(data, language)),
        columns,
        data,
        marks=_marked(data, [column.name for column in columns]),
        rows_shown=SERIES_SHOWN,
        empty_text=sentence("no_series", language),
    )


def tabulate_achievement_trends(trends: AchievementTrends, language: Language) -> TableExhibit:
    """Return how the between-school share of each grade and subject moved, without a verdict."""
    data = named_tests(trends.trends, language).rename(
        columns={
            "n_points": "tested_years",
            "first_year": "first_test_year",
            "last_year": "last_test_year",
            "slope": "icc_slope",
        }
    )
    columns = (
        vocabulary_column("tested", language),
        *_named_test(data, language),
        vocabulary_column("estimand", language, kind="code"),
        *_counts(("tested_years",), language),
        vocabulary_column("first_test_year", language),
        vocabulary_column("last_test_year", language),
        *_counts(("first_icc", "last_icc", "lowest_icc", "highest_icc", "icc_slope"), language),
        vocabulary_column("intervals_meet", language, kind="flag"),
        *_test_codes(data, language),
    )
    caption = _caption("achievement_trends", language, notes=_one_name(data, language))
    return TableExhibit(caption, columns, data, empty_text=sentence("no_series", language))


def tabulate_class_shares(shares: ClassShares, language: Language) -> TableExhibit:
    """Return the shares of schools, classes and pupils in the variance of scores."""
    data = named_tests(shares.table, language).rename(columns={"is_large": "class_share_large"})
    columns = (
        vocabulary_column("tested", language),
        *_named_test(data, language),
        vocabulary_column("estimand", language, kind="code"),
        *_counts(("tested_schools", "tested_classes", "tested_pupils"), language),
        *(
            vocabulary_column(name, language, kind="share")
            for name in ("school_share", "class_share", "pupil_share")
        ),
        *_counts(("class_p_value",), language),
        vocabulary_column("class_share_large", language, kind="flag"),
        *_test_codes(data, language),
    )
    caption = _caption(
        "class_shares",
        language,
        n=_tests(data, language),
        notes=_one_name(data, language),
        year=school_year(shares.year),
        share=f"{shares.large_share:.2f}",
        level=f"{shares.significance:g}",
    )
    return TableExhibit(caption, columns, data, empty_text=sentence("no_classes_tested", language))


def tabulate_icc_precision(reliability: ICCReliability, language: Language) -> TableExhibit:
    """Return, by size of test, standard errors and chances to read below the limit at several true shares."""
    table, shares = reliability.table, list(dict.fromkeys(reliability.table["true_share"]))
    key = ["design", "stage", "grade", "n_schools", "group_size"]
    data = table[key].drop_duplicates().reset_index(drop=True)
    columns: list[TableColumn] = []
    for kind, column in (("chance", "chance_at_share"), ("std_error", "std_error_at_share")):
        for share in shares if kind == "std_error" or np.isfinite(reliability.limit) else []:
            name = column_of_chance(share) if kind == "chance" else f"{kind}_{_per_mille(share)}"
            data[name] = table.loc[table["true_share"] == share, kind].to_numpy()
            values = {"share": f"{share:.2f}"}
            if kind == "chance":
                heading = sentence(column, language, limit=f"{reliability.limit:.2f}", **values)
                columns.append(TableColumn(name, heading, "share", decimals=0))
            else:
                columns.append(TableColumn(name, sentence(column, language, **values), "number", decimals=3))
    data["test_design"] = [_design(row, language) for row in data.to_dict("records")]
    data["design_code"] = data["design"]
    data = data.rename(columns=ROW_NAMES)
    notes = (
        sentence("note_icc_precision_monitored", language),
        *coverage_notes(data["tested_schools"], NOMINAL_COVERAGE, language),
    )
    return TableExhibit(
        _caption("icc_precision", language, notes=notes),
        (
            vocabulary_column("test_design", language),
            *_counts(("tested_schools", "group_size"), language),
            *columns,
            *(vocabulary_column(name, language, in_files_only=True) for name in ("design_code", "stage")),
            vocabulary_column("grade", language, in_files_only=True),
        ),
        data,
        empty_text=sentence("no_tests", language),
    )


def column_of_chance(true_share: float) -> str:
    """Return the column with the chance to read below the limit at a true share."""
    return f"chance_{_per_mille(true_share)}"


def tabulate_school_achievement(
    means: ShrunkenMeans, language: Language, *, listed: bool = True
) -> TableExhibit:
    """Return every school's mean and shrunken mean by school code; no rows when not to be listed."""
    data = named_tests(means.table, language).rename(
        columns={"reliability": "mean_reliability", "conf_low": "shrunken_low", "conf_high": "shrunken_high"}
    )
    columns = (
        vocabulary_column("tested", language),
        TableColumn("school_name", label("school_name", language)),
        *_counts(
            (
                "tested_pupils",
                "school_mean",
                "mean_reliability",
                "shrunken",
                "shrunken_low",
                "shrunken_high",
            ),
            language,
        ),
    )
    n_schools = data.drop_duplicates(["stage", "school_id"]).shape[0]
    caption = _caption(
        "school_achievement", language, n=schools_counted(n_schools, language), year=school_year(means.year)
    )
    order = sentence("school_means_in_pinyin_order", language)
    caption = replace(caption, notes=(order, *caption.notes) if listed else ())
    return TableExhibit(
        _with_interval(caption, means.confidence_level, language, "interval_shrunken"),
        columns,
        data if listed else data.iloc[:0],
        rows_shown=SCHOOLS_SHOWN,
        empty_text=sentence("no_tests" if listed else "school_achievement_withheld", language),
    )


def tabulate_monitoring(monitoring: EnteredMonitoring, language: Language) -> TableExhibit:
    """Return the latest entered level and rate of the national monitoring by subject."""
    names = {"subject": "tested_subject", "judged_on": "monitored_on", "item_source": "monitored_source"}
    data = monitoring.table.rename(columns=names)
    columns = (
        vocabulary_column("tested_subject", language, kind="code"),
        vocabulary_column("year", language, kind="text"),
        *_counts(("monitored_rank", "monitored_rate"), language),
        vocabulary_column("monitored_on", language),
        vocabulary_column("monitored_source", language),
    )
    caption = _caption("monitoring_entered", language, source="source_entered")
    return TableExhibit(caption, columns, data, empty_text=sentence("no_monitoring_entered", language))


def series_in_order(trends: AchievementTrends) -> pd.DataFrame:
    """Return the yearly readings by test, then year; the first row of a test says where it stands."""
    place = trends.series.groupby(["stage", "grade", "subject", "test"], sort=False).ngroup()
    return trends.series.loc[place.sort_values(kind="stable").index].reset_index(drop=True)


def named_tests(tests: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Return tests with their name in words (`tested`) and the columns that tables print."""
    words = name_tests(tests, language)
    return tests.rename(columns=ROW_NAMES).assign(tested=words).reset_index(drop=True)


def coverage_notes(schools: pd.Series, confidence_level: float, language: Language) -> tuple[str, ...]:
    """Return how often the interval held in simulations with as few schools as the smallest test has."""
    if schools.empty or confidence_level != NOMINAL_COVERAGE:
        return ()
    fewest = int(schools.min())
    normal = lowest_coverage("exact", fewest)
    skewed = lowest_coverage("exact", fewest, effects="skewed")
    first = sentence(
        "coverage_of_interval",
        language,
        schools=normal.n_groups,
        percent=f"{100 * confidence_level:g}",
        covered=f"{100 * normal.coverage:.1f}",
        shortfall=f"{100 * normal.shortfall:.1f}",
    )
    if normal.coverage - skewed.coverage < LARGEST_SHORTFALL:
        return (first,)
    covered = f"{100 * skewed.coverage:.1f}"
    return (first, sentence("coverage_of_interval_skewed", language, covered=covered))


def _per_mille(share: float) -> str:
    return f"{round(1000 * share):03d}"


def _design(row: Any, language: Language) -> str:
    """Return the size of a test in words."""
    stage = label(str(row["stage"]), language)
    if row["design"] == "national_sample":
        return sentence("design_national_sample", language, stage=stage)
    grade = label(f"in_grade_{int(row['grade'])}", language)
    tested = sentence("tested_grade", language, stage=stage, grade=grade)
    return sentence("design_own_tests", language, tested=tested)


def _readings(data: pd.DataFrame, language: Language) -> tuple[TableColumn, ...]:
    """Return the columns of the readings, the weighted one where there are weights."""
    weighted = bool(data["icc_weighted"].notna().any())
    names = [name for name in READING_COLUMNS if name != "icc_weighted" or weighted]
    return _counts(tuple(names), language)


def _counts(names: tuple[str, ...], language: Language) -> tuple[TableColumn, ...]:
    return tuple(vocabulary_column(name, language) for name in names)


def _named_test(data: pd.DataFrame, language: Language) -> tuple[TableColumn, ...]:
    """Return the column of the tests' names where there are several."""
    return (vocabulary_column("test_name", language),) if len(data["test_name"].unique()) > 1 else ()


def _test_codes(data: pd.DataFrame, language: Language) -> tuple[TableColumn, ...]:
    """Return the columns that tell the tests apart in either language, for files."""
    names = ("stage", "grade", "tested_subject", *(() if _named_test(data, language) else ("test_name",)))
    return tuple(vocabulary_column(name, language, in_files_only=True) for name in names)


def _one_name(data: pd.DataFrame, language: Language) -> tuple[str, ...]:
    """Return the name that all tests share, as a note."""
    names = list(data["test_name"].unique())
    return (sentence("test_of_that_name", language, name=names[0]),) if len(names) == 1 and names[0] else ()


def _caption(key: str, language: Language, *, source: str = "source_scores", **values: Any) -> Caption:
    """Return the caption of an exhibit made from scores."""
    return replace(exhibit_caption(key, language, **values), source=sentence(source, language))


def _marked(data: pd.DataFrame, shown: list[str]) -> tuple[CellMark, ...]:
    """Mark what an edition withholds, and the readings that a test's scale or schools do not allow."""
    withheld = (data["refusal"] == "withheld_few_pupils").tolist()
    return tuple(
        CellMark(row, name, "suppressed" if withheld[row] else "not_applicable")
        for name in WITHHELD
        if name in shown
        for row, missing in enumerate(data[name].isna())
        if missing and (withheld[row] or name in READING_COLUMNS)
    )


def _words(codes: pd.Series, language: Language) -> list[str]:
    return [label(str(code), language) if code else "" for code in codes]


def _tests(data: pd.DataFrame, language: Language) -> str:
    return sentence("tests_counted", language, tests=len(data)) if len(data) else ""


def _with_interval(
    caption: Caption, confidence_level: float, language: Language, name: str = "interval_icc"
) -> Caption:
    """Return a caption that says what its intervals are."""
    percent = format_number(100 * confidence_level, 0)
    return replace(caption, interval=sentence(name, language, percent=percent))
