"""Tests of tcptui; the folders mirror the package, what they share is in ``tests.support``."""
