"""What each role of the running service may do, as the kernel tells it."""
import ctypes
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

from service import PROGRAM, Service, Target

SYS_PTRACE, DAC_READ_SEARCH = 1 << 19, 1 << 2
CONFIG = """
scan: {interval: 200ms}
discovery: {interval: 200ms}
process_names:
  - name: demo
    pid: [%d]
"""
PR_SET_PDEATHSIG = 1
AS_NOBODY = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]


def status(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        return dict(re.findall(r"^(\w+):\t?(.*)$", file.read(), re.M))


def caps(of, kind):
    return int(of["Cap" + kind], 16)


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
    def check(self, service, uid, wanted):
        roles = {"keeper": service.process.pid, **service.roles()}
        self.assertEqual(set(roles), {"keeper", "front", "scanner"})
        for role, pid in roles.items():
            of = status(pid)
            allowed = 0 if role == "front" else wanted
            self.assertEqual(set(of["Uid"].split()), {str(uid)}, role)
            self.assertEqual(of["Groups"].split() if os.geteuid() == 0 else [], [], role)
            self.assertEqual(of["NoNewPrivs"], "1", role)
            self.assertEqual(of["Seccomp"], "2", role)
            for kind in ("Prm", "Eff"):
                self.assertEqual(caps(of, kind), allowed, (role, kind))
            for kind in ("Amb", "Inh"):
                self.assertEqual(caps(of, kind), wanted if role == "keeper" else 0, (role, kind))
        return roles

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_started_as_root(self):
        for user in ("nobody", "root"):
            with self.subTest(user), Target("demo") as demo, Service(CONFIG % demo.pid, "--user", user) as service:
                roles = self.check(service, pwd.getpwnam(user).pw_uid, SYS_PTRACE | DAC_READ_SEARCH)
                self.assertEqual(service.metrics()[f'malloc_up{{groupname="demo",pid="{demo.pid}"}}'], 1)
                for role, pid in roles.items():
                    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
                        soft, hard = re.search(r"Max open files +(\S+) +(\S+)", file.read()).groups()
                    self.assertEqual(soft, hard, role)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "as a service manager starts it")
    def test_started_with_ambient_capabilities(self):
        two = "+sys_ptrace,+dac_read_search"
        with Target("demo") as demo, Service(CONFIG % demo.pid, wrapper=[
                *AS_NOBODY, "--inh-caps", two, "--ambient-caps", two, "--bounding-set", "-all," + two]) as service:
            roles = self.check(service, pwd.getpwnam("nobody").pw_uid, SYS_PTRACE | DAC_READ_SEARCH)
            self.assertEqual(service.metrics()[f'malloc_up{{groupname="demo",pid="{demo.pid}"}}'], 1)
            for pid in roles.values():
                self.assertEqual(caps(status(pid), "Bnd"), SYS_PTRACE | DAC_READ_SEARCH)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "as a user without any right")
    def test_started_without_capabilities(self):
        def lower():
            os.setgroups([])
            os.setgid(pwd.getpwnam("nobody").pw_gid)
            os.setuid(pwd.getpwnam("nobody").pw_uid)
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, 9)

        with subprocess.Popen(["sleep", "1000"], preexec_fn=lower) as own:
            try:
                with Service(CONFIG % own.pid, wrapper=AS_NOBODY) as service:
                    self.check(service, pwd.getpwnam("nobody").pw_uid, 0)
                    service.wait_line("CAP_SYS_PTRACE is missing")
            finally:
                own.kill()

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
