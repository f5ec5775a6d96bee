"""The design of a group-schooling study from its parameters, and the counties that a study is of."""

import re
from typing import cast, get_args

from toolkit.data.county import County, Reading
from toolkit.data.pseudonyms import pseudonymise_reading
from toolkit.data.reading import list_counties
from toolkit.data.reading import load_counties as load_counties_of
from toolkit.effects.group_schooling import GroupDesign
from toolkit.effects.sample_rules import Covariate, Weighting
from toolkit.effects.study_words import COUNTY_REFORM
from toolkit.errors import InputError, ParameterError
from toolkit.models.group_time import Comparison
from toolkit.reporting.parameters import GroupSchooling, TeacherRotation
from toolkit.reporting.pseudonym_key import open_secret
from toolkit.reporting.study import Study, data_location
from toolkit.share import resolve_path

ALL_COUNTIES = "all"
ACHIEVEMENT = "achievement"


def read_design(study: Study) -> GroupDesign:
    """Return the design that the parameters set.

    Raises
    ------
    ParameterError
        If a covariate is unknown, or the years in which counties began cannot be read or be studied.
    """
    parameters = _parameters(study)
    covariates = _split(parameters.covariates)
    unknown = sorted(set(covariates) - set(get_args(Covariate)))
    if unknown:
        raise ParameterError(
            "covariate_unknown", names=", ".join(unknown), known=", ".join(get_args(Covariate))
        )
    county_years = read_county_years(parameters.county_years)
    if county_years and parameters.outcome == ACHIEVEMENT:
        raise ParameterError("county_years_with_scores")
    return GroupDesign(
        programme=COUNTY_REFORM if county_years else parameters.programme,
        outcome=parameters.outcome,
        comparison=cast("Comparison", parameters.comparison),
        selection_years=parameters.selection_years,
        last=parameters.years_after,
        covariates=cast("tuple[Covariate, ...]", covariates),
        weighting=cast("Weighting", parameters.weighting),
        n_draws=parameters.draws,
        seed=parameters.seed,
        county_years=county_years,
    )


def read_county_years(text: str) -> dict[str, int]:
    """Return the first school year of a reform by county, from ``"990101=2021, 990102=2022"``.

    Raises
    ------
    ParameterError
        If a part is not a code and a year, or a county stands there twice.
    """
    found: dict[str, int] = {}
    for part in _split(text):
        code, _, year = (piece.strip() for piece in part.replace("＝", "=").partition("="))
        if not code or code in found or not re.fullmatch(r"\d{4}", year):
            raise ParameterError("county_years_unreadable", part=part)
        found[code] = int(year)
    return found


def load_counties(study: Study) -> tuple[County, ...]:
    """Return the counties that are studied together, that of the report first.

    Schools of the others have pseudonyms, too, where those of the report do.

    Raises
    ------
    InputError
        If the data do not have a county that is named, or cannot be read.
    """
    parameters = study.parameters
    if not isinstance(parameters, GroupSchooling | TeacherRotation):
        raise TypeError("the study is not one of several counties")
    wanted = _split(parameters.counties)
    own = study.county.county_id
    if not wanted:
        return (study.county,)
    location = data_location(parameters)
    mapping = resolve_path(parameters.mapping_path) if parameters.mapping_path else None
    known = [str(code) for code in list_counties(location, mapping=mapping)["county_id"]]
    codes = known if wanted == (ALL_COUNTIES,) else list(wanted)
    absent = sorted(set(codes) - set(known))
    if absent:
        raise InputError("county_not_in_data", names=", ".join(absent), known=", ".join(known))
    others = [code for code in codes if code != own]
    readings = load_counties_of(location, others, mapping=mapping, tables=tuple(study.county.tables))
    return (study.county, *(_shown(study, reading) for reading in readings))


def names_schools(study: Study, counties: tuple[County, ...]) -> bool:
    """Say whether exhibits list schools and groups by name: internally, and of one county."""
    return study.singles_out_schools and len(counties) == 1


def _shown(study: Study, reading: Reading) -> County:
    """Return a county with the names of its schools as the report shows them."""
    if study.parameters.school_names == "pseudonym":
        reading, _ = pseudonymise_reading(reading, study.language, secret=open_secret())
    return reading.county


def _parameters(study: Study) -> GroupSchooling:
    if not isinstance(study.parameters, GroupSchooling):
        raise TypeError("the study has not the parameters of 03_group_schooling")
    return study.parameters


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace("，", ",").split(",") if part.strip())
