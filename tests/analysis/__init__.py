"""Grids and joins against naive computations."""
