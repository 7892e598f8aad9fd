"""What each role of the running service may do, as the kernel tells it."""
import contextlib
import http.client
import os
import pwd
import re
import select
import shutil
import socket
import subprocess
import tempfile
import unittest

from rights import CAPABILITIES, allowed_caps, caps, children, helper_at_work, status
from service import PROGRAM, TARGETS, Service, Target

BOTH = sum(CAPABILITIES.values())
CHOWN, SETGID, SETUID = 1 << 0, 1 << 6, 1 << 7  # chown: for the socket of the tests
CONFIG = """
scan: {interval: 200ms}
discovery: {interval: 200ms}
process_names:
  - name: demo
    pid: [%d]
"""
# vfork's parent cannot be stopped: a holder tries for a quarter of its budget
WITH_HOLDER = """
limits: {max_cpu: 100%%}
scan: {interval: 200ms, consistency: snapshot, snapshot_max_pause: 8s}
discovery: {interval: 200ms}
process_names:
  - name: demo
    pid: [%d]
"""
AS_NOBODY = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]


def descriptors(pid):
    """Of each descriptor what it is, numbers left out."""
    kinds = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            kinds.append(re.sub(r"\d+", "N", os.readlink(f"/proc/{pid}/fd/{name}")))
        except FileNotFoundError:
            continue
    return kinds


def hand_over(fd):
    """As descriptor 3, kept over an exec."""
    if fd != 3:
        os.dup2(fd, 3)
    os.set_inheritable(3, True)


class Privileges(unittest.TestCase):
    def check_role(self, role, pid, uid, wanted, bounds):
        of = status(pid)
        for kind in ("Uid", "Gid"):
            self.assertEqual(len(set(of[kind].split())), 1, role)
        self.assertEqual(of["Uid"].split()[0], str(uid), role)
        self.assertEqual(of["Groups"].split() if os.geteuid() == 0 else [], [], role)
        self.assertEqual(of["NoNewPrivs"], "1", role)
        self.assertEqual(of["Seccomp"], "2", role)
        for kind in ("Prm", "Eff"):
            self.assertEqual(caps(of, kind), wanted & allowed_caps()[role], (role, kind))
        for kind in ("Amb", "Inh"):
            self.assertEqual(caps(of, kind), wanted if role == "keeper" else 0, (role, kind))
        if bounds:
            self.assertEqual(caps(of, "Bnd"), bounds, role)

    def check(self, service, pid, uid, wanted, bounds):
        """Each role, and that the holder has only its socket and the resolver nothing of others'; @pid is the target's."""
        roles = {"keeper": service.process.pid, **service.roles()}
        self.assertEqual(set(roles), {"keeper", "front", "scanner"})
        for role, of in roles.items():
            self.check_role(role, of, uid, wanted, bounds)
        with helper_at_work(service, "holder") as holder:
            self.check_role("holder", holder, uid, wanted, bounds)
            self.assertEqual(descriptors(holder), ["socket:[N]"])
            # it traces by a process of its own, which may be over
            for tracer in children(holder):
                with contextlib.suppress(OSError, KeyError):
                    self.check_role("holder", tracer, uid, wanted, bounds)
        path = f"/api/v1/processes/{pid}/symbols?match=malloc"
        with helper_at_work(service, "resolver", lambda: service.get(path, unix=True)) as resolver:
            self.check_role("resolver", resolver, uid, wanted, bounds)
            with open(f"/proc/{resolver}/limits", encoding="ascii") as file:
                limits = dict(re.findall(r"^Max (.+?) {2,}(\S+)", file.read(), re.M))
            self.assertEqual((limits["file size"], limits["core file size"], limits["open files"], limits["cpu time"]),
                             ("0", "0", "16", "10"))
            self.assertFalse([kind for kind in descriptors(resolver) if kind.startswith("/proc")])
        service.wait(lambda: service.metrics().get(f'malloc_up{{groupname="demo",pid="{pid}"}}') == 1)
        return roles

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_started_as_root(self):
        for user in ("nobody", "root"):
            with self.subTest(user), Target("target_moments", "vfork") as demo, \
                    Service(WITH_HOLDER % demo.pid, "--user", user) as service:
                roles = self.check(service, demo.pid, pwd.getpwnam(user).pw_uid, BOTH, BOTH)
                for role, pid in roles.items():
                    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
                        soft, hard = re.search(r"Max open files +(\S+) +(\S+)", file.read()).groups()
                    self.assertEqual(soft, hard, role)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "as a service manager starts it")
    def test_started_with_ambient_capabilities(self):
        two = "+sys_ptrace,+dac_read_search"
        with Target("target_moments", "vfork") as demo, Service(WITH_HOLDER % demo.pid, wrapper=[
                *AS_NOBODY, "--inh-caps", two, "--ambient-caps", two, "--bounding-set", "-all," + two]) as service:
            self.check(service, demo.pid, pwd.getpwnam("nobody").pw_uid, BOTH, BOTH)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "as deploy/kubernetes has it")
    def test_started_as_root_of_a_container(self):
        with Target("target_moments", "vfork") as demo, Service(WITH_HOLDER % demo.pid, "--user", "nobody", wrapper=[
                "setpriv", "--no-new-privs", "--clear-groups", "--bounding-set",
                "-all,+sys_ptrace,+dac_read_search,+setuid,+setgid,+chown"]) as service:
            self.check(service, demo.pid, pwd.getpwnam("nobody").pw_uid, BOTH, BOTH | SETUID | SETGID | CHOWN)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "as a user without any right")
    def test_started_without_capabilities(self):
        with Target(shutil.which(AS_NOBODY[0]), *AS_NOBODY[1:], os.path.join(TARGETS, "target_moments"), "vfork") as own, \
                Service(WITH_HOLDER % own.pid, wrapper=AS_NOBODY) as service:
            self.check(service, own.pid, pwd.getpwnam("nobody").pw_uid, 0, None)
            service.wait_line("CAP_SYS_PTRACE is missing")

    def test_descriptors(self):
        with Target("demo") as demo, Service(CONFIG % demo.pid) as service:
            roles = service.roles()
            keeper = descriptors(service.process.pid)
            front = descriptors(roles["front"])
            scanner = descriptors(roles["scanner"])
        # the keeper: stdin, stderr, two listeners, a control socket for each child, signals, the configuration
        self.assertEqual(sorted(keeper).count("socket:[N]"), 4, keeper)
        self.assertEqual(sum("configuration" in kind for kind in keeper), 1, keeper)
        # no role has another's: the front no configuration and no file but the list of these, the scanner no listener
        self.assertEqual([kind for kind in front if kind.startswith("/") and not kind.startswith("/dev/")], ["/proc/N/fd"])
        self.assertEqual(scanner.count("socket:[N]"), 2, scanner)
        self.assertFalse([kind for kind in scanner if "configuration" in kind], scanner)

    def test_environment(self):
        os.environ["DEBUGINFOD_URLS"], os.environ["SECRET_OF_THE_SHELL"] = "http://127.0.0.1:9/", "1"
        try:
            with Target("demo") as demo, Service(CONFIG % demo.pid) as service:
                for role, pid in service.roles().items():
                    with open(f"/proc/{pid}/environ", "rb") as file:
                        self.assertEqual(file.read(), b"", role)
        finally:
            del os.environ["DEBUGINFOD_URLS"], os.environ["SECRET_OF_THE_SHELL"]

    def test_sockets_of_the_service_manager(self):
        started = ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh", PROGRAM, "--config.file=/dev/null",
                   "--web.systemd-socket"]
        none = subprocess.run([PROGRAM, "--web.systemd-socket"], capture_output=True, stdin=subprocess.DEVNULL,
                              timeout=60, check=False)
        self.assertEqual(none.returncode, 2)
        self.assertIn(b"no sockets were handed over", none.stderr)
        with socket.create_server(("127.0.0.1", 0)) as server, tempfile.NamedTemporaryFile("w") as config:
            config.write("process_names: []\n")
            config.flush()
            os.chmod(config.name, 0o644)
            started[5] = "--config.file=" + config.name
            with subprocess.Popen(started, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, close_fds=False,
                                  preexec_fn=lambda: hand_over(server.fileno())) as service:
                try:
                    answer = http.client.HTTPConnection(*server.getsockname(), timeout=60)
                    answer.request("GET", "/-/healthy")
                    self.assertEqual(answer.getresponse().status, 200)
                    answer.close()
                finally:
                    service.terminate()

    def test_killed_roles_come_back(self):
        with Target("demo") as demo, Service(CONFIG % demo.pid) as service:
            for role in ("scanner", "front"):
                before = service.roles()[role]
                os.kill(before, 9)
                service.wait(lambda: service.roles().get(role, before) != before)
                service.wait(lambda: service.metrics().get(f'malloc_up{{groupname="demo",pid="{demo.pid}"}}') == 1)

    def test_kill_of_the_keeper_ends_all(self):
        with Target("demo") as demo, Service(CONFIG % demo.pid) as service:
            roles = [os.pidfd_open(pid) for pid in service.roles().values()]
            service.process.kill()
            for pidfd in roles:
                self.assertTrue(select.select([pidfd], [], [], 30)[0])
                os.close(pidfd)
            self.assertTrue(demo.runs())


if __name__ == "__main__":
    unittest.main(verbosity=2)
