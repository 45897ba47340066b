"""Tests of tcptui.explain."""
