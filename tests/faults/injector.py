"""The injector (inject.c) in the hands of a test: a command of which one system call is to fail."""
import mmap
import os
import select
import socket
import struct
import subprocess
import threading
import time

BUILD = os.environ["BUILD_ROOT"]
INTERPOSED = os.path.join(BUILD, "tests", "faults", "exporter_interposed")
INJECT = os.path.join(BUILD, "tests", "faults", "inject")


class Injected:
    """@command under the injector; @arguments as subprocess.Popen has them."""

    def __init__(self, command, nth=0, fault=0, role="any", call="", **arguments):
        self.steering, theirs = socket.socketpair()
        self.text = b""
        self.steering.sendall(f"arm {role} {nth} {fault} {call}\n".encode())
        try:
            self.process = subprocess.Popen([INJECT, str(theirs.fileno()), *command], pass_fds=[theirs.fileno()],
                                            **arguments)
        finally:
            theirs.close()
        assert self.line() == "armed"

    def line(self, seconds=60):
        """The injector's next line; None: there is none within @seconds, or it has ended."""
        while b"\n" not in self.text:
            if not select.select([self.steering], [], [], seconds)[0]:
                return None
            block = self.steering.recv(4096)
            if not block:
                return None
            self.text += block
        line, self.text = self.text.split(b"\n", 1)
        return line.decode()

    def arm(self, role, nth, fault, call=""):
        self.steering.sendall(f"arm {role} {nth} {fault} {call}\n".encode())
        while self.line() != "armed":
            pass

    def count(self):
        """Calls of the armed role since it was armed."""
        self.steering.sendall(b"count\n")
        while True:
            line = self.line()
            if line.startswith("count"):
                return int(line.split()[1])

    def close(self):
        self.steering.close()

    def command_pid(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            return int(file.read().split()[0])

    def end(self):
        """The injector last: without it each call of its command fails, even that to end."""
        self.close()
        self.process.wait()


def run(command, nth, fault, seconds=60, role="any", call=""):
    """(exit code, output, errors, what was planted): "fired CALL FAULT ROLE", "none CALL", "skipped CALL" or None
    where there are fewer than @nth calls. A run that does not end is subprocess.TimeoutExpired."""
    injected = Injected(command, nth, fault, role, call, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE)
    try:
        out, err = injected.process.communicate(timeout=seconds)
        planted = injected.line()
        assert planted is not None, f"the injector ended with {injected.process.returncode}: {err[-1000:]}"
        return injected.process.returncode, out, err, None if planted.startswith("count") else planted
    finally:
        if injected.process.poll() is None:
            injected.process.kill()
            injected.process.wait()
        injected.close()


class Orders:
    """What interpose.c is told, in memory that all processes of @INTERPOSED share: start them with popen()."""
    FD = 900
    LAYOUT = "=QQII"
    LOCK = threading.Lock()  # a process has one descriptor of that number
    ROLES = ("any", "main", "helper", "front", "scanner")

    def __init__(self):
        self.fd = os.memfd_create("orders")
        os.ftruncate(self.fd, mmap.PAGESIZE)
        self.memory = mmap.mmap(self.fd, mmap.PAGESIZE)

    def arm(self, nth, role="any"):
        struct.pack_into(self.LAYOUT, self.memory, 0, 0, 0, self.ROLES.index(role), 0)
        struct.pack_into("=Q", self.memory, 0, nth)

    def seen(self):
        return struct.unpack_from(self.LAYOUT, self.memory, 0)[1]

    def fired(self):
        return struct.unpack_from(self.LAYOUT, self.memory, 0)[3] > 0

    def popen(self, command, **arguments):
        with self.LOCK:
            os.dup2(self.fd, self.FD, inheritable=True)
            try:
                return subprocess.Popen(command, pass_fds=[self.FD], **arguments)
            finally:
                os.close(self.FD)

    def close(self):
        self.memory.close()
        os.close(self.fd)


class Allocations:
    """As Injected, of the allocations of @command, which is INTERPOSED: each has one fault."""
    NEVER = 2 ** 63

    def __init__(self, command, **arguments):
        self.orders = Orders()
        self.planted = None
        self.process = self.orders.popen(command, **arguments)

    def command_pid(self):
        return self.process.pid

    def arm(self, role, nth, fault, _call=""):
        self.planted = f"fired allocation {nth} {role}" if fault == 0 else "none allocation"
        self.orders.arm(nth if nth > 0 and fault == 0 else self.NEVER, role)

    def count(self):
        return self.orders.seen()

    def line(self, seconds):
        end = time.monotonic() + seconds
        while not self.planted.startswith("none") and not self.orders.fired():
            if time.monotonic() > end:
                return None
            time.sleep(0.01)
        return self.planted

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.orders.close()


def run_without_memory(command, nth, seconds=60):
    """As run(), of INTERPOSED with the Nth allocation failing."""
    orders = Orders()
    orders.arm(nth)
    try:
        process = orders.popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = process.communicate(timeout=seconds)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        return process.returncode, out, err, f"fired allocation {nth}" if orders.fired() else None
    finally:
        orders.close()
