"""Tables, figures and findings of a reform of whole counties speak of counties, not of groups of schools."""

import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from matplotlib.text import Text

from tests.effects import adoption_results, extension_results
from tests.tables.test_adoption_tables import STANDARD, balance, curve, family, placebo
from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.study_words import COUNTY_REFORM
from toolkit.figures import adoption as adoption_figures
from toolkit.figures import adoption_extensions as extension_figures
from toolkit.figures import event_study
from toolkit.figures.exhibit import FigureExhibit
from toolkit.reporting.group_extension_findings import find_extensions
from toolkit.reporting.group_findings import find_group_schooling
from toolkit.tables import (
    adoption,
    adoption_design,
    adoption_effects,
    adoption_extensions,
    adoption_outcomes,
    adoption_pupils,
    adoption_robustness,
)
from toolkit.tables import adoption_sensitivity as sensitivity
from toolkit.tables.html import table_html

OF_GROUPS = {
    "zh": re.compile("集团|成员校|核心校"),
    "en": re.compile(r"(?<!Romano )\b(school groups?|groups?\b(?!-time)|members?|leads?\b)", re.IGNORECASE),
}
# Not about who adopts: what a method is called, and groups that chance put together.
ALLOWED = re.compile(r"Group-time|placebo groups?|random groups?", re.IGNORECASE)


def of_counties(study: AdoptionStudy) -> AdoptionStudy:
    sample = study.sample
    return replace(
        study, sample=replace(sample, rules=replace(sample.rules, assignment="county", role="member"))
    )


@cache
def main_studies():
    return tuple(of_counties(study) for study in adoption_results.studies())


@cache
def more() -> dict[str, Any]:
    one: dict[str, Any] = dict(extension_results.results())
    return one | {name: of_counties(one[name]) for name in ("study", "refused")}


def exposure():
    own = adoption_results.exposure()
    units, years = (
        table.assign(role=table["role"].replace("lead", "member")) for table in (own.units, own.years)
    )
    return replace(own, programme=COUNTY_REFORM, units=units, years=years)


def exhibits(language):
    studies, one = main_studies(), more()
    strong, study, both = studies[0], one["study"], (one["study"], one["refused"])
    return [
        adoption.tabulate_accounting(exposure(), language),
        adoption.tabulate_balance([balance()], STANDARD, language, programme=COUNTY_REFORM),
        adoption.tabulate_trends_before([balance()], STANDARD, language, programme=COUNTY_REFORM),
        adoption_design.tabulate_design(studies, language),
        adoption_design.tabulate_intervals(studies, language),
        adoption_design.tabulate_bounds(studies, language),
        adoption_effects.tabulate_effects(studies, STANDARD, language, programme=COUNTY_REFORM),
        adoption_effects.tabulate_event_study(studies, language),
        adoption_outcomes.tabulate_families([family()], STANDARD, language, programme=COUNTY_REFORM),
        sensitivity.tabulate_placebo(placebo(), strong, language),
        sensitivity.tabulate_specifications(curve(), strong, language),
        adoption_extensions.tabulate_divisions(one["divisions"], study, language),
        adoption_extensions.tabulate_differences(one["divisions"], study, language),
        adoption_extensions.tabulate_spillover(one["spillovers"], study, language),
        adoption_extensions.tabulate_neighbours(one["neighbours"], both, language),
        adoption_pupils.tabulate_intake(one["intakes"], study, language),
        adoption_robustness.tabulate_robustness(one["robustness"], study, language),
        adoption_robustness.tabulate_two_way(one["two_way"], study, language),
        adoption_figures.plot_timing(exposure(), "primary", language, named=False),
        event_study.plot_effects(studies, language),
        event_study.plot_event_studies(studies, language),
        event_study.plot_bounds(strong, language),
        extension_figures.plot_divisions(one["divisions"], study, language),
        extension_figures.plot_robustness(one["robustness"], study, language),
        extension_figures.plot_intake(one["intakes"], study, language),
    ]


def words(exhibit):
    caption = exhibit.caption
    texts = [caption.title, caption.n, caption.interval, caption.source, *caption.notes]
    if isinstance(exhibit, FigureExhibit):
        return [*texts, exhibit.alt, *(artist.get_text() for artist in exhibit.figure.findobj(Text))]
    return [*texts, re.sub("<[^>]+>", " ", table_html(exhibit))]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_exhibit_speaks_of_groups_members_or_leads(language):
    found = {
        (exhibit.caption.key, text[:120])
        for exhibit in exhibits(language)
        for text in words(exhibit)
        if OF_GROUPS[language].search(ALLOWED.sub("", text))
    }
    assert found == set()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_finding_speaks_of_groups_members_or_leads(language):
    one = more()
    findings = find_group_schooling(main_studies(), STANDARD, curve=curve(), families=[family()])
    findings += find_extensions(
        (one["study"], one["refused"]),
        one["study"],
        STANDARD,
        divisions=one["divisions"],
        spillovers=one["spillovers"],
        neighbours=one["neighbours"],
        intakes=one["intakes"],
        robustness=one["robustness"],
        two_way=one["two_way"],
    )
    assert len(findings) > 8
    found = [each.text(language) for each in findings]
    assert [text for text in found if OF_GROUPS[language].search(ALLOWED.sub("", text))] == []
    assert any("县区" in text or "counties" in text for text in found)


def test_rows_of_findings_and_of_tables_have_the_same_role():
    table = adoption_effects.tabulate_effects(main_studies(), STANDARD, "zh", programme=COUNTY_REFORM)
    findings = find_group_schooling(main_studies(), STANDARD)
    places = [
        dict(number.place.rows)
        for each in findings
        for number in each.numbers
        if number.table == "adoption_effects" and number.place
    ]
    rows = {(row["stage"], row["role"]) for row in table.data.to_dict("records")}
    assert {(place["stage"], place["role"]) for place in places} <= rows
    assert places


def test_a_study_of_groups_is_told_in_its_own_words_afterwards():
    studies = adoption_results.studies()
    adoption_effects.tabulate_effects(main_studies(), STANDARD, "zh", programme=COUNTY_REFORM)
    table = adoption_effects.tabulate_effects(studies, STANDARD, "zh", programme="group_schooling")
    assert "集团" in [column.label for column in table.columns]
