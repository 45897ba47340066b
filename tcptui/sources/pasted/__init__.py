"""Text that was pasted from elsewhere as a source: what ``ss``, ``netstat`` and ``/proc/net/tcp`` print, and counts.

May not guess: a line that is not understood is counted and named, a field that the text does not tell is unknown, and
a socket whose state it does not tell is left out. Text is hostile: nothing of it is looked up in the network, run or
taken for markup, and a line takes time in proportion to its length.

``source.PastedSource`` is the source; ``source.read_pasted`` gives the sample with what is known of the text, for
whoever judges it: how much it tells (``Depth``) and what each line was taken for (``ledger.Ledger``).
"""
