"""The counts behind the design guard, and what they trip."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.baseline import LEAST_YEARS_OF_LEVEL
from toolkit.effects.guard_limits import DesignLimits
from toolkit.effects.sample_cells import SampleCells, treated_without_effect

Numbers = Mapping[str, float]
ACHIEVEMENT = ("achievement", "prior_score")
UNSEEN = ("sample_no_outcome_before", "sample_no_outcome_after")


class Checks:
    """Counts of one sample under one design."""

    def __init__(
        self,
        sample: AdoptionSample,
        comparison: str,
        anticipation: int,
        estimand: str,
        county_by_year: bool,
        limits: DesignLimits,
        last: int | None,
        cells: SampleCells,
    ) -> None:
        self.sample, self.limits, self.last, self.cells = sample, limits, last, cells
        self.comparison, self.anticipation, self.estimand = comparison, anticipation, estimand
        self.county_by_year = county_by_year
        self.cohorts = sample.cohorts
        self.treated = np.isfinite(self.cohorts)
        # Observed periods of each adopter before adoption and from it on.
        self.seen = np.isfinite(sample.outcomes)
        early = sample.periods < self.cohorts[:, None] - anticipation
        self.before = (self.seen & early)[self.treated].sum(axis=1)
        clear = sample.periods < self.cohorts[:, None] - max(anticipation, sample.rules.selection_years)
        self.clear = (self.seen & clear)[self.treated].sum(axis=1)
        self.after = (self.seen & (sample.periods >= self.cohorts[:, None]))[self.treated].sum(axis=1)
        # Who anticipates joining is no comparison either.
        first = self.cohorts.min(initial=np.inf)
        later = self.cohorts > first + anticipation
        self.others = ~self.treated if comparison == "never" else later
        self.n_treated = int(self.treated.sum())

    def found(self) -> dict[str, Numbers]:
        """Return the numbers behind every code that is tripped."""
        parts = self._identification() | self._sizes() | self._covariates() | self._time()
        parts |= self._overlap() | self._sample() | self._measurement()
        return {code: numbers for code, (tripped, numbers) in parts.items() if tripped}

    def _identification(self) -> dict[str, tuple[bool, Numbers]]:
        """Ask who is compared with whom."""
        counties = self.sample.units["county_id"]
        n_counties = int(counties.nunique())
        untouched = int((~self.treated).sum())
        by_county = self.sample.rules.assignment == "county"
        first = np.unique(self.cohorts[self.treated])
        at_once = untouched == 0 and len(first) == 1
        alone = by_county and (n_counties == 1)
        year = {"year": float(first[0])} if len(first) else {"year": np.nan}
        nobody = not self.others.any() and not at_once
        last_only = self.comparison == "not_yet" and untouched == 0 and len(first) > 1
        return {
            "guard_no_adopters": (self.n_treated == 0, {"schools": len(self.cohorts)}),
            "guard_county_alone": (alone, year),
            "guard_county_year_effects": (by_county and self.county_by_year, {"counties": n_counties}),
            "guard_everyone_at_once": (at_once and not alone, {"schools": self.n_treated} | year),
            "guard_no_comparison": (nobody, {"schools": self.n_treated}),
            "guard_no_never_treated": (last_only, {"year": float(first[-1]) if len(first) else np.nan}),
        }

    def _sizes(self) -> dict[str, tuple[bool, Numbers]]:
        """Count schools and clusters on each side."""
        limits, weights = self.limits, self.sample.weights
        clusters = self.sample.clusters
        n_clusters = len(np.unique(clusters[self.treated]))
        totals = np.bincount(clusters[self.treated], weights[self.treated]) if self.n_treated else np.ones(1)
        effective = float(totals.sum() ** 2 / (totals**2).sum())
        groups = {"clusters": n_clusters, "effective": effective}
        n_others = len(np.unique(clusters[self.others]))
        schools = {"schools": self.n_treated}
        return {
            "guard_too_few_clusters": (
                n_clusters < limits.least_clusters,
                groups | {"limit": limits.least_clusters},
            ),
            "guard_few_clusters": (
                limits.least_clusters <= n_clusters < limits.few_clusters,
                groups | {"limit": limits.few_clusters},
            ),
            "guard_too_few_schools": (
                self.n_treated < limits.least_schools,
                schools | {"limit": limits.least_schools},
            ),
            "guard_few_schools": (
                limits.least_schools <= self.n_treated < limits.few_schools,
                schools | {"limit": limits.few_schools},
            ),
            "guard_too_few_comparison": (
                0 < n_others < limits.least_comparison,
                {"clusters": n_others, "limit": limits.least_comparison},
            ),
            "guard_few_comparison": (
                limits.least_comparison <= n_others < limits.few_comparison,
                {"clusters": n_others, "limit": limits.few_comparison},
            ),
        }

    def _covariates(self) -> dict[str, tuple[bool, Numbers]]:
        """Ask whether the comparison carries the regression on the covariates."""
        own = self.sample.panel.covariates[self.others]
        n_others, n_covariates = own.shape
        design = np.column_stack([np.ones(n_others), own])
        lost = n_covariates + 1 - int(np.linalg.matrix_rank(design)) if n_others else 0
        numbers = {"covariates": n_covariates, "schools": n_others}
        few = 0 < n_others < self.limits.least_per_covariate * (n_covariates + 1)
        return {
            "guard_covariates_collinear": (lost > 0, numbers | {"lost": lost}),
            "guard_few_per_covariate": (n_covariates > 0 and few and lost == 0, numbers),
        }

    def _overlap(self) -> dict[str, tuple[bool, Numbers]]:
        """Ask which adopters have somebody like them, seen in the same years, to be compared with."""
        lost = 0
        if self.n_treated and self.others.any() and self.before.max() > 0:
            last = len(self.sample.periods) if self.last is None else self.last
            without = treated_without_effect(self.sample, self.cells.effects, last)
            # Those of early cohorts have their own reason.
            lost = int((without[self.treated] & (self.before > 0)).sum())
        seen = int((self.before > 0).sum())
        numbers = {"affected": lost, "schools": seen}
        return {
            "guard_no_overlap": (0 < lost == seen, {"schools": seen}),
            "guard_part_without_overlap": (0 < lost < seen, numbers),
        }

    def _time(self) -> dict[str, tuple[bool, Numbers]]:
        """Count what is seen before adoption and after it."""
        most = int(self.before.max(initial=0))
        single = int((self.before == 1).sum())
        dirty = int(((self.clear == 0) & (self.before > 0)).sum())
        n_level = len(self.sample.baseline_years)
        wanted = "prior_achievement" in self.sample.rules.covariates
        schools = {"schools": self.n_treated}
        return {
            "guard_no_pre_period": (most == 0, schools),
            "guard_one_pre_period": (most > 0 and single > 0, {"affected": single} | schools),
            "guard_base_in_selection": (
                dirty > 0,
                {"affected": dirty, "years": self.sample.rules.selection_years} | schools,
            ),
            "guard_no_prior_level": (wanted and n_level < LEAST_YEARS_OF_LEVEL, {"years": n_level}),
            "guard_one_post_period": (int(self.after.max(initial=0)) == 1, schools),
        }

    def _sample(self) -> dict[str, tuple[bool, Numbers]]:
        """Count who is missing among the adopters, and what happened to them besides."""
        left_out, units, limits = self.sample.left_out, self.sample.units, self.limits
        reason = left_out["reason"].to_numpy(dtype=object)
        own = left_out["adoption_year"].notna().to_numpy() & (reason != "sample_other_role")
        if self.sample.rules.role != "any":
            own &= left_out["role"].to_numpy(dtype=object) == self.sample.rules.role
        early = int((own & (reason == "unit_treated_from_start")).sum())
        lost = int(own.sum())
        unseen = int((own & np.isin(reason.astype(str), UNSEEN)).sum())
        all_adopters = lost + self.n_treated
        near = int((units["neighbour_year"].notna().to_numpy() & ~self.treated).sum())
        n_untouched = int((~self.treated).sum())
        joined = units["adoption_year"].to_numpy(dtype=float)[self.treated]

        def share_of(*columns: str) -> tuple[bool, Numbers]:
            years = np.column_stack([units[name].to_numpy(dtype=float) for name in columns])[self.treated]
            hit = int((years >= joined[:, None]).any(axis=1).sum())
            share = hit / self.n_treated if self.n_treated else 0.0
            return share > limits.changed_share, {"affected": hit, "schools": self.n_treated, "share": share}

        lost_share = lost / all_adopters if all_adopters else 0.0
        near_share = near / n_untouched if n_untouched else 0.0
        return {
            "guard_no_outcome": (not self.n_treated and unseen > 0, {"schools": unseen}),
            "guard_treated_from_start": (early > 0, {"affected": early, "schools": all_adopters}),
            "guard_adopters_left_out": (
                lost_share > limits.left_out_share,
                {"affected": lost, "schools": all_adopters, "share": lost_share},
            ),
            "guard_neighbours": (
                near_share > limits.neighbour_share,
                {"affected": near, "schools": n_untouched, "share": near_share},
            ),
            "guard_left": share_of("left_year"),
            "guard_form_changed": share_of("form_change_year", "role_change_year", "group_change_year"),
            "guard_second_programme": share_of("other_year"),
            "guard_composition": share_of("absorbed_year", "campus_year"),
        }

    def _measurement(self) -> dict[str, tuple[bool, Numbers]]:
        """Ask whether the outcome is there, for the same pupils."""
        limits, tests_it = self.limits, self.sample.outcome in ACHIEVEMENT
        missing = float(1 - self.seen.mean()) if self.seen.size else 0.0
        moves = self._coverage_moves() if tests_it else 0.0
        one_grade = tests_it and len(self.sample.tested_grades) < 2
        legacy = self.estimand == "legacy"
        grades = {"grades": len(self.sample.tested_grades)}
        return {
            "guard_no_legacy_pupils": (one_grade and legacy, grades),
            "guard_one_tested_grade": (one_grade and not legacy, grades),
            "guard_outcome_missing": (missing > limits.missing_share, {"share": missing}),
            "guard_coverage_moves": (abs(moves) > limits.coverage_move, {"share": moves}),
        }

    def _coverage_moves(self) -> float:
        """Return the change of coverage among adopters beyond that of the comparison; 0 if not known."""
        units = self.sample.units
        change = (units["coverage_after"] - units["coverage_before"]).to_numpy(dtype=float)
        known = np.isfinite(change)
        sides: list[NDArray[np.float64]] = [change[known & self.treated], change[known & ~self.treated]]
        return float(sides[0].mean() - sides[1].mean()) if all(len(side) for side in sides) else 0.0
