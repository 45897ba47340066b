"""What tests share: namespaces with real kernel sockets in known states, and the helpers those need.

Of the program only ``tcptui.model.states`` is used here, so that the lab judges the program and never repeats it.
"""
