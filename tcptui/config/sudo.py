"""Who has called sudo(8) to run the program as root, and whose a folder is."""

import os
import pwd


def callers_uid() -> int | None:
    """Who called sudo to run this as root; None where nobody did."""
    caller = os.environ.get("SUDO_UID", "")
    is_number = caller.isascii() and caller.isdecimal()
    return int(caller) if os.geteuid() == 0 and is_number and int(caller) > 0 else None


def home_of(uid: int) -> str:
    """A user's home; empty if there is no such user."""
    try:
        return pwd.getpwuid(uid).pw_dir
    except (KeyError, OverflowError):
        return ""


def belongs_to(path: str, uid: int) -> bool:
    """Whether the nearest folder on the way to ``path`` that exists is a user's: sudo may have kept their HOME."""
    folder = os.path.dirname(path)
    while not os.path.exists(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return os.stat(folder).st_uid == uid
