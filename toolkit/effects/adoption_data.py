"""Exposure and outcomes of one county or several, from which the samples of a study are drawn."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from toolkit.effects.adoption_panel import AdoptionSample, build_adoption_sample, pool_samples
from toolkit.effects.sample_rules import DEFAULT_RULES, SampleRules
from toolkit.indicators.adoption import Adoption
from toolkit.indicators.adoption_reasons import ADOPTER
from toolkit.indicators.outcomes import Outcomes
from toolkit.indicators.school_panel import SchoolPanel


@dataclass(frozen=True, slots=True)
class AdoptionData:
    """Who joined when, and what is known of each school, county by county.

    Attributes
    ----------
    counties : tuple of (Adoption, SchoolPanel)
        One pair a county, the units of both the same.
    scores : tuple of Outcomes
        The scores of each county, where they have been kept; empty where not.
    """

    counties: tuple[tuple[Adoption, SchoolPanel], ...]
    scores: tuple[Outcomes, ...] = ()

    def __post_init__(self) -> None:
        if not self.counties:
            raise ValueError("a study needs a county")
        if len(self.scores) not in (0, len(self.counties)):
            raise ValueError(f"scores of {len(self.scores)} counties, but {len(self.counties)} counties")

    @property
    def adoption(self) -> Adoption:
        """Exposure of the first county."""
        return self.counties[0][0]

    @property
    def panel(self) -> SchoolPanel:
        """Outcomes of the first county."""
        return self.counties[0][1]

    @property
    def exposure(self) -> Adoption:
        """Exposure of all counties together, for descriptions."""
        return self.pooled()[0]

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Outcomes that every county knows, in the order of the first."""
        known = [set(panel.outcomes) for _, panel in self.counties]
        return tuple(name for name in self.panel.outcomes if all(name in own for own in known))

    def pooled(self) -> tuple[Adoption, SchoolPanel]:
        """Return exposure and outcomes of all counties as if they were one, for descriptions.

        Years that a county does not have are missing in it. Effects are estimated from `sample`, which
        keeps the counties apart.
        """
        if len(self.counties) == 1:
            return self.counties[0]
        adoptions = [adoption for adoption, _ in self.counties]
        years = tuple(sorted({year for _, panel in self.counties for year in panel.years}))
        tables = {
            name: pd.concat([getattr(one, name) for one in adoptions], ignore_index=True)
            for name in ("units", "spells", "years", "doses", "unused_rows")
        }
        measures = {}
        for name in self.outcomes:
            blocks = []
            for _, panel in self.counties:
                block = np.full((len(panel.units), len(years)), np.nan)
                block[:, np.searchsorted(years, panel.years)] = panel.measures[name]
                blocks.append(block)
            measures[name] = np.vstack(blocks)
        panel = replace(
            self.panel,
            units=pd.concat([own.units for _, own in self.counties], ignore_index=True),
            years=years,
            measures=measures,
            tests=pd.concat([own.tests for _, own in self.counties], ignore_index=True),
        )
        return replace(adoptions[0], data_years=years, **tables), panel

    def sample(self, *, stage: str, outcome: str, rules: SampleRules = DEFAULT_RULES) -> AdoptionSample:
        """Build the sample of one study, over all counties.

        Where groups adopt, a county in which no school of the stage joined has nothing to compare and
        stays out of the pool. Where counties do, all share the baseline before the first of them.
        """
        if rules.assignment == "county" and not rules.baseline_years:
            rules = replace(rules, baseline_years=self._baseline_years(stage, rules.selection_years))
        parts = []
        for adoption, panel in self.counties:
            own = adoption.units[adoption.units["stage"] == stage]
            if len(self.counties) == 1 or rules.assignment == "county" or own["status"].eq(ADOPTER).any():
                parts.append(
                    build_adoption_sample(adoption, panel, stage=stage, outcome=outcome, rules=rules)
                )
        if not parts:
            adoption, panel = self.counties[0]
            return build_adoption_sample(adoption, panel, stage=stage, outcome=outcome, rules=rules)
        return parts[0] if len(parts) == 1 else pool_samples(parts)

    def _baseline_years(self, stage: str, selection_years: int) -> tuple[int, ...]:
        """Return the years that all counties have before the first of them was selected to adopt.

        Without such a year the years of selection must do, as in a single county.
        """
        own = [adoption.units[adoption.units["stage"] == stage] for adoption, _ in self.counties]
        adopters = [units.loc[units["status"] == ADOPTER, "adoption_year"] for units in own]
        firsts = [years.min() for years in adopters if len(years)]
        if not firsts:
            return ()
        known = set.intersection(*(set(adoption.data_years) for adoption, _ in self.counties))
        before = tuple(sorted(year for year in known if year < min(firsts)))
        return tuple(year for year in before if year < min(firsts) - selection_years) or before
