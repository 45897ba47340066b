"""Where a ``Sample`` comes from: the live kernel, psutil where there is no Linux, a synthetic demo.

The only package that joins ``kernel`` and ``model``, and with ``monitor.poller`` the only one that reads a clock.
"""
