"""What is wrong here: rules over samples, head-room before a wall, and findings that come and go.

Pure: no files, no clock, no kernel. A `Course` is told one sample after another and makes `Evidence` of each; the rules
judge that, and a `Diagnosis` says what they found, what was checked and what could not be. Thresholds are data.

May import model, analysis and query's words; may not know who asks, nor decide how it is shown.
"""
