"""Samples that tell who holds their sockets."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tcptui.model.owners import Holders, Owners, Process, no_owners, owners_of
from tcptui.model.sample import Sample, Whereabouts
from tests.model.random_tables import Socket, sample_of

NGINX_PATH, JAVA_PATH = "/system.slice/nginx.service", "/system.slice/java.service"
MASTER = Process(800, 4000, "nginx", "nginx: master process", 0, "root", NGINX_PATH)
WORKER = Process(812, 4100, "nginx", "nginx: worker process", 33, "www-data", NGINX_PATH)
JAVA = Process(900, 5000, "java", "/usr/bin/java -jar shop.jar", 91, "tomcat", JAVA_PATH)
SSHD = Process(640, 1200, "sshd", "sshd: /usr/sbin/sshd -D", 0, "root", "/system.slice/ssh.service")


def whereabouts_of(
    holders: Mapping[int, Holders], cgroups: Mapping[int, str] | None = None, **known: object
) -> Whereabouts:
    """Who holds which inode; ``known`` are further fields of ``Owners``."""
    return Whereabouts(owners_of(holders, **known), cgroups or {})


def held_sample_of(
    sockets: Iterable[Socket], owners: Owners | None = None, cgroups: Mapping[int, str] | None = None, **known: object
) -> Sample:
    """A sample with these sockets, their owners and the paths of their cgroups; ``known`` are further fields of it."""
    sample = replace(sample_of(sockets), whereabouts=Whereabouts(owners or no_owners(), cgroups or {}))
    return replace(sample, **known)  # type: ignore[arg-type] # checked by callers
