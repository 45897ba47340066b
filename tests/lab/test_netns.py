"""A namespace is entered by one thread, left again whatever happens, and never outlives its context."""

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.commands import CommandError
from tests.support.netns import NetworkNamespace, namespaces_of_this_process
from tests.support.privileges import require_live

pytestmark = [pytest.mark.live, pytest.mark.timeout(30)]


def own_namespace() -> str:
    """The calling thread's network namespace, as the kernel names it."""
    return str(Path("/proc/thread-self/ns/net").readlink())


def test_only_the_calling_thread_enters(namespace: NetworkNamespace) -> None:
    """A poller in another thread must not be carried along."""
    home = own_namespace()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(own_namespace).result() == home
        with namespace.entered():
            assert own_namespace() != home
            assert pool.submit(own_namespace).result() == home

    assert own_namespace() == home


def test_an_error_inside_brings_the_thread_back(namespace: NetworkNamespace) -> None:
    """Or every later test would run in the wrong namespace."""
    home = own_namespace()
    with pytest.raises(KeyError), namespace.entered():
        raise KeyError

    assert own_namespace() == home


def test_a_socket_stays_where_it_was_made(namespace: NetworkNamespace) -> None:
    """A server in the namespace is reached by a client of the namespace, both used from outside."""
    with namespace.entered():
        server = socket.create_server(("127.0.0.1", 0))
        client = socket.socket()
    with server, client:
        client.connect(server.getsockname())
        server.accept()[0].close()
        assert str(server.getsockname()[1]) in namespace.run("ss", "-tlnH")


def test_a_command_that_fails_says_why(namespace: NetworkNamespace) -> None:
    """The command line and its standard error."""
    with pytest.raises(CommandError, match=r"link show nowhere.*does not exist"):
        namespace.ip("link", "show", "nowhere")


def test_a_namespace_is_gone_after_its_context_and_after_a_failed_beginning() -> None:
    """Names with a slash cannot be made."""
    require_live()
    with NetworkNamespace("a") as made:
        assert namespaces_of_this_process() == [made.name]
    with pytest.raises(CommandError), NetworkNamespace("a/b"):
        pass

    assert namespaces_of_this_process() == []


def test_a_parameter_is_only_ever_raised(namespace: NetworkNamespace) -> None:
    """Room that is there already is not taken away."""
    name = "net.core.somaxconn"
    namespace.write_sysctl(name, 100)
    namespace.raise_sysctl(name, 50)
    assert namespace.read_sysctl(name) == "100"
    namespace.raise_sysctl(name, 200)
    assert namespace.read_sysctl(name) == "200"
