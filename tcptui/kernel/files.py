"""Files of /proc that are opened once, in the namespace they describe, and read again for every sample.

The kernel ties an open file of ``/proc/net`` or ``/proc/sys/net`` to the namespace of the thread that opened it, so a
later read from any thread still tells of that namespace.
"""

import errno
import os

_LEAST_CHUNK, _MOST_CHUNK = 4096, 256 * 1024
"""Bytes to read at once: twice as many as the file had the last time, since room that is not needed takes time too."""


class ProcFile:
    """An open file of /proc."""

    def __init__(self, path: str) -> None:
        """Open ``path``.

        Raises:
            OSError: it is absent or may not be read.
        """
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._chunk = _LEAST_CHUNK

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    @property
    def is_writable_by_somebody(self) -> bool:
        """Whether anybody may write it: by its mode, which binds root too (``test_perm()``), and that of the mount."""
        is_mounted_read_only = os.fstatvfs(self._descriptor).f_flag & os.ST_RDONLY
        return bool(os.fstat(self._descriptor).st_mode & 0o222) and not is_mounted_read_only

    def read(self) -> bytes:
        """The whole content as it is now.

        Raises:
            OSError: the kernel refuses.
        """
        parts = []
        position = 0
        while part := os.pread(self._descriptor, self._chunk, position):
            parts.append(part)
            position += len(part)
        self._chunk = min(max(2 * position, _LEAST_CHUNK), _MOST_CHUNK)
        return b"".join(parts)


def open_proc_file(path: str) -> ProcFile | OSError:
    """The open file, or why there is none."""
    try:
        return ProcFile(path)
    except OSError as error:
        return error


def parameter_path(name: str) -> str:
    """Where /proc has the kernel parameter ``net.ipv4.tcp_fin_timeout``."""
    return "/proc/sys/" + name.replace(".", "/")


def is_absent(error: OSError) -> bool:
    """Whether the kernel simply does not have the file."""
    return error.errno in (errno.ENOENT, errno.ENOTDIR)
