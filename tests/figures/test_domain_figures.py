"""Figures of verdicts and variation: what is drawn, and what is said to those who cannot see it."""

import numpy as np
import pytest
from matplotlib.text import Text

from tests.counties import make_county
from toolkit.figures import variation, verdicts
from toolkit.figures.theme import figure_png, missing_in_figure
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.standards import load_standard
from toolkit.variation.compliance import judge_resources
from toolkit.variation.locations import compare_locations
from toolkit.variation.school_drivers import compute_school_drivers
from toolkit.variation.series import compute_coefficient_trends

STANDARD = load_standard("national_2017")
N_SCHOOLS = 50


@pytest.fixture(scope="module")
def resources():
    schools = [
        {
            "school_id": str(number),
            "school_name": f"云岭县第{number}学校（{'北' if number % 2 else '南'}校区）",
            "school_type": "nine_year_school",
            "ownership": "public",
            "location": ("urban", "town_area", "rural")[number % 3],
        }
        for number in range(N_SCHOOLS)
    ]
    rows = [
        {"school_id": str(number), "year": year, "enrolment_primary": 300, "enrolment_junior": 200}
        | {f"teachers_{stage}": 30 for stage in ("primary", "junior")}
        | {f"teachers_above_required_qualification_{stage}": 15 for stage in ("primary", "junior")}
        | {f"backbone_teachers_{stage}": 1 + number % 9 for stage in ("primary", "junior")}
        | {f"pe_teachers_{stage}": 2 for stage in ("primary", "junior")}
        | {f"arts_teachers_{stage}": 2 for stage in ("primary", "junior")}
        | {"teaching_area": 30 * number, "indoor_sports_area": 0, "gymnasium_area": 0}
        | {"sports_ground_area": 6000, "equipment_value": 1.5e6, "multimedia_rooms": 14 if number else None}
        for number in range(N_SCHOOLS)
        for year in range(2021, 2026)
    ]
    return compute_resource_indicators(make_county(schools, rows), STANDARD)


@pytest.fixture(scope="module")
def compliance(resources):
    return judge_resources(resources, year=2025)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_figure_draws_without_a_missing_glyph(resources, compliance, language):
    figures = [
        verdicts.plot_coefficients(compliance, language),
        verdicts.plot_schools(compliance, "primary", language),
        *(
            variation.plot_drivers(
                compute_school_drivers(resources, year=2025), STANDARD, language, named=named
            )
            for named in (True, False)
        ),
        variation.plot_lorenz_curves(compare_locations(resources, year=2025), STANDARD, language),
        variation.plot_trends(compute_coefficient_trends(resources, last_year=2025), STANDARD, language),
    ]
    assert all(exhibit.alt for exhibit in figures)
    assert [missing_in_figure(exhibit.figure) for exhibit in figures] == [()] * len(figures)
    if language == "zh":
        assert all(figure_png(exhibit.figure).startswith(b"\x89PNG") for exhibit in figures)


def test_a_figure_of_drivers_without_names_has_a_point_for_every_school(resources):
    drivers = compute_school_drivers(resources, year=2025)
    named, unnamed = (variation.plot_drivers(drivers, STANDARD, "zh", named=named) for named in (True, False))
    names = set(drivers.schools["school_name"])
    assert any(name in named.alt for name in names)
    texts = [unnamed.alt, *(text.get_text() for text in unnamed.figure.findobj(Text))]
    assert not any(name in text.replace("\n", "") for name in names for text in texts)
    axes = unnamed.figure.axes[0]
    drawn = np.concatenate([np.asarray(points.get_offsets()) for points in axes.collections])
    stage, indicator = variation._largest_coefficients(drivers.schools)[0]
    schools = drivers.schools
    own = schools[(schools["stage"] == stage) & (schools["indicator"] == indicator)]
    assert len(drawn) == len(own)
    assert sorted(drawn[:, 1]) == pytest.approx(sorted(100 * own["variance_share"]))
    assert sorted(drawn[:, 0]) == pytest.approx(sorted(own["value"] / own["mean"]))


def test_each_coefficient_is_a_bar_as_long_as_its_value(compliance):
    axes = verdicts.plot_coefficients(compliance, "zh").figure.axes[0]
    own = compliance.coefficients[compliance.coefficients["stage"] == "primary"]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx(list(own["coefficient"]))


def test_verdicts_differ_by_more_than_colour(compliance):
    axes = verdicts.plot_coefficients(compliance, "zh").figure.axes[0]
    hatches = {bar.get_hatch() or "" for bar in axes.patches}
    assert len(hatches) == len(set(compliance.coefficients["verdict"]))


def test_at_most_forty_schools_are_drawn_and_the_weakest_are_among_them(compliance):
    exhibit = verdicts.plot_schools(compliance, "primary", "zh")
    names = [tick.get_text().replace("\n", "") for tick in exhibit.figure.axes[0].get_yticklabels()]
    assert len(names) == verdicts.SCHOOLS_DRAWN
    assert "× 云岭县第1学校（北校区）" in names
    assert "40 所" in exhibit.caption.n


def test_the_same_figure_has_the_same_bytes(compliance):
    first = figure_png(verdicts.plot_coefficients(compliance, "zh").figure)
    assert first == figure_png(verdicts.plot_coefficients(compliance, "zh").figure)
