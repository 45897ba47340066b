r"""The name that a person knows for a cgroup: its unit, session, container, pod or machine.

What is in a cgroup below a unit belongs to the unit, as systemd reads it (``src/basic/cgroup-util.c:
cg_path_get_unit()``); below a user's manager it belongs to that manager's unit. A container takes precedence over the
units around it, and the innermost one over those that it runs in, which are named behind it: two containers have two
names, also where one of them can name its own cgroups after the other. So does what a user runs begin with that user.

A unit keeps the name that ``systemctl`` takes, with its escapes: ``a\x2db`` and ``a-b`` are two units. Only the name
of a machine is unescaped (``systemd.unit(5)``, STRING ESCAPING), since ``machinectl`` takes it so.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from tcptui.language import mark, tr
from tcptui.text import printable


class ServiceKind(Enum):
    """What a cgroup was made for."""

    ROOT = "root"
    """Nothing: the root, where kernel threads are, and everything on a machine without a service manager."""
    UNIT = "unit"
    """A unit of the system's service manager, or of a user's."""
    SESSION = "session"
    """A user's login."""
    SLICE = "slice"
    """A slice itself, outside of its units."""
    CONTAINER = "container"
    POD = "pod"
    """A container of a Kubernetes pod, or the pod itself."""
    MACHINE = "machine"
    """A virtual machine, or a container that systemd-nspawn or libvirt runs."""
    OTHER = "other"
    """Something that nobody here knows; it goes by its path."""


@dataclass(frozen=True)
class Service:
    """Whose a cgroup is."""

    kind: ServiceKind
    name: str
    """Printable; the same for all cgroups of one service, and for those of no other."""
    part: str
    """The component of the path that the filter word ``service`` takes; empty for the root."""


NO_SERVICE = Service(ServiceKind.ROOT, mark("no service"), "")

_REMEMBERED = 16384
"""Paths whose services are remembered: a busy node's, at some 500 bytes each."""
_SHORT_ID = 12
"""Digits of a container's id that ``docker ps`` and ``podman ps`` show."""
_SHORT_GROUP = 8
"""Digits that a pod or task is recognised by."""


def service_of(path: str) -> Service:
    """The service that the cgroup at ``path`` belongs to, which is printable and begins at the root of its tree."""
    return _read(path)[0]


def services_of(paths: Sequence[str]) -> tuple[Service, ...]:
    """The service of each path; where two ids begin alike, their containers' names have all of them."""
    read = [_read(path) for path in paths]
    full_names = defaultdict(set)
    for service, full_name in read:
        full_names[service.name].add(full_name)
    return tuple(
        service if len(full_names[service.name]) == 1 else replace(service, name=full_name)
        for service, full_name in read
    )


def service_text(name: str) -> str:
    """What a person is shown of a service's name, which is in English as far as it has words in it."""
    if name == NO_SERVICE.name:
        return tr(name)
    if name.startswith("/"):
        return name
    user = _OF_USER.match(name)
    if user:
        return tr("user {uid} {service}", uid=user["uid"], service=service_text(name[user.end() :]))
    inner, within, outer = name.partition(" in ")
    if within:
        return tr("{inner} in {outer}", inner=service_text(inner), outer=service_text(outer))
    kind, _, rest = name.partition(" ")
    return tr(_WORDS_OF_NAMES[kind], name=rest) if rest and kind in _WORDS_OF_NAMES else name


_OF_USER = re.compile("user (?P<uid>[0-9]+) ")
_WORDS_OF_NAMES = {"session": mark("session {name}"), "machine": mark("machine {name}")}


@lru_cache(maxsize=_REMEMBERED)
def _read(path: str) -> tuple[Service, str]:
    """The service of a path, and its name with ids in full."""
    parts = [part for part in path.split("/") if part]
    if not parts:
        return NO_SERVICE, NO_SERVICE.name
    containers = _containers(parts)
    if containers:
        return _contained(parts, containers)
    service = _of_unit(parts) or _of_openrc(parts) or Service(ServiceKind.OTHER, "/" + "/".join(parts), parts[-1])
    return service, service.name


# -- Units -------------------------------------------------------------------------------------------------------------

# src/basic/unit-name.c: VALID_CHARS_WITH_AT; the types that have cgroups, src/core/unit.h: UNIT_HAS_CGROUP_CONTEXT()
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]+\.(?:service|scope|socket|mount|swap)")
_SLICE = re.compile(r"[A-Za-z0-9:_.\\-]+\.slice")
_MANAGER = re.compile(r"user@[0-9]+\.service")
_USER = re.compile(r"user-(?P<slice_uid>[0-9]+)\.slice|user@(?P<manager_uid>[0-9]+)\.service")
_SESSION = re.compile(r"session-(?P<id>[A-Za-z0-9]+)\.scope")
_OPENRC = re.compile(r"openrc[._](?P<name>.+)")


def _of_unit(parts: Sequence[str]) -> Service | None:
    """The first unit that is not a slice, below the user's manager if it is that; else the last slice."""
    units = [part for part in parts if _UNIT.fullmatch(part)]
    if units and _MANAGER.fullmatch(units[0]):
        return _of_manager(parts, units)
    if units:
        session = _SESSION.fullmatch(units[0])
        if session:
            user = _user_of(parts[: parts.index(units[0])])
            return Service(ServiceKind.SESSION, f"{user}session {session['id']}", units[0])
        return Service(ServiceKind.UNIT, _decoded(units[0]), units[0])
    if _SLICE.fullmatch(parts[-1]):
        return Service(ServiceKind.SLICE, _decoded(parts[-1]), parts[-1])
    return None


def _of_manager(parts: Sequence[str], units: Sequence[str]) -> Service:
    """What a user's manager runs, or the manager itself (``user@.service(5)``)."""
    if len(units) > 1:
        return Service(ServiceKind.UNIT, _user_of(units) + _decoded(units[1]), units[1])
    if _SLICE.fullmatch(parts[-1]):
        return Service(ServiceKind.SLICE, _user_of(units) + _decoded(parts[-1]), parts[-1])
    return Service(ServiceKind.UNIT, units[0], units[0])


def _user_of(parts: Sequence[str]) -> str:
    """The first user among the parts as the beginning of a name; empty where there is none."""
    found = next((match for part in parts if (match := _USER.fullmatch(part))), None)
    return f"user {found['slice_uid'] or found['manager_uid']} " if found else ""


def _decoded(part: str) -> str:
    """A unit's name without the underscore that keeps it apart from the kernel's own files.

    ``src/basic/cgroup-util.c: cg_escape()``: ``cpu.service`` would be one, so its cgroup is ``_cpu.service``.
    """
    return part.removeprefix("_")


def _of_openrc(parts: Sequence[str]) -> Service | None:
    """A service of OpenRC: ``/openrc.NAME``, ``/rc/NAME``, and on version 1 ``/openrc_NAME`` (``sh/rc-cgroup.sh``)."""
    if parts[0] == "rc" and len(parts) > 1:
        return Service(ServiceKind.UNIT, f"openrc {parts[1]}", parts[1])
    found = _OPENRC.fullmatch(parts[0])
    return Service(ServiceKind.UNIT, f"openrc {found['name']}", parts[0]) if found else None


# -- Containers --------------------------------------------------------------------------------------------------------


class _Place(NamedTuple):
    """One component of a path, and what is above it."""

    part: str
    outer: tuple[str, ...]
    """Up to three components above, the nearest last."""
    is_claimed: bool
    """Whether a unit or a container is above, to which it belongs unless it is a container for certain."""

    @property
    def parent(self) -> str:
        """The component above; empty at the root."""
        return self.outer[-1] if self.outer else ""


@dataclass(frozen=True)
class _Container:
    kind: ServiceKind
    name: str
    full_name: str
    """The name with ids in full."""
    part: str


def _contained(parts: Sequence[str], containers: Sequence[_Container]) -> tuple[Service, str]:
    """The innermost of some containers, within the others, of the user to whom the outermost belongs."""
    user = _user_of(parts[: parts.index(containers[0].part)])
    innermost = containers[-1]
    name = " in ".join(each.name for each in reversed(containers))
    full_name = " in ".join(each.full_name for each in reversed(containers))
    return Service(innermost.kind, user + name, innermost.part), user + full_name


def _containers(parts: Sequence[str]) -> list[_Container]:
    """The containers that a path leads into, outermost first; one of a pod stands for the pod too."""
    found: list[_Container] = []
    is_claimed = False
    for index, part in enumerate(parts):
        place = _Place(part, tuple(parts[max(0, index - 3) : index]), is_claimed)
        container = next((made for shape in _SHAPES if (made := shape(place))), None)
        if container:
            if found and found[-1].part == place.parent and _POD.fullmatch(place.parent):
                found.pop()
            found.append(container)
        is_claimed = is_claimed or container is not None or _is_plain_unit(part)
    return found


def _is_plain_unit(part: str) -> bool:
    return _UNIT.fullmatch(part) is not None and not _MANAGER.fullmatch(part)


_LONG_ID = "[0-9a-f]{64}"
_BUILD_ID = "[0-9a-z]{25}"
"""``moby/buildkit: identity/randomid.go``."""
_WITH_RUNTIME = re.compile(rf"(?P<runtime>[A-Za-z0-9_.-]+)-(?P<id>{_LONG_ID})(?:\.scope)?")
_UNEXPANDED = re.compile(rf"(?P<slice>[^:]+\.slice):(?P<runtime>[^:]+):(?P<id>{_LONG_ID}|{_BUILD_ID})")
_BARE = re.compile(rf"(?P<id>{_LONG_ID}|[0-9a-f]{{32}})(?:\.scope)?")
_BUILD = re.compile(_BUILD_ID)
_RUNTIME_NAMES = {
    "cri-containerd": "cri",
    "crio-conmon": "crio conmon",
    "libpod": "podman",
    "libpod-conmon": "podman conmon",
    "libpod-payload": "podman",
}
"""What people call a runtime that names its scopes otherwise. ``conmon`` is what watches a container from outside."""
_PARENT_NAMES = {
    "docker": "docker",
    "moby": "docker",
    "buildkit": "buildkit",
    "cri-containerd": "cri",
    "default": "containerd",
    "k8s.io": "containerd",
}
"""The runtime whose containers are below a cgroup of this name; containerd's go by its namespaces."""
_TASK_DIGITS = 32
_UID = "[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32}"
_POD = re.compile(rf"(?:.*-)?pod(?P<uid>{_UID})(?:\.slice)?")
_ECS_SLICE = re.compile(r"ecs-?tasks-(?P<task>.+)\.slice")
_FARGATE = re.compile(r"(?P<task>[0-9a-f]{32})-(?P<id>[0-9]+)")
_LXC = re.compile(r"lxc\.(?P<role>payload|monitor)\.(?P<name>.+)")
_LXC_PARENTS = {"lxc": "lxc", "lxc.payload": "lxc", "lxc.monitor": "lxc monitor"}
_MACHINE_SCOPE = re.compile(r"machine-(?P<name>.+)\.scope")
_NSPAWN = re.compile(r"systemd-nspawn@(?P<name>.+)\.service")
_LIBVIRT = re.compile(r"(?P<name>.+)\.libvirt-(?:qemu|lxc)")
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")


def _pod(place: _Place) -> _Container | None:
    """A Kubernetes pod.

    ``kubernetes: pkg/kubelet/cm: GetPodCgroupNameSuffix(), ToSystemd()``: ``pod<uid>`` with the cgroupfs driver,
    ``kubepods-<class>-pod<uid>.slice`` with that of systemd, which writes the dashes of the uid as underscores; both
    below ``kubelet`` where that has a root of its own, as in kind. The uid of a static pod is a hash.
    """
    found = _POD.fullmatch(place.part)
    if not found:
        return None
    uid = _uid_of(found)
    return _Container(ServiceKind.POD, f"pod {uid[:_SHORT_GROUP]}", f"pod {uid}", place.part)


def _with_runtime(place: _Place) -> _Container | None:
    """``RUNTIME-<id>.scope`` of a runtime with the systemd driver, or the same without ending of CRI-O or podman.

    ``opencontainers/cgroups: systemd/common.go: getUnitName()``; ``podman: libpod/container.go: CGroupPath()``.
    """
    found = _WITH_RUNTIME.fullmatch(place.part)
    # podman run --cgroups=split, as in Quadlet's units: the unit was made for this container and its name says more
    if not found or (found["runtime"] == "libpod-payload" and place.is_claimed):
        return None
    return _numbered(found["runtime"], found["id"], place)


def _unexpanded(place: _Place) -> _Container | None:
    """``SLICE:RUNTIME:<id>``: runc's notation for systemd, taken for a name by a runtime with the cgroupfs driver.

    So are BuildKit's steps in dockerd (moby/moby#45796), and containers where containerd and the kubelet disagree
    (kubernetes/kubernetes#106514).
    """
    found = _UNEXPANDED.fullmatch(place.part)
    if not found:
        return None
    runtime = "buildkit" if _BUILD.fullmatch(found["id"]) else found["runtime"]
    return _numbered(runtime, found["id"], place, found["slice"])


def _bare(place: _Place) -> _Container | None:
    """An id alone, of a runtime with the cgroupfs driver: ``/docker/<id>``, ``/kubepods/pod<uid>/<id>``, ``/x/<id>``.

    Any parent may be asked for (``docker run --cgroup-parent``); below a unit it has to be a known one.
    """
    found = _BARE.fullmatch(place.part)
    if not found or (place.is_claimed and not _is_home(place)):
        return None
    if "ecs" in place.outer[-2:] and len(found["id"]) == _TASK_DIGITS:
        return None  # the task, whose containers are below it
    is_nameless = place.parent in {"", ".."} or _SLICE.fullmatch(place.parent)
    runtime = _PARENT_NAMES.get(place.parent, "container" if is_nameless else place.parent)
    return _numbered(runtime, found["id"], place)


def _is_home(place: _Place) -> bool:
    """Whether what is above has containers below it wherever it stands."""
    return place.parent in _PARENT_NAMES or bool(_POD.fullmatch(place.parent) or _task_of(place.outer))


def _build_step(place: _Place) -> _Container | None:
    """``/docker/buildkit/<id>``: a step of a build; ``moby: cmd/dockerd/daemon_unix.go: newCgroupParent()``."""
    if place.parent not in {"docker", "buildkit"} or not _BUILD.fullmatch(place.part):
        return None
    return _numbered("buildkit", place.part, place)


def _fargate(place: _Place) -> _Container | None:
    """``/ecs/<task>/<task>-<number>``, on Fargate (``DataDog/dd-trace-go: internal/container_linux.go``)."""
    found = _FARGATE.fullmatch(place.part)
    return _numbered("ecs", found["id"], place) if found and _task_of(place.outer) else None


def _numbered(runtime: str, number: str, place: _Place, slice_name: str = "") -> _Container:
    """A container with a number, in a pod or task if it is directly below one or ``slice_name`` is one's."""
    pod = _POD.fullmatch(slice_name or place.parent)
    task = _task_of(place.outer)
    if not pod and not task:
        name = _RUNTIME_NAMES.get(runtime, runtime)
        return _Container(ServiceKind.CONTAINER, f"{name} {number[:_SHORT_ID]}", f"{name} {number}", place.part)
    kind, group, uid = (ServiceKind.POD, "pod", _uid_of(pod)) if pod else (ServiceKind.CONTAINER, "ecs", task)
    role = "conmon " if runtime.endswith("-conmon") else ""
    name = f"{group} {uid[:_SHORT_GROUP]}/{role}{number[:_SHORT_ID]}"
    return _Container(kind, name, f"{group} {uid}/{role}{number}", place.part)


def _uid_of(pod: re.Match[str]) -> str:
    return pod["uid"].replace("_", "-")


def _task_of(outer: Sequence[str]) -> str:
    """The ECS task directly above; empty where there is none.

    ``/ecs/<task>`` or ``/ecs/<cluster>/<task>`` (``aws/amazon-ecs-agent#1119``), and on version 2
    ``ecstasks-<task>.slice`` (``aws/amazon-ecs-agent#3127``).
    """
    if not outer:
        return ""
    found = _ECS_SLICE.fullmatch(outer[-1])
    if found:
        return found["task"]
    return outer[-1] if "ecs" in outer[-3:-1] else ""


def _lxc(place: _Place) -> _Container | None:
    """A container of LXC, LXD or Incus.

    ``lxc.payload.NAME`` (``src/lxc/cgroups/cgroup.h: DEFAULT_PAYLOAD_CGROUP_PREFIX``), ``lxc.payload/NAME`` in 3.1
    (``lxc/lxc#2782``), ``lxc/NAME`` before and in Proxmox. The monitor is what started it, outside.
    """
    found = _LXC.fullmatch(place.part)
    if found:
        name = f"{'lxc monitor' if found['role'] == 'monitor' else 'lxc'} {found['name']}"
    elif place.parent in _LXC_PARENTS:
        name = f"{_LXC_PARENTS[place.parent]} {place.part}"
    else:
        return None
    return _Container(ServiceKind.CONTAINER, name, name, place.part)


def _machine(place: _Place) -> _Container | None:
    r"""What ``machinectl`` lists, and libvirt's machines without systemd.

    ``machine-NAME.scope`` with the name escaped (``systemd: src/machine/machine-dbus.c``; ``libvirt:
    src/util/virsystemd.c: virSystemdMakeScopeName()``), ``systemd-nspawn@NAME.service`` with the name as it is
    (``%i`` in that unit), and ``/machine/NAME.libvirt-qemu`` (libvirt.org/cgroups.html).
    """
    scope = _MACHINE_SCOPE.fullmatch(place.part)
    found = _NSPAWN.fullmatch(place.part) or _LIBVIRT.fullmatch(place.part)
    machine = _unescaped(scope["name"]) if scope else found["name"] if found else ""
    if not machine:
        return None
    return _Container(ServiceKind.MACHINE, f"machine {machine}", f"machine {machine}", place.part)


def _unescaped(name: str) -> str:
    r"""A machine's name out of a unit's; empty where it cannot have been escaped so.

    A bare dash would be a slash (``src/basic/unit-name.c: unit_name_unescape()``), which no machine's name has, and
    what is not printable, or a backslash, would read like another name.
    """
    if "-" in name or not name.isascii():
        return ""
    encoded = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name).encode("latin-1")
    text = encoded.decode(errors="replace")
    return text if printable(text) == text and not set(text) & set("\\/\ufffd") else ""


def _named_by_containerd(place: _Place) -> _Container | None:
    """``/default/NAME``: what ``ctr run`` started in the namespace ``default``, under a name that was chosen."""
    if place.outer != ("default",):
        return None
    name = f"containerd {place.part}"
    return _Container(ServiceKind.CONTAINER, name, name, place.part)


_SHAPES = (
    _pod,
    _with_runtime,
    _unexpanded,
    _bare,
    _build_step,
    _fargate,
    _lxc,
    _machine,
    _named_by_containerd,
)
