"""Effects by cohort and period with comparisons inside blocks of units only, such as counties."""

import numpy as np
from numpy.typing import NDArray

from toolkit.models.group_time import (
    AdoptionPanel,
    Base,
    Comparison,
    GroupTimeEffects,
    Unbalanced,
    estimate_group_time,
)
from toolkit.models.group_time_influence import JoinedInfluence


def estimate_group_time_within(
    panel: AdoptionPanel,
    blocks: NDArray[np.int64],
    *,
    comparison: Comparison = "never",
    base: Base = "varying",
    anticipation: int = 0,
    unbalanced: Unbalanced = "pairs",
) -> GroupTimeEffects:
    """Estimate group-time effects with comparisons inside a block only, such as a county.

    Whatever moves all units of a block in a period drops out: effects of block by period. Cells are those
    of every block, one after the other; averages weigh them by the weight of their treated units.

    Parameters
    ----------
    panel : AdoptionPanel
        Units of all blocks. A block without units that can be compared gives no cells with an effect.
    blocks : ndarray of int, (n_units,)
        Block of each unit.
    comparison, base, anticipation, unbalanced
        See `estimate_group_time`.
    """
    parts = []
    for block in np.unique(blocks):
        own = np.flatnonzero(blocks == block)
        found = estimate_group_time(
            panel.take(own),
            comparison=comparison,
            base=base,
            anticipation=anticipation,
            unbalanced=unbalanced,
        )
        parts.append((int(block), own[found.used], found))
    used = np.concatenate([units for _, units, _ in parts])
    order = np.argsort(used, kind="stable")
    placed = np.split(np.argsort(order), np.cumsum([len(units) for _, units, _ in parts])[:-1])
    source = JoinedInfluence(
        [(place, found.source) for place, (*_, found) in zip(placed, parts, strict=True)],
        [len(found.effects) for *_, found in parts],
    )

    def joined(name: str) -> NDArray:
        return np.concatenate([getattr(found, name) for *_, found in parts])

    return GroupTimeEffects(
        panel=panel.take(used[order]),
        used=used[order],
        cohorts=joined("cohorts"),
        periods=joined("periods"),
        bases=joined("bases"),
        comparisons=joined("comparisons"),
        effects=joined("effects"),
        source=source,
        n_treated=joined("n_treated"),
        n_comparison=joined("n_comparison"),
        refusals=tuple(reason for *_, found in parts for reason in found.refusals),
        blocks=np.repeat(
            np.array([block for block, *_ in parts]), [len(found.effects) for *_, found in parts]
        ),
        unit_blocks=blocks[used[order]],
    )
