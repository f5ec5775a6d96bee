"""The schools of a simulated county, with what happened to them."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from toolkit.data.simulate.frames import rows_where
from toolkit.data.simulate.names import county_name, school_name, town_names, village_names
from toolkit.data.simulate.settings import SimulationSettings, stream

# Shares of the types among the schools open in the last year; primary schools take what is left.
TYPE_SHARES = {
    "teaching_point": 0.13,
    "junior_secondary_school": 0.18,
    "nine_year_school": 0.10,
    "complete_secondary_school": 0.05,
    "twelve_year_school": 0.017,
    "special_education_school": 0.01,
}
LOCATION_SHARES = {
    "primary_school": (0.28, 0.32, 0.40),
    "teaching_point": (0.0, 0.0, 1.0),
    "junior_secondary_school": (0.38, 0.40, 0.22),
    "nine_year_school": (0.20, 0.20, 0.60),
    "complete_secondary_school": (1.0, 0.0, 0.0),
    "twelve_year_school": (1.0, 0.0, 0.0),
    "special_education_school": (1.0, 0.0, 0.0),
}
LOCATIONS = ("urban", "town_area", "rural")
# Mean size in the last year by type and location: primary, junior, senior.
SIZES = {
    ("primary_school", "urban"): (1250, 0, 0),
    ("primary_school", "town_area"): (560, 0, 0),
    ("primary_school", "rural"): (165, 0, 0),
    ("teaching_point", "rural"): (30, 0, 0),
    ("junior_secondary_school", "urban"): (0, 1250, 0),
    ("junior_secondary_school", "town_area"): (0, 620, 0),
    ("junior_secondary_school", "rural"): (0, 300, 0),
    ("nine_year_school", "urban"): (800, 420, 0),
    ("nine_year_school", "town_area"): (480, 260, 0),
    ("nine_year_school", "rural"): (260, 140, 0),
    ("complete_secondary_school", "urban"): (0, 620, 1100),
    ("twelve_year_school", "urban"): (560, 380, 320),
    ("special_education_school", "urban"): (52, 26, 0),
}
STAGES = ("primary", "junior", "senior")
LAST_GRADES = {
    "primary_school": 6,
    "nine_year_school": 9,
    "twelve_year_school": 9,
    "special_education_school": 9,
    "junior_secondary_school": 9,
    "complete_secondary_school": 9,
}
PATTERNS = {
    ("primary_school", "urban"): "urban_primary",
    ("primary_school", "town_area"): "town_primary",
    ("primary_school", "rural"): "rural_primary",
    ("teaching_point", "rural"): "teaching_point",
    ("junior_secondary_school", "urban"): "urban_junior",
    ("junior_secondary_school", "town_area"): "town_junior",
    ("junior_secondary_school", "rural"): "rural_junior",
    ("nine_year_school", "urban"): "urban_nine_year",
    ("nine_year_school", "town_area"): "nine_year",
    ("nine_year_school", "rural"): "nine_year",
    ("complete_secondary_school", "urban"): "urban_junior",
    ("twelve_year_school", "urban"): "twelve_year",
    ("special_education_school", "urban"): "special_education",
}
PRIVATE_PATTERNS = {("primary_school", "private"): "private_primary"}
# Type, pattern of the former name, years after the first, whether the code changed too.
RENAMES = (
    ("primary_school", "former_primary", 2, False),
    ("junior_secondary_school", "former_junior", 3, True),
)
NEW_SCHOOL_SIZE = 840
SMALL_POINT_GRADES, LARGE_POINT_GRADES = 3, 4
SMALL_POINT_INTAKE, LARGE_POINT_INTAKE = (5, 12), (16, 19)


@dataclass(frozen=True, slots=True)
class Register:
    """The schools and the links between them.

    Attributes
    ----------
    schools : pandas.DataFrame
        One row per school that ever existed; `parent` and `merged_into` are row numbers or -1,
        `renamed` is the first year of the present name and code, missing when there was no other.
    county : str
        Name of the county.
    opened_rows : tuple of int
        Schools that opened within the period.
    """

    schools: pd.DataFrame
    county: str
    opened_rows: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.schools)

    def codes_in(self, rows: np.ndarray, years: np.ndarray) -> np.ndarray:
        """Return the code that each school had in a year."""
        before = years < self._renamed()[rows]
        return np.where(before, self.former_ids[rows], self.ids[rows])

    def names_in(self, rows: np.ndarray, years: np.ndarray) -> np.ndarray:
        """Return the name that each school had in a year."""
        before = years < self._renamed()[rows]
        former = self.schools["former_name"].to_numpy(dtype=object)
        return np.where(before, former[rows], self.names[rows])

    @property
    def ids(self) -> np.ndarray:
        """Present codes."""
        return self.schools["school_id"].to_numpy(dtype=object)

    @property
    def former_ids(self) -> np.ndarray:
        """Codes before the rename; equal to the present code where it stayed."""
        return self.schools["former_id"].to_numpy(dtype=object)

    @property
    def names(self) -> np.ndarray:
        """Present names."""
        return self.schools["name"].to_numpy(dtype=object)

    def _renamed(self) -> np.ndarray:
        return self.schools["renamed"].fillna(-1).to_numpy(dtype=int)


def simulate_register(settings: SimulationSettings, seed: int) -> Register:
    """Simulate the schools: types, places, sizes, and (unless clean) renames, mergers and openings."""
    rng = stream(seed, settings, "register")
    county = county_name(settings.county_number)
    schools = _types_and_places(settings)
    towns = town_names(max(3, round(settings.n_schools / 6)), county, stream(seed, settings, "names"))
    schools["town"] = _towns(schools["location"].to_numpy(), towns, rng)
    schools["parent"] = _central_schools(schools)
    schools["name"] = _names(schools, county, stream(seed, settings, "names"))
    for column in ("size_primary", "size_junior", "size_senior", "last_grade", "opened"):
        schools[column] = 0
    _set_sizes(schools, rng)
    schools["opened"] = rng.integers(1952, 2013, len(schools))
    schools["school_id"] = [f"{settings.county_id}{number:04d}" for number in range(1, len(schools) + 1)]
    schools = schools.assign(
        former_id=schools["school_id"],
        former_name=schools["name"],
        renamed=np.nan,
        closed=np.nan,
        merged_into=-1,
    )
    if not settings.clean:
        _add_events(schools, settings)
    opened = np.flatnonzero(schools["opened"] >= settings.first_year)
    return Register(schools, county, tuple(opened.tolist()))


def _types_and_places(settings: SimulationSettings) -> pd.DataFrame:
    """Draw the schools; the last ones of a county that is not clean close within the period."""
    n_of_type = {kind: max(1, round(share * settings.n_schools)) for kind, share in TYPE_SHARES.items()}
    n_of_type = {"primary_school": settings.n_schools - sum(n_of_type.values()), **n_of_type}
    rows = []
    for kind, n_schools in n_of_type.items():
        bounds = np.round(np.cumsum(LOCATION_SHARES[kind]) * n_schools).astype(int)
        rows += [
            (kind, LOCATIONS[int(np.searchsorted(bounds, index, "right"))]) for index in range(n_schools)
        ]
    if not settings.clean:
        n_closing = max(1, settings.n_schools // 60)
        rows += [("teaching_point", "rural"), ("primary_school", "rural")] * n_closing
    schools = pd.DataFrame(rows, columns=["type", "location"])
    schools["ownership"] = "public"
    schools.loc[schools["type"] == "twelve_year_school", "ownership"] = "private"
    urban_primary = rows_where((schools["type"] == "primary_school") & (schools["location"] == "urban"))
    schools.loc[urban_primary[-max(1, len(urban_primary) // 8) :], "ownership"] = "private"
    return schools


def _towns(locations: np.ndarray, towns: tuple[str, ...], rng: np.random.Generator) -> np.ndarray:
    """Put urban schools into the county seat and spread the others evenly over the towns."""
    chosen = np.full(len(locations), towns[0], dtype=object)
    for location in ("town_area", "rural"):
        rows = np.flatnonzero(locations == location)
        order = rng.permutation(len(towns) - 1)
        for position, row in enumerate(rows):
            chosen[row] = towns[1 + order[position % len(order)]]
    return chosen


def _central_schools(schools: pd.DataFrame) -> list[int]:
    """Return the school that takes over the pupils of each teaching point."""
    takes_all_grades = schools["type"].isin(["primary_school", "nine_year_school"]) & (
        schools["ownership"] == "public"
    )
    in_town: dict[str, int] = {}
    for row in rows_where(takes_all_grades & (schools["location"] != "urban")):
        in_town.setdefault(str(schools.at[row, "town"]), int(row))
    fallback = int(rows_where(takes_all_grades)[0])
    return [
        in_town.get(town, fallback) if kind == "teaching_point" else -1
        for kind, town in zip(schools["type"], schools["town"], strict=True)
    ]


def _names(schools: pd.DataFrame, county: str, rng: np.random.Generator) -> list[str]:
    """Name the schools; no two are alike."""
    villages = village_names(len(schools), rng)
    seen: Counter[tuple[str, str]] = Counter()
    result = []
    for row, kind, location, town, ownership in schools[
        ["type", "location", "town", "ownership"]
    ].itertuples():
        pattern = PRIVATE_PATTERNS.get((kind, ownership), PATTERNS[kind, location])
        place = "" if location == "urban" else town
        seen[pattern, place] += 1
        number = seen[pattern, place]
        result.append(school_name(pattern, number, county=county, town=town, village=villages[row]))
    return result


def _set_sizes(schools: pd.DataFrame, rng: np.random.Generator) -> None:
    """Draw the sizes of the last year and the grades that a teaching point keeps."""
    spread = np.exp(0.28 * np.clip(rng.standard_normal(len(schools)), -1.6, 1.5))
    kinds = list(zip(schools["type"], schools["location"], strict=True))
    for position, stage in enumerate(STAGES):
        mean = np.array([SIZES[kind][position] for kind in kinds])
        schools[f"size_{stage}"] = np.round(mean * spread).astype(int)
    points = np.flatnonzero(schools["type"] == "teaching_point")
    small = points[: -(-len(points) * 5 // 8)]
    for row in points:
        grades, intake = (
            (SMALL_POINT_GRADES, SMALL_POINT_INTAKE)
            if row in small
            else (LARGE_POINT_GRADES, LARGE_POINT_INTAKE)
        )
        schools.loc[row, ["last_grade", "size_primary"]] = grades, 6 * int(rng.integers(*intake))
    for kind, last_grade in LAST_GRADES.items():
        schools.loc[schools["type"] == kind, "last_grade"] = last_grade


def _add_events(schools: pd.DataFrame, settings: SimulationSettings) -> None:
    """Close the last schools into others, rename some, open one."""
    n_closing = max(1, settings.n_schools // 60)
    first = settings.first_year
    closing = schools.index[-2 * n_closing :]
    open_rows = schools.index[: -2 * n_closing]
    for row in closing:
        point = schools.at[row, "type"] == "teaching_point"
        schools.loc[row, "closed"] = first + min(3 if point else 4, settings.n_years - 1)
        schools.loc[row, "merged_into"] = (
            int(schools["parent"].loc[row]) if point else _neighbour(schools, row)
        )
    for kind, pattern, delay, new_code in RENAMES:
        here = (schools["type"] == kind) & (schools["location"] == "town_area")
        of_kind = [row for row in rows_where(here) if row in open_rows]
        for row in of_kind[-n_closing:]:
            schools.loc[row, "former_name"] = school_name(
                pattern, 1, county="", town=str(schools.at[row, "town"]), village=""
            )
            schools.loc[row, "renamed"] = first + min(delay, settings.n_years - 1)
            if new_code:
                schools.loc[row, "former_id"] = f"{settings.county_id}9{row:03d}"
    opening = (
        (schools["type"] == "primary_school")
        & (schools["location"] == "urban")
        & (schools["ownership"] == "public")
    )
    new = rows_where(opening)[2:][-n_closing:]
    schools.loc[new, "opened"] = first + min(2, settings.n_years - 1)
    schools.loc[new, "size_primary"] = NEW_SCHOOL_SIZE


def _neighbour(schools: pd.DataFrame, row: int) -> int:
    """Return the school that takes over a closed primary school: the first of its town, or of the county."""
    takes = (schools["type"] == "primary_school") & (schools["location"] == "town_area")
    in_town = rows_where(takes & (schools["town"] == schools.at[row, "town"]))
    return int(in_town[0] if len(in_town) else rows_where(takes)[0])
