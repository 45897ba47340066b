"""Words as data: what each TCP state and kernel parameter means, with this machine's own values in the sentences.

Pure: the caller hands the live parameter values in; nothing is read but the package's own data files, once, and only
when something is asked. May not import anything of the program but ``model.states``, ``text`` and ``errors``.

* ``topics`` — what can be asked: ``find_topic``, ``topic_names``, ``complete_topic``, ``topics``, ``parameter_names``
* ``answers`` — ``state_explanation`` and ``parameter_explanation`` make an ``explanation.Explanation``, plain data
* ``render`` — that as lines of a given width, as text, Markdown and JSON
* ``laws`` — how long the kernel lets a socket live; ``bounds`` — which parameters feed which law
* ``knowledge`` — the data files, read and checked; how a language or an entry is added

This module imports none of them, so that the package costs nothing until something is asked.
"""
