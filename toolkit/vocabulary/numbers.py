"""Numbers as they are printed."""

import math

MISSING = "–"


def format_number(value: float | None, decimals: int) -> str:
    """Return a number with thousands separators, or an en dash when it is missing.

    A value that rounds to zero is printed without a sign.
    """
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:,.{decimals}f}"
    negative_zero = text.startswith("-") and not text.strip("-0.,")
    return text[1:] if negative_zero else text.replace("-", "−")
