"""Tests of the lab itself: what it promises to hold is what ``ss`` finds in the kernel."""
