"""The screen in a browser: an HTTP server that shows a process of this program in each tab.

The only package that imports aiohttp and textual-serve, which are installed on request. Knows nothing of sockets, views
or panels: it decides who may look, starts processes and carries what they draw and what is typed. It may import
``errors``, ``files``, ``language`` and ``text`` alone, and no part of what it sends may have a browser ask another host
for anything.
"""
