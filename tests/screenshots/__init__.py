"""Tests of ``screenshots``."""
