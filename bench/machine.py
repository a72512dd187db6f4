"""What the machine is, and what a process has used of it; Linux's /proc alone."""

from __future__ import annotations

import os
import platform
from pathlib import Path

MEBIBYTE = 1024 * 1024


def machine_line() -> str:
    """The machine in one line: figures without it mean nothing."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    load = os.getloadavg()[0]
    return (
        f"{model}, {os.cpu_count()} cores, load {load:.1f} before; "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def rss_mebibytes(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used so far, its threads included."""
    # The second field is the name in brackets, which may hold blanks.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def open_sockets(pid: int) -> int:
    """Sockets that a process holds open."""
    links = Path(f"/proc/{pid}/fd").iterdir()
    return sum(str(link.readlink()).startswith("socket:") for link in links if link.is_symlink())


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))
