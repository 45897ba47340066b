"""Interface names of another namespace, compared with what ip(8) says."""

import json
import os

import pytest

from tcptui.sources.names import machine_names
from tests.support.netns import NetworkNamespace

pytestmark = pytest.mark.live


def test_interfaces_are_those_of_the_namespace_that_is_looked_at(namespace: NetworkNamespace) -> None:
    namespace.ip("link", "add", "near0", "type", "veth", "peer", "name", "far0")
    said = {link["ifname"]: link["ifindex"] for link in json.loads(namespace.ip("-json", "link", "show"))}
    assert {"lo", "near0", "far0"} <= set(said)
    for netns in (namespace.name, str(namespace.path)):
        assert machine_names(netns=netns).interfaces == said
    assert "near0" not in machine_names().interfaces


def test_an_interface_made_before_the_first_look_is_seen(namespace: NetworkNamespace) -> None:
    names = machine_names(netns=namespace.name)
    namespace.ip("link", "add", "late0", "type", "veth", "peer", "name", "late1")
    assert "late0" in names.interfaces


def test_looking_leaves_this_thread_where_it_was(namespace: NetworkNamespace) -> None:
    before = os.readlink("/proc/thread-self/ns/net")
    assert list(machine_names(netns=namespace.name).interfaces) == ["lo"]
    assert os.readlink("/proc/thread-self/ns/net") == before
