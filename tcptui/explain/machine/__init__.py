"""The TCP state machine of RFC 9293, figure 5, as a drawing, with what one machine's sockets do in it right now.

Plain data: a drawing is lines of pieces. May not read anything but the words of its language, and knows no toolkit.

* ``edges`` — the machine itself: its moves
* ``view`` — what to draw: counts, and the rates sorted by where they are shown
* ``words`` — the words of a language, read and checked
* ``pieces`` — what a drawing consists of
* ``figures`` — numbers as short texts, the line of jumps, the legend
* ``canvas`` — cells, and lines that join where they meet
* ``grid`` — what the two drawn forms differ in; ``plan`` — where boxes, lines and labels stand
* ``diagram`` — a view on a canvas; ``listing`` — the same as a list
* ``drawing`` — ``draw`` takes the richest form that has room; ``machine_text`` is that for a terminal or a file

Every number of a ``Transitions`` is shown once: a move along an edge at the edge, a socket that came into being or
vanished at its state (``+`` and ``−``), a move that no edge stands for in the line of jumps.
"""
