"""The injector (inject.c) in the hands of a test: a command of which one system call is to fail."""
import os
import select
import socket
import subprocess

BUILD = os.environ["BUILD_ROOT"]
INJECT = os.path.join(BUILD, "tests", "faults", "inject")


class Injected:
    """@command under the injector; @arguments as subprocess.Popen has them."""

    def __init__(self, command, nth=0, fault=0, role="any", **arguments):
        self.steering, theirs = socket.socketpair()
        self.text = b""
        self.steering.sendall(f"arm {role} {nth} {fault}\n".encode())
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

    def arm(self, role, nth, fault):
        self.steering.sendall(f"arm {role} {nth} {fault}\n".encode())
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


def run(command, nth, fault, seconds=60, role="any"):
    """(exit code, output, errors, what was planted): "fired CALL FAULT ROLE", "none CALL", "skipped CALL" or None
    where there are fewer than @nth calls. A run that does not end is subprocess.TimeoutExpired."""
    injected = Injected(command, nth, fault, role, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE)
    try:
        out, err = injected.process.communicate(timeout=seconds)
        planted = injected.line()
        return injected.process.returncode, out, err, None if planted.startswith("count") else planted
    finally:
        if injected.process.poll() is None:
            injected.process.kill()
            injected.process.wait()
        injected.close()
