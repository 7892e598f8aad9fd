"""The link between front and scanner: broken while both live, or not read by the front."""
import contextlib
import ctypes
import os
import signal
import socket
import time
import unittest

from service import Service, Target, value

CONFIG = """
scan: {{interval: 100ms, timeout: 30s}}
limits: {{max_cpu: 6400%}}
discovery: {{interval: 200ms}}
process_names:
  - {{name: demo, pid: {demo}}}
"""
OK = 'malloc_scans_total{groupname="demo",result="ok"}'
RESTARTS = 'malloc_exporter_restarts_total{role="%s"}'
SCANS = 120  # a link takes what some 40 are told by
CONTROL = 3  # ROLE_CONTROL_FD
PIDFD_GETFD = 438  # the same number on every architecture


def link_of(pid):
    """Our own descriptor of the socket by which the scanner @pid speaks to the front."""
    found = [int(fd) for fd in os.listdir(f"/proc/{pid}/fd")
             if int(fd) > 2 and int(fd) != CONTROL and os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")]
    assert len(found) == 1, found
    pidfd = os.pidfd_open(pid)
    fd = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, pidfd, found[0], 0)
    os.close(pidfd)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return socket.socket(fileno=fd)


class Link(unittest.TestCase):
    def test_a_link_that_breaks_is_renewed(self):
        with Target("demo") as demo, Service(CONFIG.format(demo=[demo.pid])) as service:
            roles = service.roles()
            try:
                link = link_of(roles["scanner"])
            except PermissionError:
                self.skipTest("the kernel lets us have no descriptor of the scanner's")
            link.shutdown(socket.SHUT_RDWR)
            link.close()
            service.wait(lambda: service.roles().get("front") not in (None, roles["front"]), seconds=10)
            service.wait(lambda: value(service.metrics(), "malloc_up", demo.pid) == 1, seconds=10)
            metrics = service.metrics()
            self.assertEqual(service.roles()["scanner"], roles["scanner"])
            self.assertEqual(metrics[RESTARTS % "front"], 1)
            self.assertEqual(metrics[RESTARTS % "scanner"], 0)
            service.wait(lambda: service.metrics()[OK] > metrics[OK] + 3, seconds=10)

    def test_scans_go_on_while_the_front_does_not_read(self):
        with contextlib.ExitStack() as stack:
            pids = [stack.enter_context(Target("demo")).pid for _ in range(10)]
            service = stack.enter_context(Service(CONFIG.format(demo=pids)))
            front = service.roles()["front"]
            before = service.metrics()[OK]
            os.kill(front, signal.SIGSTOP)
            service.wait(lambda: service.roles().get("front") not in (None, front), seconds=60)
            scans = service.wait(lambda: service.metrics().get(OK), seconds=10) - before
            self.assertEqual(service.metrics()[RESTARTS % "front"], 1)
            self.assertGreater(scans, SCANS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
