"""What the kernel says of a process' rights, what SECURITY.md says of a role's, and how to get hold of the roles that live
for a moment only."""
import contextlib
import os
import re
import signal
import threading
import time

CAPABILITIES = {"CAP_SYS_PTRACE": 1 << 19, "CAP_DAC_READ_SEARCH": 1 << 2}


def status(pid):
    """{field: text} of /proc/PID/status."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        return dict(re.findall(r"^(\w+):\t?(.*)$", file.read(), re.M))


def caps(of, kind):
    return int(of["Cap" + kind], 16)


def allowed_caps():
    """{role: bits} of the table in SECURITY.md."""
    with open(os.path.join(os.environ["SOURCE_ROOT"], "SECURITY.md"), encoding="utf-8") as file:
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in file if line.startswith("|")]
    roles = next(row for row in rows if "keeper" in row)[1:]
    found = {role: 0 for role in roles}
    for name, bit in CAPABILITIES.items():
        for role, word in zip(roles, next(row for row in rows if row[0] == name)[1:], strict=True):
            found[role] |= bit if word == "yes" else 0
    return found


def is_holder(pid):
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        return not re.search(r"^Max cpu time +10 ", file.read(), re.M)


def children(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]
    return []


def descendants(pid):
    found = children(pid)
    return found + [pid for child in found for pid in descendants(child)]


def helpers(service):
    """{pid: role} of holders and resolvers that are confined already; told apart by their limits."""
    found, roles = {}, set(service.roles().values())
    for pid in set(children(service.process.pid)) - roles:
        with contextlib.suppress(OSError, KeyError):
            if status(pid)["Seccomp_filters"] > status(service.process.pid)["Seccomp_filters"]:
                found[pid] = "holder" if is_holder(pid) else "resolver"
    return found


def stopped(pid):
    """Whether @pid stands still from here on; not where it has ended meanwhile."""
    with contextlib.suppress(OSError, KeyError):
        os.kill(pid, signal.SIGSTOP)
        while (state := status(pid)["State"][0]) not in "TZX":
            time.sleep(0.0005)
        return state == "T"
    return False


@contextlib.contextmanager
def helper_at_work(service, role, ask=lambda: None, seconds=60):
    """The pid of a @role that stands still meanwhile; @ask is called again and again, on a thread of its own, until there
    is one."""
    limit, is_found = time.monotonic() + seconds, threading.Event()

    def repeat():
        while not is_found.is_set():
            with contextlib.suppress(OSError):
                ask()
            is_found.wait(0.01)

    def catch():
        while time.monotonic() < limit:
            for pid, kind in helpers(service).items():
                if kind != role or not stopped(pid):
                    continue
                # a holder lists the threads of its target between two waits
                if role == "resolver" or os.listdir(f"/proc/{pid}/fd") == ["0"]:
                    return pid
                os.kill(pid, signal.SIGCONT)
            time.sleep(0.0005)
        raise AssertionError(f"no {role} was seen at work")

    asking, pid = threading.Thread(target=repeat), None
    asking.start()
    try:
        pid = catch()
        yield pid
    finally:
        is_found.set()
        with contextlib.suppress(OSError):
            if pid:
                os.kill(pid, signal.SIGCONT)
        asking.join()
