"""The program against real sockets in network namespaces, compared with ss."""
