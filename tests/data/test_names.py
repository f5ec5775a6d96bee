"""School names matched to codes: rather unmatched than matched wrongly."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.data.names import match_schools
from toolkit.data.schema import TABLES
from toolkit.data.schema.frames import conform
from toolkit.data.simulate.county import simulate_county

REGISTER = conform(
    pd.DataFrame(
        {
            "county_name": "示例县",
            "school_id": ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10"],
            "school_name": [
                "示例县第一小学", "示例县第二小学", "示例县实验小学", "城关镇中心小学",
                "东乡镇中心小学", "示例县城东小学", "示例县城南小学", "李家镇初级中学",
                "示例县第十一中学", "育才学校（九年一贯制）",
            ],
            "former_names": [None, "红旗小学；东风小学", None, None, None, None, None, None, None, None],
            "town": [None, None, None, "城关镇", "东乡镇", None, None, "李家镇", None, None],
        }
    ),
    TABLES["schools"],
)  # fmt: skip
LINKS = pd.DataFrame(
    {"from_school_name": ["胜利小学", "分校"], "to_school_id": ["03", "04"], "link_kind": ["merge", "split"]}
)


def _match(name, links=None):
    found = match_schools([name], REGISTER, links).iloc[0]
    return (None if pd.isna(found["school_id"]) else found["school_id"]), found["how"]


@pytest.mark.parametrize(
    ("name", "code", "how"),
    [
        ("示例县第一小学", "01", "exact"),
        ("第一小学", "01", "normalised"),
        ("示例县 第１小学", "01", "normalised"),
        ("示例第一小学", "01", "normalised"),
        ("第十一中学", "09", "normalised"),
        ("第11中学", "09", "normalised"),
        ("育才学校(九年一贯制)", "10", "normalised"),
        ("红旗小学", "02", "former_name"),
        ("东风小学", "02", "former_name"),
        ("二小", "02", "short_name"),
        ("县实小", None, "unmatched"),
        ("实验小", "03", "short_name"),
        ("第一小学（东校区）", "01", "campus"),
        ("第一小学（本部）", "01", "campus"),
        ("第一小学南校区", "01", "campus"),
        ("李家镇初中", "08", "short_name"),
        ("示例县城关镇中心小学", "04", "normalised"),
    ],
)
def test_names_of_one_school(name, code, how):
    assert _match(name) == (code, how)


@pytest.mark.parametrize(
    "name",
    [
        "李家乡初级中学",
        "李家镇中心初级中学",
        "中心小学",  # two towns have one
        "城西小学",  # the register has 城东 and 城南
        "第三小学",
        "第二十一中学",
        "李家镇中学",
        "第一中学",
        "示例县",
        "小学",
        "邻县第一小学",
        "",
    ],
)
def test_a_name_that_could_be_another_school_stays_unmatched(name):
    assert _match(name)[0] is None


def test_the_old_name_of_a_merged_school_means_its_successor():
    assert _match("胜利小学", LINKS) == ("03", "linked_name")
    assert _match("分校", LINKS)[0] is None


def test_a_word_without_meaning_may_differ():
    assert _match("李家乡初级中学")[0] is None
    assert _match("李家初级中学") == ("08", "nearly")
    assert _match("示例县城东完全小学") == ("06", "nearly")


def test_an_unmatched_name_tells_the_nearest():
    assert match_schools(["城北小学"], REGISTER)["nearest"][0] in ("示例县城东小学", "示例县城南小学")


def test_a_name_that_two_schools_bear_stays_unmatched():
    twice = pd.concat([REGISTER, REGISTER.iloc[[0]].assign(school_id="99")], ignore_index=True)

    assert pd.isna(match_schools(["第一小学"], twice)["school_id"][0])


@given(st.permutations(range(10)))
def test_the_order_of_the_register_does_not_matter(order):
    names = ["第一小学", "二小", "城西小学", "中心小学", "城东完全小学", "红旗小学", "李家初级中学"]
    shuffled = REGISTER.iloc[list(order)].reset_index(drop=True)

    pd.testing.assert_frame_equal(
        match_schools(names, shuffled).drop(columns="nearest"),
        match_schools(names, REGISTER).drop(columns="nearest"),
    )


def test_one_changed_numeral_or_direction_never_matches():
    for name in REGISTER["school_name"]:
        for old in "一二东南":
            for new in "三四五西北":
                if old in name and name.replace(old, new) not in set(REGISTER["school_name"]):
                    code, _ = _match(name.replace(old, new))
                    assert code is None, name.replace(old, new)


def test_no_free_text_name_of_the_demo_county_is_matched_wrongly():
    simulated = simulate_county(seed=3)
    tables = simulated.county.tables
    texts = simulated.truth["free_text_schools"]

    found = match_schools([text["text"] for text in texts], tables["schools"], tables["school_links"])
    codes = dict(zip(found["name"], found["school_id"], strict=True))
    matched = [text for text in texts if not pd.isna(codes[text["text"]])]

    assert all(codes[text["text"]] == text["school_id"] for text in matched)
    assert len(matched) > 0.95 * sum(text["school_id"] is not None for text in texts)
