"""Filters against a socket table that has something for each of them, with ss and plain predicates as judges."""
