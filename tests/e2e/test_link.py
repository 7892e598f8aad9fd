"""The link between front and scanner: broken while both live, or not read by the front."""
import contextlib
import ctypes
import datetime
import os
import re
import signal
import socket
import unittest

from service import Service, Target, value

CONFIG = """
scan: {{interval: 100ms, timeout: 30s}}
limits: {{max_cpu: 6400%}}
discovery: {{interval: 200ms}}
process_names:
  - {{name: demo, pid: [{demo}]}}
  - {{name: marked, cmdline: [{mark}]}}
"""
MARK = f"link-{os.getpid()}"
OK = 'malloc_scans_total{groupname="demo",result="ok"}'
RESTARTS = 'malloc_exporter_restarts_total{role="%s"}'
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


def time_of(line):
    return datetime.datetime.fromisoformat(re.match(r"time=(\S+)Z ", line).group(1))


class Link(unittest.TestCase):
    def test_a_link_that_breaks_is_renewed(self):
        with Target("demo") as demo, Service(CONFIG.format(demo=demo.pid, mark=MARK)) as service:
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
            def start():
                return stack.enter_context(Target("target_soak", "idle", MARK)).pid
            for _ in range(10):
                start()
            service = stack.enter_context(Service(CONFIG.format(demo=0x7fffffff, mark=MARK)))
            front = service.roles()["front"]
            os.kill(front, signal.SIGSTOP)
            while service.roles().get("front") in (None, front):
                line = re.compile(rf'msg="process is scanned" pid={start()} ')
                service.wait(lambda: any(map(line.search, service.lines)) or
                             service.roles().get("front") not in (None, front), seconds=60)
            self.assertEqual(service.wait(lambda: service.metrics().get(RESTARTS % "front")), 1)
            lines = list(service.lines)
            end = next(i for i, line in enumerate(lines) if 'msg="role ended" role_name=front' in line)
            times = [time_of(line) for line in lines[:end] if 'msg="process is scanned"' in line] + [time_of(lines[end])]
            # the link was full for longer
            self.assertLess(max(after - before for before, after in zip(times, times[1:])), datetime.timedelta(seconds=4))


if __name__ == "__main__":
    unittest.main(verbosity=2)
