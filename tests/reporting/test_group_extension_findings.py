"""Findings beside the main estimate: what is stated, what is refused, and with which numbers."""

from dataclasses import replace

import pandas as pd
import pytest

from tests.effects import extension_results as made
from toolkit.effects.guard import GuardFinding
from toolkit.reporting.group_extension_findings import find_extensions
from toolkit.standards import load_standard

STANDARD = load_standard("national_2017")
COINCIDE = GuardFinding("legacy_cells_coincide", "refused", {"grades": 2, "years": 3})


def found(**changes):
    one = made.results()
    names = ("divisions", "spillovers", "neighbours", "legacies", "intakes", "robustness", "two_way")
    given = {name: one[name] for name in names} | changes
    findings = find_extensions((one["study"], one["refused"]), one["study"], STANDARD, **given)
    return {finding.id: finding for finding in findings}


def test_every_part_has_a_sentence_in_both_languages():
    findings = found()
    assert {"spillover_primary_town", "neighbours", "legacy_primary_member", "intake_primary"} <= set(
        findings
    )
    assert {"estimators", "two_way"} <= set(findings)
    for finding in findings.values():
        assert "{" not in finding.zh + finding.en
        assert "nan" not in finding.en


def test_a_difference_that_stands_out_is_named_with_its_subgroups():
    finding = found()["difference_form_close_form_loose_form"]
    row = made.results()["divisions"].differences.set_index("by").loc["form"]
    assert "紧密型减松散型" in finding.zh
    assert f"{row['effect']:.3f}" in finding.en
    assert finding.numbers[0].value == pytest.approx(row["effect"])


def test_without_a_difference_that_stands_out_none_is_said_to_be_told():
    divisions = made.results()["divisions"]
    table = divisions.differences.assign(p_adjusted=0.4)
    findings = found(divisions=replace(divisions, differences=table))
    assert "no difference between subgroups can be told" in findings["divisions"].en
    assert not [name for name in findings if name.startswith("difference_")]


def test_without_two_subgroups_nothing_is_compared():
    divisions = made.results()["divisions"]
    findings = found(divisions=replace(divisions, differences=divisions.differences.head(0)))
    assert findings["divisions"].kind == "not_judged"


def test_a_spillover_that_was_planted_is_reported_and_refused_ones_only_where_none_is_left():
    findings = found()
    assert "说明参加学校对邻近学校有影响" in findings["spillover_primary_town"].zh
    assert "spillover_primary" not in findings
    refused = [one for one in made.results()["spillovers"] if one.refusals]
    assert found(spillovers=refused)["spillover_primary"].kind == "not_judged"


def test_pupils_who_were_all_there_before_are_a_finding_and_no_refusal():
    study = made.results()["study"]
    finding = found(legacies=(made.legacy(study, refusals=(COINCIDE,)), None))["legacy_primary_member"]
    assert finding.kind == "finding"


def test_intake_names_what_moved_and_whether_it_had_moved_before():
    one = made.results()["intakes"][0]
    assert "招生人数（" in found()["intake_primary"].zh
    assert "不能归因于参加" not in found()["intake_primary"].zh
    moved = replace(one, trends_before={"log_new_entrants": 0.001})
    assert "不能归因于参加的有：招生人数" in found(intakes=(moved,))["intake_primary"].zh


def test_other_estimators_are_summed_up_by_their_range_without_those_that_only_diagnose():
    result = made.results()["robustness"]
    table = result.table.set_index("estimator")
    table["estimate"] = pd.Series(
        [0.2, 0.2, 0.1, 0.3, 0.2, 0.2, -9.0, 9.0, 9.0], index=table.index, dtype=float
    )
    turned = table.copy()
    turned.loc["estimator_stacked", "estimate"] = -0.1
    finding = found(robustness=replace(result, table=table.reset_index()))["estimators"]
    assert "from 0.100 SD (Sun-Abraham interaction-weighted) to 0.300 SD (Stacked" in finding.en
    assert "all of the same sign" in finding.en
    finding = found(robustness=replace(result, table=turned.reset_index()))["estimators"]
    assert "not all of the same sign" in finding.en


def test_the_share_of_comparisons_not_valid_is_the_sum_of_their_weights():
    rows = made.results()["two_way"].decomposition.comparisons
    share = rows.loc[rows["kind"] == "later_earlier", "weight"].sum()
    finding = found()["two_way"]
    assert finding.numbers[0].value == pytest.approx(share)
    assert f"{100 * share:.1f}%" in finding.en


def test_a_refused_main_study_has_no_findings_of_its_own():
    one = made.results()
    assert find_extensions((one["refused"],), one["refused"], STANDARD, divisions=one["divisions"]) == []


def test_effects_whose_error_is_not_known_are_stated_without_an_interval():
    one = made.results()
    lost = {"conf_low": float("nan"), "conf_high": float("nan")}
    spillovers = [
        replace(each, average=each.average.assign(**lost)) for each in one["spillovers"] if not each.refusals
    ]
    neighbours = [each and replace(each, table=each.table.assign(**lost)) for each in one["neighbours"]]
    legacies = [each and replace(each, table=each.table.assign(**lost)) for each in one["legacies"]]
    findings = found(spillovers=spillovers, neighbours=neighbours, legacies=legacies)
    for name in ("spillover_primary_town", "neighbours", "legacy_primary_member"):
        assert "误差无从得知，不能据此下结论" in findings[name].zh
        assert "–" not in findings[name].zh
