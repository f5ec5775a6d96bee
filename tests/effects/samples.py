"""Small studies written out by hand: exposure, outcomes and samples without a county behind them."""

import numpy as np
import pandas as pd

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.sample_rules import SampleRules
from toolkit.indicators.adoption import CHANGES, Adoption
from toolkit.indicators.school_panel import SchoolPanel
from toolkit.models.group_time import NEVER

YEARS = tuple(range(2016, 2026))


def make_units(cohorts, *, groups=None, **columns):
    """Return the units of a study: schools 0, 1, ... that joined in these years (missing: never)."""
    years = np.array([np.nan if year is None else float(year) for year in cohorts])
    joined = np.isfinite(years)
    names = [str(number) for number in range(len(years))]
    own = groups or [f"集团{name}" for name in names]
    units = pd.DataFrame(
        {
            "county_id": "990100",
            "school": names,
            "school_id": names,
            "school_name": names,
            "stage": "primary",
            "status": np.where(joined, "adopter", "comparison"),
            "reason": "",
            "adoption_year": years,
            "announced_year": np.nan,
            "role": np.where(joined, "member", ""),
            "form": np.where(joined, "close_form", ""),
            "school_group": [name if there else "" for name, there in zip(own, joined, strict=True)],
            "location": "urban",
            "neighbour_year": np.nan,
        }
    )
    return units.assign(**dict.fromkeys(CHANGES, np.nan)).assign(**columns)


def make_study(units, *, years=YEARS, **values):
    """Return exposure and outcomes of these units; enrolment is 100 where not given."""
    adoption = Adoption(
        "990100", "group_schooling", years, units, pd.DataFrame(), pd.DataFrame(), pd.DataFrame(),
        pd.DataFrame(), "joined",
    )  # fmt: skip
    shape = (len(units), len(years))
    given = {"enrolment": np.full(shape, 100.0), "coverage": np.full(shape, 1.0)} | {
        name: np.asarray(value, dtype=float) for name, value in values.items()
    }
    given.setdefault("achievement", np.zeros(shape))
    given["log_enrolment"] = np.log(given["enrolment"])
    tests = pd.DataFrame(
        [
            {"year": year, "stage": "primary", "grade": grade, "reason": ""}
            for year in years
            for grade in (5, 6)
        ]
    )
    panel = SchoolPanel(units[["school", "stage"]].reset_index(drop=True), years, given, "county", tests)
    return adoption, panel


def make_sample(cohorts, **changes):
    """Return a sample of these cohorts with everything observed, two grades tested, nothing left out."""
    names = {field for field in AdoptionSample.__dataclass_fields__ if field != "units"}
    own = {name: changes.pop(name) for name in list(changes) if name in names}
    units = make_units(cohorts, **changes).assign(coverage_before=1.0, coverage_after=1.0)
    units = units.assign(**{name: value for name, value in changes.items() if name.startswith("coverage")})
    joined = units["adoption_year"].notna()
    clusters = pd.factorize(units["school_group"].where(joined, "own" + units["school"]), sort=True)[0]
    blank = units.head(0)[["county_id", "school", "stage", "adoption_year", "role", "reason"]]
    given = {
        "outcome": "achievement",
        "stage": "primary",
        "rules": SampleRules(),
        "outcomes": np.zeros((len(units), len(YEARS))),
        "periods": np.array(YEARS, dtype=float),
        "covariates": np.empty((len(units), 0)),
        "covariate_names": (),
        "weights": np.ones(len(units)),
        "clusters": clusters.astype(np.int64),
        "baseline_years": YEARS[:3],
        "left_out": blank,
        "tested_grades": (5, 6),
    }
    return AdoptionSample(units=units, **(given | own))


def never(count):
    """Return that many schools that never joined."""
    return [None] * count


__all__ = ["NEVER", "YEARS", "make_sample", "make_study", "make_units", "never"]
