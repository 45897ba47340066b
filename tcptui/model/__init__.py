"""What the program knows about connections: states, fields, tables, samples, history.

Pure data: no input or output, no clock, no knowledge of the kernel's formats or of the screen.
"""
