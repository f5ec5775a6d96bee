"""Variation between the schools of a county: statistics on arrays, without a sampling model."""
