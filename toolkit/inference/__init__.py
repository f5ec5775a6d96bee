"""Uncertainty of estimates, from arrays: clusters, bootstrap, permutation, bounds, multiplicity, power."""
