import json

import pytest

from toolkit.errors import RunError
from toolkit.reporting.findings import (
    Finding,
    FindingNumber,
    Findings,
    build_finding,
    load_findings,
    save_findings,
    show_findings,
)
from toolkit.vocabulary import term

CV = FindingNumber("coefficient_of_variation", 0.48, "", "dispersion")
FINDINGS = Findings(
    "02_x",
    (
        Finding("limit", "limit", 9, "缺 <3> 所。", "3 lack."),
        Finding("verdict", "headline", 1, "小学通过。", "Primary passes.", "pass", (CV,)),
    ),
)


def test_findings_come_back_as_they_were_the_most_important_first(tmp_path):
    loaded = load_findings(save_findings(FINDINGS, tmp_path / "02_x"))
    assert loaded == Findings("02_x", FINDINGS.findings[::-1])
    assert load_findings(tmp_path / "02_x") == loaded


def test_equal_findings_give_equal_bytes_with_lf(tmp_path):
    one = save_findings(FINDINGS, tmp_path / "1").read_bytes()
    other = save_findings(Findings("02_x", FINDINGS.findings[::-1]), tmp_path / "2").read_bytes()
    assert one == other
    assert b"\r" not in one


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema_version": 2}, "schema_version 2, not 1"),
        ({"more": 1}, "unknown fields more"),
        ({"findings": [{"id": "a"}]}, "'numbers'"),
        (
            {
                "findings": [
                    {
                        "id": "a",
                        "kind": "rumour",
                        "importance": 1,
                        "zh": "",
                        "en": "",
                        "status": "none",
                        "numbers": [],
                    }
                ]
            },
            "kind must be",
        ),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_refused(tmp_path, change, reason):
    path = save_findings(FINDINGS, tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(RunError, match=reason):
        load_findings(path)


def test_an_absent_file_is_refused(tmp_path):
    with pytest.raises(RunError, match="cannot be read"):
        load_findings(tmp_path)


def test_a_missing_number_is_null_and_no_nan_is_written(tmp_path):
    missing = Finding("a", "not_judged", 1, "缺", "none", "undecided", (FindingNumber("x", None, "", ""),))
    assert load_findings(save_findings(Findings("n", (missing,)), tmp_path)).findings == (missing,)
    nan = Finding("a", "finding", 1, "缺", "none", "none", (FindingNumber("x", float("nan"), "", ""),))
    with pytest.raises(ValueError, match="JSON compliant"):
        save_findings(Findings("n", (nan,)), tmp_path)


def test_an_id_is_used_once():
    with pytest.raises(ValueError, match="use an id twice: a"):
        Findings("n", (Finding("a", "limit", 1, "", ""), Finding("a", "limit", 2, "", "")))


def test_a_sentence_is_built_in_both_languages_with_labels_of_its_own():
    built = build_finding(
        "a", "report_labelled", kind="finding", importance=1, label=term("report_yes"), text="3"
    )
    assert (built.zh, built.en) == ("是：3", "yes: 3")


def test_findings_are_shown_in_order_escaped_and_with_their_tables():
    html = show_findings(FINDINGS, "zh")._repr_html_()
    assert html.index("小学通过") < html.index("缺 &lt;3&gt; 所")
    assert 'href="#exhibit-dispersion"' in html
    assert "Primary" not in html
