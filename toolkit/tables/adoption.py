"""Who joined a programme, who cannot be used, and how alike schools were before, as tables."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.balance import Balance
from toolkit.effects.study_words import (
    COUNTY_REFORM,
    COUNTY_ROLE,
    adopts_by_county,
    in_words_of_unit,
    role_name,
)
from toolkit.indicators.adoption import Adoption
from toolkit.standards import Standard
from toolkit.tables.adoption_texts import (
    adoption_caption,
    adoption_column,
    joining_year,
    not_applicable,
    outcome_name,
    outcome_scale,
)
from toolkit.tables.exhibit import TableColumn, TableExhibit, vocabulary_column
from toolkit.tables.variation import school_year
from toolkit.vocabulary import Language, label, sentence

ROWS_SHOWN = 80
OTHER_ROLE = "sample_other_role"
ROLES = ("member", "lead")
BALANCE_NUMBERS = [
    "mean_comparison",
    *(f"{value}_{role}" for role in ROLES for value in ("mean", "difference")),
]


@in_words_of_unit
def tabulate_accounting(adoption: Adoption, language: Language) -> TableExhibit:
    """Return how many schools have which use in the studies, by stage, role and reason, with totals."""
    data = adoption.accounting()
    if adopts_by_county(adoption):
        data = _without_roles(data)
    totals = data.groupby("stage", sort=False)["n_schools"].sum().reset_index()
    totals = totals.assign(status="total", role="", reason="")
    columns = (
        vocabulary_column("stage", language, kind="code"),
        adoption_column("status", language, kind="code"),
        vocabulary_column("role", language, kind="code"),
        vocabulary_column("reason", language, kind="code"),
        vocabulary_column("n_schools", language),
    )
    programme = label(adoption.programme, language)
    return TableExhibit(
        adoption_caption("adoption_accounting", language, programme=programme),
        columns,
        pd.concat([data, totals], ignore_index=True)[[column.name for column in columns]],
        total_rows=len(totals),
        empty_text=sentence("adoption_nothing_joined", language),
    )


@in_words_of_unit
def tabulate_left_out(
    adoption: Adoption, studies: Sequence[AdoptionStudy], language: Language, *, listed: bool = True
) -> TableExhibit:
    """Return the schools that enter no study, or not all, with the reason.

    Where they are not to be listed: how many by reason. A school of the other role is not left out.

    Parameters
    ----------
    adoption : Adoption
        Exposure, with the schools that cannot be used at all.
    studies : sequence of AdoptionStudy
        Whose samples left schools out.
    language : {"zh", "en"}
        Language.
    listed : bool
        Whether schools are named.
    """
    data = _left_out(adoption, [study.sample for study in studies], language)
    if adopts_by_county(adoption):
        data = _without_roles(data)
    school = (
        TableColumn("school_name", label("school_name", language)),
        vocabulary_column("stage", language, kind="code"),
        replace(
            vocabulary_column("role", language, kind="code"), label=label("adoption_role_joined", language)
        ),
        adoption_column("joined_year", language),
    )
    why = (vocabulary_column("reason", language, kind="code"), adoption_column("left_out_of", language))
    if listed:
        columns, notes = (*school, *why), ()
    else:
        key = ["stage", "reason", "left_out_of"]
        data = data.groupby(key, sort=False).size().rename("n_schools").reset_index()
        columns = (school[1], *why, vocabulary_column("n_schools", language))
        notes = (sentence("adoption_left_out_withheld", language),)
    return TableExhibit(
        adoption_caption("adoption_left_out", language, notes=notes),
        columns,
        data,
        rows_shown=ROWS_SHOWN,
        empty_text=sentence("adoption_no_left_out", language),
    )


@in_words_of_unit
def tabulate_balance(
    balances: Sequence[Balance], standard: Standard, language: Language, *, programme: str = ""
) -> TableExhibit:
    """Return means before anyone joined and standardised differences, by stage and characteristic.

    Of a programme of whole counties there are no leads.
    """
    parts = [_balance_rows(balance, standard, language) for balance in balances]
    roles = ROLES[:1] if programme == COUNTY_REFORM else ROLES
    names = [name for name in BALANCE_NUMBERS if not name.endswith(tuple(set(ROLES) - set(roles)))]
    columns = (
        adoption_column("covariate", language),
        vocabulary_column("stage", language, kind="code"),
        *(adoption_column(name, language) for name in names),
    )
    data = (
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["covariate", "stage", *names])
    )
    years = [
        f"{label(balance.stage, language)} {_year_span(balance.baseline_years)}"
        for balance in balances
        if balance.baseline_years
    ]
    caption = adoption_caption(
        "adoption_balance", language, years=label("report_list_separator", language).join(years)
    )
    return TableExhibit(
        caption,
        columns,
        data[[column.name for column in columns]],
        marks=not_applicable(data, names),
        empty_text=sentence("adoption_nothing_joined", language),
    )


@in_words_of_unit
def tabulate_trends_before(
    balances: Sequence[Balance], standard: Standard, language: Language, *, programme: str = ""
) -> TableExhibit:
    """Return how differently outcomes moved before joining, by stage and role.

    Of a programme of whole counties there are no leads.
    """
    parts = [balance.trends.assign(stage=balance.stage) for balance in balances]
    if programme == COUNTY_REFORM:
        parts = [_without_roles(part[part["role"] == ROLES[0]]) for part in parts]
    data = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    data = data.reindex(
        columns=[
            "stage", "role", "outcome", "n_adopters", "n_comparison", "n_cohorts", "estimate", "std_error"
        ]
    )  # fmt: skip
    data["outcome"] = [outcome_name(str(name), standard, language) for name in data["outcome"]]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("role", language, kind="code"),
        adoption_column("outcome", language),
        *(adoption_column(name, language) for name in ("n_adopters", "n_comparison", "n_cohorts")),
        adoption_column("estimate", language, entry="adoption_trend_difference"),
        adoption_column("std_error", language),
    )
    return TableExhibit(
        adoption_caption("adoption_trends_before", language),
        columns,
        data,
        marks=not_applicable(data, ("estimate", "std_error")),
        empty_text=sentence("adoption_nothing_joined", language),
    )


def _without_roles(data: pd.DataFrame) -> pd.DataFrame:
    """Return rows with one entry for all roles: in a reform of whole counties schools have none."""
    return data.assign(role=data["role"].where(data["role"].isin(["", np.nan]), COUNTY_ROLE))


def _left_out(adoption: Adoption, samples: Sequence[AdoptionSample], language: Language) -> pd.DataFrame:
    """Return one row per school, stage and reason, with the studies that it does not enter."""
    key = ["school_id", "school_name", "stage", "role", "adoption_year", "reason"]
    unusable = adoption.unusable()
    parts = [unusable[key].assign(study="")]
    for sample in samples:
        own = sample.left_out[~sample.left_out["reason"].isin([OTHER_ROLE, *unusable["reason"]])]
        parts.append(own.reindex(columns=key).assign(study=role_name(sample.rules.role, language)))
    data = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    separator = label("list_separator", language)
    data["role"] = data["role"].where(data["adoption_year"].notna(), "").fillna("")
    studies = data.groupby(key, sort=False, dropna=False)["study"].agg(separator.join).reset_index()
    everywhere = label("adoption_left_out_of_all", language)
    return studies.assign(
        left_out_of=[names or everywhere for names in studies["study"]],
        joined_year=[joining_year(year) for year in studies["adoption_year"]],
    )


def _balance_rows(balance: Balance, standard: Standard, language: Language) -> pd.DataFrame:
    """Return one row per characteristic known on both sides, the roles beside each other."""
    table = balance.covariates
    known = table.groupby("covariate")[["n_adopters", "n_comparison"]].transform("sum").min(axis=1) > 0
    rows = []
    for name, own in table[known].groupby("covariate", sort=False):
        factor, _ = outcome_scale(str(name), standard)
        row: dict[str, object] = {
            "covariate": outcome_name(str(name), standard, language),
            "stage": balance.stage,
            "mean_comparison": factor * float(own["mean_comparison"].iloc[0]),
        }
        for role in ROLES:
            side = own[own["role"] == role]
            row[f"mean_{role}"] = factor * float(side["mean_adopters"].iloc[0]) if len(side) else np.nan
            row[f"difference_{role}"] = (
                float(side["standardised_difference"].iloc[0]) if len(side) else np.nan
            )
        rows.append(row)
    return pd.DataFrame(rows, columns=None if rows else ["covariate", "stage", *BALANCE_NUMBERS])


def _year_span(years: tuple[int, ...]) -> str:
    """Return the first and last of some school years."""
    first, last = school_year(min(years)), school_year(max(years))
    return first if first == last else f"{first}–{last}"
