"""Tables of what stands beside the main estimate: what a reader finds, and what only the files hold."""

import numpy as np
import pandas as pd
import pytest

from tests.effects import extension_results as made
from toolkit.effects.group_extensions import Divisions
from toolkit.effects.guard import GuardFinding
from toolkit.effects.robustness import TwoWayStudy
from toolkit.tables.adoption_extensions import (
    tabulate_differences,
    tabulate_divisions,
    tabulate_neighbours,
    tabulate_spillover,
)
from toolkit.tables.adoption_pupils import tabulate_intake, tabulate_legacy
from toolkit.tables.adoption_robustness import tabulate_robustness, tabulate_two_way
from toolkit.tables.html import table_html
from toolkit.vocabulary import label, sentence

COINCIDE = GuardFinding("legacy_cells_coincide", "refused", {"grades": 2, "years": 3})


def all_tables(language):
    one = made.results()
    study, both = one["study"], (one["study"], one["refused"])
    return [
        tabulate_divisions(one["divisions"], study, language),
        tabulate_differences(one["divisions"], study, language),
        tabulate_spillover(one["spillovers"], study, language),
        tabulate_neighbours(one["neighbours"], both, language),
        tabulate_legacy(one["legacies"], both, language),
        tabulate_intake(one["intakes"], study, language),
        tabulate_robustness(one["robustness"], study, language),
        tabulate_two_way(one["two_way"], study, language),
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_table_has_a_title_a_source_and_no_stray_values(language):
    for exhibit in all_tables(language):
        assert exhibit.caption.source
        html = table_html(exhibit)
        assert "nan" not in html.lower().replace("nanm", "")
        for column in exhibit.columns:
            if not column.is_numeric:
                assert exhibit.data[column.name].map(type).eq(str).all(), (exhibit.caption.key, column.name)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_refused_study_leaves_tables_that_say_so(language):
    refused = made.results()["refused"]
    nothing = Divisions((), made.results()["divisions"].differences.head(0))
    for exhibit in (
        tabulate_divisions(nothing, refused, language),
        tabulate_differences(nothing, refused, language),
        tabulate_robustness(None, refused, language),
        tabulate_two_way(None, refused, language),
    ):
        assert exhibit.data.empty
        assert exhibit.empty_text == sentence("adoption_not_estimated", language)


def test_subgroups_too_small_are_listed_with_the_reason_and_unknown_ones_too():
    exhibit = tabulate_divisions(made.results()["divisions"], made.results()["study"], "zh")
    unknown = exhibit.data[exhibit.data["subgroup"] == label("adoption_subgroup_unknown", "zh")]
    assert set(unknown["remark"]) == {label("subgroup_not_known", "zh")}
    assert unknown["effect"].isna().all()
    # A division of one subgroup is not compared, and says so.
    differences = tabulate_differences(made.results()["divisions"], made.results()["study"], "zh").data
    role = differences[differences["division"] == label("adoption_by_role", "zh")]
    assert role["why_none"].tolist() == [label("equality_one_effect", "zh")]


def test_pages_show_averages_and_files_the_years_as_well():
    one = made.results()
    study = one["study"]
    spillover = tabulate_spillover(one["spillovers"], study, "zh")
    assert spillover.rows_shown == 2
    assert len(spillover.data) == 2 + len(one["spillovers"][0].table)
    intake = tabulate_intake(one["intakes"], study, "zh")
    assert intake.rows_shown == 5
    assert set(intake.data["since"][:5]) == {label("adoption_average_of_years", "zh")}
    legacy = tabulate_legacy(one["legacies"], (study, one["refused"]), "zh")
    assert (legacy.rows_shown, len(legacy.data)) == (3, 3 + 3 + 1)
    assert legacy.data["grade"].tolist()[-1] == 5


def test_changes_of_logarithms_are_printed_in_percent():
    data = tabulate_intake(made.results()["intakes"], made.results()["study"], "en").data
    row = data[data["outcome"] == label("adoption_intake_log_new_entrants", "en")].iloc[0]
    assert row["effect_value"] == pytest.approx(100 * (np.exp(made.GROWTH) - 1), abs=0.8)
    assert row["effect"] == f"{row['effect_value']:.1f}"
    assert float(row["before_mean"]) == pytest.approx(50, abs=1)
    low, high = (part.strip() for part in row["interval"].split("to"))
    assert (low, high) == (f"{row['conf_low']:.1f}", f"{row['conf_high']:.1f}")


def test_outcomes_without_data_are_listed_with_the_reason():
    data = tabulate_intake(made.results()["intakes"], made.results()["study"], "zh").data
    row = data[data["outcome"] == label("adoption_intake_prior_score", "zh")].iloc[0]
    assert row["effect"] == ""
    assert row["why_none"]


def test_pupils_all_there_before_are_told_in_a_sentence():
    study = made.results()["study"]
    exhibit = tabulate_legacy((made.legacy(study, refusals=(COINCIDE,)),), (study,), "zh")
    assert exhibit.data["why_none"].iloc[0].startswith("在所研究的 3 个学年中，2 个受测年级")


def test_the_main_estimate_stands_first_and_refused_estimators_keep_their_row():
    result = made.results()["robustness"]
    data = tabulate_robustness(result, made.results()["study"], "zh").data
    assert data["estimator"].iloc[0] == label("estimator_group_time", "zh")
    assert len(data) == len(result.table)
    refused = result.table["refusal"].ne("").to_numpy()
    assert data["why_none"].ne("").to_numpy().tolist() == refused.tolist()
    assert data["sides"].iloc[0] == "24 / 28"


def test_limits_of_matching_and_of_the_two_way_regression_stand_below_the_table():
    notes = " ".join(
        tabulate_robustness(made.results()["robustness"], made.results()["study"], "en").caption.notes
    )
    assert "return to the mean" in notes
    assert "even the sign can be wrong" in notes


def test_weights_of_the_comparisons_add_up_and_the_share_not_valid_is_stated():
    found = made.results()["two_way"]
    exhibit = tabulate_two_way(found, made.results()["study"], "en")
    kinds = exhibit.data.head(exhibit.rows_shown)
    assert kinds["weight"].sum() == pytest.approx(1)
    assert exhibit.data["weight"].sum() == pytest.approx(2)
    rows = found.decomposition.comparisons
    share = 100 * rows.loc[rows["kind"] == "later_earlier", "weight"].sum()
    assert f"{share:.1f}%" in exhibit.caption.notes[-1]


def test_a_regression_that_cannot_be_decomposed_says_why():
    found = TwoWayStudy(None, 0, "robustness_years_with_gaps")
    exhibit = tabulate_two_way(found, made.results()["study"], "zh")
    assert exhibit.empty_text == sentence("robustness_years_with_gaps", "zh")


def test_files_keep_the_numbers_that_pages_print_in_words():
    exhibit = tabulate_differences(made.results()["divisions"], made.results()["study"], "zh")
    tidy = exhibit.tidy()
    printed = {column.name for column in exhibit.printed_columns}
    assert "conf_low" in tidy
    assert "conf_low" not in printed
    assert pd.api.types.is_float_dtype(tidy["adjusted_p_value"])
