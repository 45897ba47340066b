"""Words as data: what TCP states, parameters, counters, options and columns mean, with this machine's values in them.

Pure: the caller hands the live values in; nothing is read but the package's own data files, once, and only when
something is asked. May not import anything of the program but ``model.states``, ``model.disk``, types of
``model.history``, ``language``, ``text``, ``wrapping`` and ``errors``.

* ``topics`` — what can be asked: ``find_topic``, ``topic_names``, ``complete_topic``, ``topics``, ``parameter_names``
* ``circumstances`` — what is known of the machine; ``commands`` — other tools' commands for what is selected
* ``answers`` — ``explanation`` makes an ``explanation.Explanation`` of any topic, plain data. What comes in which order
  is decided in ``state_answers``, ``parameter_answers`` and ``other_answers``; ``voice`` is what they share
* ``render`` — that as lines of a given width, as text, Markdown and JSON
* ``laws`` — how long the kernel lets a socket live; ``bounds`` — which parameters feed which law
* ``entries`` — what is known, typed; ``knowledge`` — the data files, read and checked; how to add a language or entry
* ``machine`` — the state machine, drawn

This module imports none of them, so that the package costs nothing until something is asked.
"""
