"""The words in which every verdict and estimate leaves the toolkit."""

from typing import Literal

Verdict = Literal["pass", "fail", "undecided"]

ESTIMATE_COLUMNS = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")
