"""Linux TCP connections by state, live and explained."""

__version__ = "0.1.0"
