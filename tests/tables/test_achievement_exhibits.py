"""Tables, figures and findings of achievement: what a reader finds in them, and what an edition withholds."""

import csv
import re

import numpy as np
import pandas as pd
import pytest

from tests.tests_of_pupils import drawn_marks, enrolment_of, make_tested_county, score_rows
from toolkit.figures.achievement import plot_icc, plot_icc_years, plot_school_means
from toolkit.figures.theme import missing_in_figure
from toolkit.indicators.outcomes import compute_outcomes
from toolkit.reporting.achievement_findings import find_achievement
from toolkit.reporting.edition import in_pinyin_order, minimum_cell
from toolkit.reporting.small_tests import withhold_small_tests
from toolkit.share import share_path
from toolkit.standards import load_standard
from toolkit.tables import achievement as tables
from toolkit.tables.html import table_html
from toolkit.variation.achievement import READINGS, estimate_achievement_readings
from toolkit.variation.achievement_trends import compute_achievement_trends
from toolkit.variation.class_shares import estimate_class_shares
from toolkit.variation.icc_reliability import compute_icc_reliability
from toolkit.variation.monitoring import compute_entered_monitoring
from toolkit.variation.shrunken_means import estimate_shrunken_means

STANDARD = load_standard("national_2017")
SMALL = {"000": [60.0, 70.0, 65.0], "001": [50.0, 90.0]}
YEAR = 2025


class Section:
    """Everything that the section computes."""

    def __init__(self, scores, *, edition="internal", standard=STANDARD, students=None, years=(YEAR,)):
        self.county = make_tested_county(scores, enrolment=students or enrolment_of(scores), years=years)
        self.outcomes = compute_outcomes(self.county, standard)
        readings = estimate_achievement_readings(self.outcomes, standard)
        self.readings = withhold_small_tests(readings, edition)
        self.trends = compute_achievement_trends(self.readings, last_year=YEAR)
        self.shares = estimate_class_shares(self.outcomes, self.readings, year=YEAR)
        self.precision = compute_icc_reliability(self.readings, year=YEAR)
        self.means = estimate_shrunken_means(self.outcomes, self.readings, year=YEAR)
        self.monitoring = compute_entered_monitoring(self.county, standard, year=YEAR)

    def tables(self, language):
        return [
            tables.tabulate_monitoring(self.monitoring, language),
            tables.tabulate_achievement_readings(self.readings, year=YEAR, language=language),
            tables.tabulate_tests(self.outcomes, year=YEAR, language=language),
            tables.tabulate_achievement_trends(self.trends, language),
            tables.tabulate_achievement_series(self.trends, language),
            tables.tabulate_class_shares(self.shares, language),
            tables.tabulate_icc_precision(self.precision, language),
            tables.tabulate_school_achievement(self.means, language),
        ]

    def figures(self, language):
        return [
            plot_icc(self.readings, year=YEAR, language=language),
            plot_icc_years(self.trends, self.readings, language),
            plot_school_means(self.means, language),
            plot_school_means(self.means, language, named=False),
        ]

    def findings(self):
        found = find_achievement(self.readings, self.trends, self.shares, self.precision, year=YEAR)
        return {finding.id: finding for finding in found}


def four_years():
    rng = np.random.default_rng(17)
    parts = [
        drawn_marks(rng, [18, 25, 30, 22], icc=0.2, classes=2).assign(year=pd.array([year], dtype="Int64")[0])
        for year in range(2022, 2026)
    ]
    return pd.concat(parts).astype({"year": "Int64"})


@pytest.fixture(scope="module")
def section():
    scores = four_years()
    now = scores[scores["year"] == YEAR]
    linked = now.assign(subject="mathematics", linked_scale=True, full_mark=np.nan)
    letters = now.assign(subject="english", score=np.nan, grade_letter="A")
    few = score_rows(SMALL, subject="science")
    return Section(
        pd.concat([scores, linked, letters, few]), students=enrolment_of(now), years=range(2022, 2026)
    )


@pytest.fixture(scope="module")
def public():
    scores = four_years()
    now = scores[scores["year"] == YEAR]
    few = score_rows(SMALL, subject="science")
    return Section(
        pd.concat([scores, few]), edition="public", students=enrolment_of(now), years=range(2022, 2026)
    )


def row_of(exhibit, subject):
    data = exhibit.data
    return data[data["tested"].str.contains(subject)].iloc[0]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_exhibit_renders_with_the_letters_of_its_font(section, language):
    for table in section.tables(language):
        assert table.caption.title in table_html(table)
    for figure in section.figures(language):
        assert missing_in_figure(figure.figure) == ()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_county_without_scores_has_tables_and_figures_that_say_so(language):
    empty = Section(score_rows({"a": [60.0]}).iloc[:0], students={"a": 30})
    for table in empty.tables(language):
        assert table.data.empty or table.caption.key == "monitoring_entered"
        assert table.empty_text
        table_html(table)
    for figure in empty.figures(language):
        assert figure.alt
    assert list(empty.findings()) == ["achievement_none"]


def test_the_readings_stand_beside_their_definitions_and_the_national_rule(section):
    exhibit = tables.tabulate_achievement_readings(section.readings, year=YEAR, language="zh")
    notes = " ".join(exhibit.caption.notes)
    for part in ("自测参考，不作判定", "ICC", "η²", "学校均分标准差", "变异系数", "抽样监测", "实测覆盖率"):
        assert part in notes
    assert "95%" in exhibit.caption.interval
    assert not any(column.kind in ("verdict", "met") for column in exhibit.columns)


def test_readings_that_a_scale_does_not_carry_are_marked_not_applicable(section):
    exhibit = tables.tabulate_achievement_readings(section.readings, year=YEAR, language="zh")
    marks = exhibit.marks_by_cell
    at = exhibit.data.index[exhibit.data["tested"] == row_of(exhibit, "数学")["tested"]][0]
    assert marks[at, "mean_cv"] == marks[at, "mean_sd"] == "not_applicable"
    assert (at, "icc") not in marks
    letters = row_of(exhibit, "英语")
    assert "等第" in letters["refusal"]
    assert np.isnan(letters["icc"])


def test_the_public_edition_shows_nothing_of_a_test_with_few_pupils(section, public):
    internal = tables.tabulate_achievement_readings(section.readings, year=YEAR, language="zh")
    shown = tables.tabulate_achievement_readings(public.readings, year=YEAR, language="zh")
    few = sum(map(len, SMALL.values()))
    assert few < minimum_cell()
    assert row_of(internal, "科学")["tested_pupils"] == few
    withheld = row_of(shown, "科学")
    assert withheld[["tested_pupils", "test_coverage", *READINGS]].isna().all()
    at = shown.data.index[shown.data["tested"] == withheld["tested"]][0]
    assert {shown.marks_by_cell[at, name] for name in ("tested_pupils", *READINGS)} == {"suppressed"}
    assert "science" not in set(public.trends.series["subject"])
    assert "science" not in set(public.means.table["subject"])
    assert all("科学" not in finding.zh for finding in public.findings().values())


def test_the_public_edition_lists_no_school_and_no_entries(section):
    schools = tables.tabulate_school_achievement(section.means, "zh", listed=False)
    entries = tables.tabulate_tests(section.outcomes, year=YEAR, language="zh", listed=False)
    assert schools.data.empty
    assert entries.data.empty
    assert "公开版" in schools.empty_text
    assert "公开版" in entries.empty_text
    figure = plot_school_means(section.means, "zh", named=False)
    names = set(section.means.table["school_name"])
    texts = {text.get_text() for axes in figure.figure.axes for text in axes.get_yticklabels()}
    assert not names & texts


def test_schools_are_ordered_by_their_names_and_not_by_their_scores(section):
    exhibit = in_pinyin_order(tables.tabulate_school_achievement(section.means, "zh"))
    for _, test in exhibit.data.groupby("tested"):
        assert test["school_name"].is_monotonic_increasing
    figure = plot_school_means(section.means, "zh")
    drawn = [text.get_text() for text in figure.figure.axes[0].get_yticklabels()]
    assert drawn == sorted(drawn)
    assert "不是增值" in " ".join(figure.caption.notes)


def test_the_reference_line_is_the_limit_of_another_quantity(section):
    figure = plot_icc(section.readings, year=YEAR, language="zh")
    assert any("参考线" in note and "0.15" in note for note in figure.caption.notes)
    lines = [line for line in figure.figure.axes[0].get_lines() if line.get_linestyle() == "--"]
    assert [line.get_xdata()[0] for line in lines] == [0.15]


def test_a_standard_without_a_limit_draws_no_line_and_shows_no_chances():
    section = Section(
        drawn_marks(np.random.default_rng(2), [20, 20], icc=0.1), standard=load_standard("national_2012")
    )
    figure = plot_icc(section.readings, year=YEAR, language="zh")
    assert not [line for line in figure.figure.axes[0].get_lines() if line.get_linestyle() == "--"]
    exhibit = tables.tabulate_icc_precision(section.precision, "zh")
    assert not [column.name for column in exhibit.columns if column.name.startswith("chance")]
    assert [column.name for column in exhibit.columns if column.name.startswith("std_error")]


def test_each_chance_stands_under_its_true_share(section):
    exhibit = tables.tabulate_icc_precision(section.precision, "zh")
    national = exhibit.data.iloc[0]
    # Simulated chances of a national sample of 12 schools to read below 0.15.
    assert national["chance_100"] == pytest.approx(0.85, abs=0.012)
    assert national["chance_180"] == pytest.approx(0.39, abs=0.012)
    assert national["std_error_150"] == pytest.approx(0.066, abs=0.0005)
    assert "出处待核" in national["test_design"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_number_of_the_coverage_at_eight_schools_is_that_of_the_file(section, language):
    with share_path("toolkit", "models", "coverage.csv").open(encoding="utf-8") as file:
        measured = [row for row in csv.DictReader(file) if (row["method"], row["n_groups"]) == ("exact", "8")]
    lowest = {
        effects: min(float(row["coverage"]) for row in measured if row["effects"] == effects)
        for effects in ("normal", "skewed")
    }
    expected = [8, 95, 100 * lowest["normal"], 95 - 100 * lowest["normal"], 0.05, 100 * lowest["skewed"]]
    # The county's own test has four schools, the national sample of the primary stage twelve.
    assert len(measured) == 16
    for exhibit in (
        tables.tabulate_achievement_readings(section.readings, year=YEAR, language=language),
        tables.tabulate_icc_precision(section.precision, language),
    ):
        text = " ".join(note for note in exhibit.caption.notes if "%" in note and "0.05" in note)
        text += " ".join(exhibit.caption.notes[-1:])
        assert [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text)] == pytest.approx(expected)


def test_findings_state_estimand_number_and_interval_and_no_verdict(section):
    found = section.findings()
    told = found["achievement_primary_census_test"]
    row = section.readings.of_year(YEAR).query("refusal == ''").nlargest(1, "icc").iloc[0]
    for part in ("全员考试", "区间", "所学校", "名学生", "自测参考，不作判定", f"{row['icc']:.3f}"):
        assert part in told.zh
    assert all(finding.status == "none" for finding in found.values())
    assert "只有等第" in found["achievement_not_read"].zh
    assert {number.table for number in told.numbers} == {"achievement_readings"}


def test_a_large_class_share_raises_a_question_and_no_charge():
    rng = np.random.default_rng(31)
    large = Section(drawn_marks(rng, [40] * 10, icc=0.1, class_share=0.4, classes=2)).findings()
    none = Section(drawn_marks(rng, [40] * 10, icc=0.1, classes=2)).findings()
    assert "建议核实是否均衡编班、是否设有重点班" in large["achievement_classes"].zh
    assert "重点班" not in none["achievement_classes"].zh


def test_series_of_four_years_are_followed(section):
    exhibit = tables.tabulate_achievement_trends(section.trends, "zh")
    assert row_of(exhibit, "语文")["tested_years"] == 4
    series = tables.tabulate_achievement_series(section.trends, "zh").data
    assert series[series["tested"].str.contains("语文")]["year"].tolist() == [2022, 2023, 2024, 2025]
    assert "achievement_trend_primary_census_test" in section.findings()


def test_several_tests_of_a_subject_are_told_apart_by_their_names():
    scores = drawn_marks(np.random.default_rng(6), [20, 25], icc=0.1)
    section = Section(pd.concat([scores, scores.assign(test="期中")]), students=enrolment_of(scores))
    exhibit = tables.tabulate_achievement_readings(section.readings, year=YEAR, language="zh")
    assert exhibit.data["tested"].tolist() == ["小学五年级语文（期中）", "小学五年级语文（期末）"]
