"""The screen. The only package that imports textual, rich or plotext.

Collects nothing and decides nothing: it shows presentations and hands wishes to the presenter. Until the first frame
is painted nothing of it may import numpy.
"""
