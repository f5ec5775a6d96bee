"""Values for the parameters of a notebook, of the types it declares and unchanged by JSON."""

from collections.abc import Mapping

from toolkit.errors import ParameterError

JsonValue = str | int | float | bool | list | dict | None
PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
}


def refuse_unfit_for_json(name: str, value: object) -> None:
    """Refuse a value that JSON would change."""
    if isinstance(value, list):
        for item in value:
            refuse_unfit_for_json(name, item)
    elif isinstance(value, dict):
        for key, item in value.items():
            refuse_unfit_for_json(name, key)
            refuse_unfit_for_json(name, item)
    elif value is not None and type(value) not in (str, int, float, bool):
        raise ParameterError("report_parameter_not_json", parameter=name, received=type(value).__name__)


def has_type(value: object, types: tuple[type, ...]) -> bool:
    """Say whether a value has one of the types; true and false are no numbers."""
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))
