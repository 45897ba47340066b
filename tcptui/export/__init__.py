"""A frame as text for people and for programs, and files that are written whole or not at all.

Both front ends hand out the same answers in the same formats, so what makes them stands below both. No screen, no
command line.
"""
