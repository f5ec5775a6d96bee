"""The design of a group-schooling study from its parameters, and the counties that a study is of."""

from typing import cast, get_args

from toolkit.data.county import County
from toolkit.data.pseudonyms import pseudonymise_reading
from toolkit.data.reading import list_counties, load_county
from toolkit.effects.group_schooling import GroupDesign
from toolkit.effects.sample_rules import Covariate, Weighting
from toolkit.errors import InputError, ParameterError
from toolkit.models.group_time import Comparison
from toolkit.reporting.parameters import GroupSchooling, TeacherRotation
from toolkit.reporting.pseudonym_key import open_secret
from toolkit.reporting.study import Study, data_location
from toolkit.share import resolve_path

ALL_COUNTIES = "all"


def read_design(study: Study) -> GroupDesign:
    """Return the design that the parameters set.

    Raises
    ------
    ParameterError
        If a covariate is unknown.
    """
    parameters = _parameters(study)
    covariates = _split(parameters.covariates)
    unknown = sorted(set(covariates) - set(get_args(Covariate)))
    if unknown:
        raise ParameterError(
            "covariate_unknown", names=", ".join(unknown), known=", ".join(get_args(Covariate))
        )
    return GroupDesign(
        programme=parameters.programme,
        outcome=parameters.outcome,
        comparison=cast("Comparison", parameters.comparison),
        selection_years=parameters.selection_years,
        last=parameters.years_after,
        covariates=cast("tuple[Covariate, ...]", covariates),
        weighting=cast("Weighting", parameters.weighting),
        n_draws=parameters.draws,
        seed=parameters.seed,
    )


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
    return (
        study.county,
        *(_load(study, code, tuple(study.county.tables)) for code in codes if code != own),
    )


def names_schools(study: Study, counties: tuple[County, ...]) -> bool:
    """Say whether exhibits list schools and groups by name: internally, and of one county."""
    return study.singles_out_schools and len(counties) == 1


def _load(study: Study, code: str, tables: tuple[str, ...]) -> County:
    parameters = study.parameters
    reading = load_county(
        data_location(parameters),
        mapping=resolve_path(parameters.mapping_path) if parameters.mapping_path else None,
        county=code,
        tables=tables,
    )
    if parameters.school_names == "pseudonym":
        reading, _ = pseudonymise_reading(reading, study.language, secret=open_secret())
    return reading.county


def _parameters(study: Study) -> GroupSchooling:
    if not isinstance(study.parameters, GroupSchooling):
        raise TypeError("the study has not the parameters of 03_group_schooling")
    return study.parameters


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace("，", ",").split(",") if part.strip())
