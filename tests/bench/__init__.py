"""What the program costs, as ratios in one run. Prints, never judges: this is measured on shared machines.

``pytest -m bench -s tests/bench``; ``TCPTUI_BENCH_SIZES=1000,100000,800000`` chooses the numbers of sockets.
"""
