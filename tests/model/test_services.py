"""Paths of cgroups as machines have them, and the names that people know for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptui.model import services
from tcptui.model.services import NO_SERVICE, Service, ServiceKind, service_of, services_of
from tcptui.query.mask import cgroup_test
from tcptui.query.syntax import ServiceTest
from tcptui.text import printable

UNIT, SESSION, SLICE = ServiceKind.UNIT, ServiceKind.SESSION, ServiceKind.SLICE
CONTAINER, POD, MACHINE, OTHER = ServiceKind.CONTAINER, ServiceKind.POD, ServiceKind.MACHINE, ServiceKind.OTHER

Row = tuple[str, ServiceKind, str, str]
"""A path, and what it is read as."""

ID = "3f2a9c0d1e2f" + "ab" * 26
"""A container's; ``docker ps`` shows the part before the plus."""
INNER = "0123456789ab" + "cd" * 26
BUILD = "n4eu0udvbz9vfzjy71jkvgkwh"
UID = "9f0c1a2b-3c4d-5e6f-7a8b-9c0d1e2f3a4b"
UID_ = UID.replace("-", "_")
STATIC_UID = "36b6d6be73b1065af369b3985edafa09"
TASK = "55091c13-b8cf-4801-b527-f4601742204d"
TASK_HEX = "5a0d5ceddf6c44c1928d367a815d890f"

SYSTEM = "/system.slice"
USER = "/user.slice/user-1000.slice"
MANAGER = f"{USER}/user@1000.service"
KIND = "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice"
PODS = "/kubepods.slice/kubepods-burstable.slice"
POD_SLICE = f"kubepods-burstable-pod{UID_}.slice"

UNITS: list[Row] = [
    (f"{SYSTEM}/nginx.service", UNIT, "nginx.service", "nginx.service"),
    (f"{SYSTEM}/ssh.service/", UNIT, "ssh.service", "ssh.service"),
    (f"{SYSTEM}/docker.service/payload", UNIT, "docker.service", "docker.service"),
    (f"{SYSTEM}/foo.service/system.slice/bar.service", UNIT, "foo.service", "foo.service"),
    (f"{SYSTEM}/foo.service/{'ab' * 16}", UNIT, "foo.service", "foo.service"),
    (f"{SYSTEM}/system-getty.slice/getty@tty1.service", UNIT, "getty@tty1.service", "getty@tty1.service"),
    (
        f"{SYSTEM}/system-postgresql.slice/postgresql@16-main.service",
        UNIT,
        "postgresql@16-main.service",
        "postgresql@16-main.service",
    ),
    (f"{SYSTEM}/foo@\\x2dbar.service", UNIT, "foo@\\x2dbar.service", "foo@\\x2dbar.service"),
    (f"{SYSTEM}/foo@-bar.service", UNIT, "foo@-bar.service", "foo@-bar.service"),
    (f"{SYSTEM}/_cpu.service", UNIT, "cpu.service", "_cpu.service"),
    (f"{SYSTEM}/systemd-udevd.service/udev", UNIT, "systemd-udevd.service", "systemd-udevd.service"),
    (f"{SYSTEM}/boot-efi.mount", UNIT, "boot-efi.mount", "boot-efi.mount"),
    (f"{SYSTEM}/cups.socket", UNIT, "cups.socket", "cups.socket"),
    (f"{SYSTEM}/run-u12.scope", UNIT, "run-u12.scope", "run-u12.scope"),
    ("/init.scope", UNIT, "init.scope", "init.scope"),
    ("/app.slice/app-web.slice/web.service", UNIT, "web.service", "web.service"),
    ("/wsl/system.slice/nginx.service", UNIT, "nginx.service", "nginx.service"),
    ("/../../system.slice/nginx.service", UNIT, "nginx.service", "nginx.service"),
    ("/openrc.nginx", UNIT, "openrc nginx", "openrc.nginx"),
    ("/openrc_nginx", UNIT, "openrc nginx", "openrc_nginx"),
    ("/rc/nginx/worker", UNIT, "openrc nginx", "nginx"),
    (SYSTEM, SLICE, "system.slice", "system.slice"),
    (
        f"{SYSTEM}/system-openvpn\\x2dserver.slice",
        SLICE,
        "system-openvpn\\x2dserver.slice",
        "system-openvpn\\x2dserver.slice",
    ),
]

USERS: list[Row] = [
    (f"{USER}/session-3.scope", SESSION, "user 1000 session 3", "session-3.scope"),
    (f"{USER}/session-c1.scope/below", SESSION, "user 1000 session c1", "session-c1.scope"),
    ("/user.slice/user-0.slice/session-14.scope", SESSION, "user 0 session 14", "session-14.scope"),
    ("/../session-7.scope", SESSION, "session 7", "session-7.scope"),
    (MANAGER, UNIT, "user@1000.service", "user@1000.service"),
    (f"{MANAGER}/init.scope", UNIT, "user 1000 init.scope", "init.scope"),
    (f"{MANAGER}/app.slice", SLICE, "user 1000 app.slice", "app.slice"),
    (f"{MANAGER}/app.slice/foo.service", UNIT, "user 1000 foo.service", "foo.service"),
    (f"{MANAGER}/app.slice/app-foo-123.scope", UNIT, "user 1000 app-foo-123.scope", "app-foo-123.scope"),
    (f"{MANAGER}/session.slice/pipewire.service/sub", UNIT, "user 1000 pipewire.service", "pipewire.service"),
    (f"{MANAGER}/app.slice/session-3.scope", UNIT, "user 1000 session-3.scope", "session-3.scope"),
    (f"{MANAGER}/app.slice/user@0.service/x.service", UNIT, "user 1000 user@0.service", "user@0.service"),
    (f"{MANAGER}/user.slice/podman-239302.scope", UNIT, "user 1000 podman-239302.scope", "podman-239302.scope"),
    (f"{USER}/user-runtime-dir@1000.service", UNIT, "user-runtime-dir@1000.service", "user-runtime-dir@1000.service"),
    (USER, SLICE, "user-1000.slice", "user-1000.slice"),
]

DOCKER: list[Row] = [
    (f"/docker/{ID}", CONTAINER, "docker 3f2a9c0d1e2f", ID),
    (f"{SYSTEM}/docker-{ID}.scope", CONTAINER, "docker 3f2a9c0d1e2f", f"docker-{ID}.scope"),
    (f"{SYSTEM}/docker-{ID}.scope/init.scope", CONTAINER, "docker 3f2a9c0d1e2f", f"docker-{ID}.scope"),
    (f"{SYSTEM}/docker-{ID}.scope/system.slice/a.service", CONTAINER, "docker 3f2a9c0d1e2f", f"docker-{ID}.scope"),
    (f"{SYSTEM}/docker-{ID}.scope/{'ab' * 16}", CONTAINER, "docker 3f2a9c0d1e2f", f"docker-{ID}.scope"),
    (f"/docker-ce/docker/{ID}", CONTAINER, "docker 3f2a9c0d1e2f", ID),
    (f"/docker/{ID}/docker/{INNER}", CONTAINER, "docker 0123456789ab in docker 3f2a9c0d1e2f", INNER),
    (
        f"{SYSTEM}/docker-{ID}.scope/docker/{INNER}/worker",
        CONTAINER,
        "docker 0123456789ab in docker 3f2a9c0d1e2f",
        INNER,
    ),
    (f"{MANAGER}/user.slice/docker-{ID}.scope", CONTAINER, "user 1000 docker 3f2a9c0d1e2f", f"docker-{ID}.scope"),
    (f"/docker/buildkit/{BUILD}", CONTAINER, "buildkit n4eu0udvbz9v", BUILD),
    (f"/docker/{BUILD}", CONTAINER, "buildkit n4eu0udvbz9v", BUILD),
    (
        f"{SYSTEM}/docker-{ID}.scope/buildkit/{BUILD}",
        CONTAINER,
        "buildkit n4eu0udvbz9v in docker 3f2a9c0d1e2f",
        BUILD,
    ),
    (f"{SYSTEM}/system.slice:docker:{BUILD}", CONTAINER, "buildkit n4eu0udvbz9v", f"system.slice:docker:{BUILD}"),
    (f"/system.slice:docker:{ID}", CONTAINER, "docker 3f2a9c0d1e2f", f"system.slice:docker:{ID}"),
    (f"/actions_job/{ID}", CONTAINER, "actions_job 3f2a9c0d1e2f", ID),
    (f"/batch.slice/{ID}", CONTAINER, "container 3f2a9c0d1e2f", ID),
    (f"/{ID}", CONTAINER, "container 3f2a9c0d1e2f", ID),
    (f"/../{ID}", CONTAINER, "container 3f2a9c0d1e2f", ID),
    ("/docker", OTHER, "/docker", "docker"),
    (f"{SYSTEM}/snap.docker.dockerd.service", UNIT, "snap.docker.dockerd.service", "snap.docker.dockerd.service"),
    (f"{SYSTEM}/docker-{ID}.service", UNIT, f"docker-{ID}.service", f"docker-{ID}.service"),
    (f"{SYSTEM}/docker-{ID[1:]}.scope", UNIT, f"docker-{ID[1:]}.scope", f"docker-{ID[1:]}.scope"),
]

OTHER_RUNTIMES: list[Row] = [
    (f"/default/{ID}", CONTAINER, "containerd 3f2a9c0d1e2f", ID),
    ("/default/redis/worker", CONTAINER, "containerd redis", "redis"),
    (f"/k8s.io/{ID}", CONTAINER, "containerd 3f2a9c0d1e2f", ID),
    (f"{SYSTEM}/nerdctl-{ID}.scope", CONTAINER, "nerdctl 3f2a9c0d1e2f", f"nerdctl-{ID}.scope"),
    (f"{MANAGER}/user.slice/nerdctl-{ID}.scope", CONTAINER, "user 1000 nerdctl 3f2a9c0d1e2f", f"nerdctl-{ID}.scope"),
    (f"{SYSTEM}/runc-{ID}.scope", CONTAINER, "runc 3f2a9c0d1e2f", f"runc-{ID}.scope"),
    (f"{SYSTEM}/cri-containerd-{ID}.scope", CONTAINER, "cri 3f2a9c0d1e2f", f"cri-containerd-{ID}.scope"),
    (f"/machine.slice/libpod-{ID}.scope", CONTAINER, "podman 3f2a9c0d1e2f", f"libpod-{ID}.scope"),
    (f"/machine.slice/libpod-{ID}.scope/container", CONTAINER, "podman 3f2a9c0d1e2f", f"libpod-{ID}.scope"),
    (
        f"/machine.slice/libpod-conmon-{ID}.scope",
        CONTAINER,
        "podman conmon 3f2a9c0d1e2f",
        f"libpod-conmon-{ID}.scope",
    ),
    (
        f"/machine.slice/machine-libpod_pod_{INNER}.slice/libpod-{ID}.scope",
        CONTAINER,
        "podman 3f2a9c0d1e2f",
        f"libpod-{ID}.scope",
    ),
    (f"/libpod_parent/libpod-{ID}", CONTAINER, "podman 3f2a9c0d1e2f", f"libpod-{ID}"),
    (
        f"{MANAGER}/user.slice/libpod-{ID}.scope/container",
        CONTAINER,
        "user 1000 podman 3f2a9c0d1e2f",
        f"libpod-{ID}.scope",
    ),
    (f"{SYSTEM}/redis.service/libpod-payload-{ID}", UNIT, "redis.service", "redis.service"),
    (f"{SYSTEM}/redis.service/runtime", UNIT, "redis.service", "redis.service"),
    (f"{MANAGER}/app.slice/redis.service/libpod-payload-{ID}", UNIT, "user 1000 redis.service", "redis.service"),
    (f"/../libpod-payload-{ID}", CONTAINER, "podman 3f2a9c0d1e2f", f"libpod-payload-{ID}"),
    (f"/ecs/{TASK}/{ID}", CONTAINER, "ecs 55091c13/3f2a9c0d1e2f", ID),
    (f"/ecs/web-cluster/{TASK_HEX}/{ID}", CONTAINER, "ecs 5a0d5ced/3f2a9c0d1e2f", ID),
    (f"/ecs/{TASK_HEX}/{TASK_HEX}-4015103728", CONTAINER, "ecs 5a0d5ced/4015103728", f"{TASK_HEX}-4015103728"),
    (
        f"/ecstasks.slice/ecstasks-{TASK_HEX}.slice/docker-{ID}.scope",
        CONTAINER,
        "ecs 5a0d5ced/3f2a9c0d1e2f",
        f"docker-{ID}.scope",
    ),
]

KUBERNETES: list[Row] = [
    (f"{PODS}/{POD_SLICE}/cri-containerd-{ID}.scope", POD, "pod 9f0c1a2b/3f2a9c0d1e2f", f"cri-containerd-{ID}.scope"),
    (f"{PODS}/{POD_SLICE}/crio-{ID}.scope/container", POD, "pod 9f0c1a2b/3f2a9c0d1e2f", f"crio-{ID}.scope"),
    (f"{PODS}/{POD_SLICE}/docker-{ID}.scope", POD, "pod 9f0c1a2b/3f2a9c0d1e2f", f"docker-{ID}.scope"),
    (f"{PODS}/{POD_SLICE}/crio-conmon-{ID}.scope", POD, "pod 9f0c1a2b/conmon 3f2a9c0d1e2f", f"crio-conmon-{ID}.scope"),
    (f"{SYSTEM}/crio-conmon-{ID}.scope", CONTAINER, "crio conmon 3f2a9c0d1e2f", f"crio-conmon-{ID}.scope"),
    (f"/kubepods.slice/kubepods-pod{UID_}.slice/crio-{ID}.scope", POD, "pod 9f0c1a2b/3f2a9c0d1e2f", f"crio-{ID}.scope"),
    (
        f"{PODS}/kubepods-burstable-pod{STATIC_UID}.slice/crio-{ID}.scope",
        POD,
        "pod 36b6d6be/3f2a9c0d1e2f",
        f"crio-{ID}.scope",
    ),
    (f"/kubepods/besteffort/pod{UID}/{ID}", POD, "pod 9f0c1a2b/3f2a9c0d1e2f", ID),
    (f"/kubepods/pod{UID}/crio-{ID}", POD, "pod 9f0c1a2b/3f2a9c0d1e2f", f"crio-{ID}"),
    (f"/kubelet/kubepods/burstable/pod{UID}/{ID}", POD, "pod 9f0c1a2b/3f2a9c0d1e2f", ID),
    (f"{PODS}/{POD_SLICE}", POD, "pod 9f0c1a2b", POD_SLICE),
    (f"/kubepods/besteffort/pod{UID}", POD, "pod 9f0c1a2b", f"pod{UID}"),
    (f"{PODS}/kubepods-burstable-podweb.slice/crio-{ID}.scope", CONTAINER, "crio 3f2a9c0d1e2f", f"crio-{ID}.scope"),
    (
        f"{SYSTEM}/containerd.service/{POD_SLICE}:cri-containerd:{ID}",
        POD,
        "pod 9f0c1a2b/3f2a9c0d1e2f",
        f"{POD_SLICE}:cri-containerd:{ID}",
    ),
    (f"/../../{POD_SLICE}/cri-containerd-{ID}.scope", POD, "pod 9f0c1a2b/3f2a9c0d1e2f", f"cri-containerd-{ID}.scope"),
    (
        f"{KIND}/kubelet-kubepods-besteffort-pod{UID_}.slice/cri-containerd-{ID}.scope",
        POD,
        "pod 9f0c1a2b/3f2a9c0d1e2f",
        f"cri-containerd-{ID}.scope",
    ),
    (
        f"/docker/{INNER}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{UID_}.slice/crio-{ID}.scope",
        POD,
        "pod 9f0c1a2b/3f2a9c0d1e2f in docker 0123456789ab",
        f"crio-{ID}.scope",
    ),
    (
        f"/kubepods/pod{UID}/{ID}/docker/{INNER}",
        CONTAINER,
        "docker 0123456789ab in pod 9f0c1a2b/3f2a9c0d1e2f",
        INNER,
    ),
    (f"{SYSTEM}/kubelet.service", UNIT, "kubelet.service", "kubelet.service"),
    ("/kubepods.slice", SLICE, "kubepods.slice", "kubepods.slice"),
]

MACHINES: list[Row] = [
    ("/lxc.payload.web1", CONTAINER, "lxc web1", "lxc.payload.web1"),
    ("/lxc.payload.web1/system.slice/nginx.service", CONTAINER, "lxc web1", "lxc.payload.web1"),
    ("/lxc.monitor.web1", CONTAINER, "lxc monitor web1", "lxc.monitor.web1"),
    ("/lxc.payload/web1/init.scope", CONTAINER, "lxc web1", "web1"),
    ("/lxc.monitor/web1", CONTAINER, "lxc monitor web1", "web1"),
    ("/lxc/100/ns/system.slice/cron.service", CONTAINER, "lxc 100", "100"),
    ("/lxc.payload.a/lxc.payload.web1", CONTAINER, "lxc web1 in lxc a", "lxc.payload.web1"),
    (
        f"/lxc.payload.a/system.slice/docker-{ID}.scope",
        CONTAINER,
        "docker 3f2a9c0d1e2f in lxc a",
        f"docker-{ID}.scope",
    ),
    (f"{MANAGER}/lxc.payload.web1", CONTAINER, "user 1000 lxc web1", "lxc.payload.web1"),
    ("/machine.slice/machine-web1.scope/payload", MACHINE, "machine web1", "machine-web1.scope"),
    ("/machine.slice/systemd-nspawn@web-1.service/payload", MACHINE, "machine web-1", "systemd-nspawn@web-1.service"),
    (
        "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator",
        MACHINE,
        "machine qemu-1-vm",
        "machine-qemu\\x2d1\\x2dvm.scope",
    ),
    ("/machine.slice/machine-caf\\xc3\\xa9.scope", MACHINE, "machine café", "machine-caf\\xc3\\xa9.scope"),
    ("/machine/qemu-2-vm.libvirt-qemu/emulator", MACHINE, "machine qemu-2-vm", "qemu-2-vm.libvirt-qemu"),
    ("/machine/prod.partition/db.libvirt-lxc", MACHINE, "machine db", "db.libvirt-lxc"),
]

STRANGE: list[Row] = [
    ("/", ServiceKind.ROOT, "no service", ""),
    ("", ServiceKind.ROOT, "no service", ""),
    ("//", ServiceKind.ROOT, "no service", ""),
    ("/../..", OTHER, "/../..", ".."),
    ("/podruntime/kubelet", OTHER, "/podruntime/kubelet", "kubelet"),
    ("/system.slice/by hand/x", OTHER, "/system.slice/by hand/x", "x"),
    ("/docker 3f2a9c0d1e2f", OTHER, "/docker 3f2a9c0d1e2f", "docker 3f2a9c0d1e2f"),
    ("/user 1000 session 3.scope", OTHER, "/user 1000 session 3.scope", "user 1000 session 3.scope"),
    ("/red\\x1b[31m\\x0a", OTHER, "/red\\x1b[31m\\x0a", "red\\x1b[31m\\x0a"),
    ("/a*b?c[d]", OTHER, "/a*b?c[d]", "a*b?c[d]"),
    ("/.service", OTHER, "/.service", ".service"),
    (f"/process_api/{STATIC_UID}", CONTAINER, "process_api 36b6d6be73b1", STATIC_UID),
    ("/machine.slice/machine-a\\x1b.scope", UNIT, "machine-a\\x1b.scope", "machine-a\\x1b.scope"),
    ("/machine.slice/machine-a\\x5cx1b.scope", UNIT, "machine-a\\x5cx1b.scope", "machine-a\\x5cx1b.scope"),
    ("/machine.slice/machine-a\\xff.scope", UNIT, "machine-a\\xff.scope", "machine-a\\xff.scope"),
    ("/machine.slice/machine-a-b.scope", UNIT, "machine-a-b.scope", "machine-a-b.scope"),
]

EVERY_PATH = [path for path, *_ in [*UNITS, *USERS, *DOCKER, *OTHER_RUNTIMES, *KUBERNETES, *MACHINES, *STRANGE]]


@pytest.mark.parametrize(("path", "kind", "name", "part"), UNITS)
def test_a_unit_has_all_that_is_below_it(path: str, kind: ServiceKind, name: str, part: str) -> None:
    assert service_of(path) == Service(kind, name, part)


@pytest.mark.parametrize(("path", "kind", "name", "part"), USERS)
def test_what_a_user_runs_goes_by_the_user(path: str, kind: ServiceKind, name: str, part: str) -> None:
    assert service_of(path) == Service(kind, name, part)


@pytest.mark.parametrize(("path", "kind", "name", "part"), [*DOCKER, *OTHER_RUNTIMES])
def test_a_container_goes_by_what_its_runtime_shows(path: str, kind: ServiceKind, name: str, part: str) -> None:
    assert service_of(path) == Service(kind, name, part)


@pytest.mark.parametrize(("path", "kind", "name", "part"), KUBERNETES)
def test_a_container_of_a_pod_goes_by_both(path: str, kind: ServiceKind, name: str, part: str) -> None:
    assert service_of(path) == Service(kind, name, part)


@pytest.mark.parametrize(("path", "kind", "name", "part"), MACHINES)
def test_a_machine_goes_by_the_name_it_was_given(path: str, kind: ServiceKind, name: str, part: str) -> None:
    assert service_of(path) == Service(kind, name, part)


@pytest.mark.parametrize(("path", "kind", "name", "part"), STRANGE)
def test_what_nobody_knows_goes_by_its_path(path: str, kind: ServiceKind, name: str, part: str) -> None:
    assert service_of(path) == Service(kind, name, part)


@pytest.mark.parametrize("path", EVERY_PATH)
def test_names_that_are_not_chosen_by_people_fit_a_column(path: str) -> None:
    """Units, machines and paths are as long as somebody made them; what is within something else is behind it."""
    service = service_of(path)
    shown = service.name.split(" in ")[0].removeprefix("user 1000 ")
    assert service.kind not in {CONTAINER, POD} or len(shown) <= len("pod 9f0c1a2b/conmon 3f2a9c0d1e2f")


# -- Whatever the path -------------------------------------------------------------------------------------------------

hexadecimal = st.text("0123456789abcdef", min_size=64, max_size=64)
components = st.one_of(
    st.sampled_from(sorted({part for path in EVERY_PATH for part in path.split("/") if part})),
    st.builds("{}-{}.scope".format, st.sampled_from(["docker", "libpod", "crio", "libpod-payload", "x"]), hexadecimal),
    st.builds("machine-{}.scope".format, st.text("ab-\\x2d5c1f", min_size=1)),
    st.text(st.characters(exclude_characters="/"), min_size=1, max_size=20).map(printable),
)
paths = st.lists(components, max_size=6).map(lambda parts: "/" + "/".join(parts))


@given(paths)
def test_every_path_has_a_service_that_the_filter_finds(path: str) -> None:
    service = service_of(path)
    assert service.name
    assert service.name.isprintable()
    if path == "/":
        assert service == NO_SERVICE
    else:
        assert service.part in path.split("/")
        assert cgroup_test(ServiceTest(service.part))(path)


@given(st.text())
def test_anything_that_is_no_path_has_a_service_too(text: str) -> None:
    assert service_of(printable(text)).name


@given(paths, st.sampled_from([f"{SYSTEM}/a.service", f"{MANAGER}/a.service", f"{USER}/session-3.scope"]))
def test_all_below_a_unit_that_is_no_container_is_the_units(below: str, unit: str) -> None:
    service = service_of(unit + below)
    assert service == service_of(unit) or service.kind in {CONTAINER, POD, MACHINE}


@given(
    st.lists(hexadecimal | hexadecimal.map(lambda text: ID[:12] + text[12:]), min_size=2, unique=True),
    st.sampled_from(
        [
            "/docker/{}",
            f"{SYSTEM}/docker-{{}}.scope",
            f"{SYSTEM}/docker-{ID}.scope/docker/{{}}/worker",
            f"{SYSTEM}/docker-{{}}.scope/docker/{INNER}",
            f"{PODS}/{POD_SLICE}/cri-containerd-{{}}.scope",
            f"{MANAGER}/user.slice/libpod-{{}}.scope/container",
            f"/ecs/{TASK}/{{}}",
        ]
    ),
)
def test_two_containers_never_share_a_name(ids: list[str], shape: str) -> None:
    """Also where their ids begin alike."""
    named = [service.name for service in services_of([shape.format(each) for each in ids])]
    assert len(set(named)) == len(ids)


def test_a_container_inside_another_cannot_pass_for_one_outside() -> None:
    """Whoever may write to a cgroup tree of his own can name a cgroup after any container."""
    trees = ["/system.slice", f"{MANAGER}/user.slice", "/user.slice/user-1.slice", "/lxc.payload.a", f"/docker/{INNER}"]
    assert len({service_of(f"{tree}/docker-{ID}.scope").name for tree in trees}) == len(trees)


def test_ids_are_in_full_only_where_they_begin_alike() -> None:
    alike = f"{ID[:12]}{'0' * 52}"
    one, other, third = services_of([f"/docker/{ID}", f"/docker/{alike}", f"/docker/{INNER}"])
    assert (one.name, other.name, third.name) == (f"docker {ID}", f"docker {alike}", "docker 0123456789ab")
    assert services_of([f"/docker/{ID}"] * 2) == (service_of(f"/docker/{ID}"),) * 2


def test_units_stay_apart_that_unescaping_would_merge() -> None:
    names = [service_of(f"{SYSTEM}/{unit}").name for unit in ("a\\x2db.service", "a-b.service")]
    assert names == ["a\\x2db.service", "a-b.service"]


def test_a_path_is_read_once() -> None:
    read = services._read
    read.cache_clear()
    services_of([f"{SYSTEM}/a.service", f"{SYSTEM}/b.service"])
    services_of([f"{SYSTEM}/a.service", f"{SYSTEM}/b.service"])
    service_of(f"{SYSTEM}/a.service")
    assert (read.cache_info().misses, read.cache_info().hits) == (2, 3)
    assert read.cache_info().maxsize is not None
