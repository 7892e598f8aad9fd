"""The unit of deploy/ as users have it: installed by meson, started by a real systemd that is process 1."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from service import BUILD, is_sanitized, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
SYSTEMD = "/lib/systemd/systemd"
UNIT = "malloc_exporter.service"
DROPINS = f"/etc/systemd/system/{UNIT}.d"
SYS_PTRACE, DAC_READ_SEARCH = 1 << 19, 1 << 2
CONTAINER = "0123456789abcdef" * 4
POD = "11111111-2222-3333-4444-555555555555"
# as the agents of kubelet and docker name the control groups of their containers
PLACES = {
    "docker": f"system.slice/docker-{CONTAINER}.scope",
    "kubelet": f"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{POD.replace('-', '_')}.slice/"
               f"cri-containerd-{CONTAINER}.scope",
}
CONFIG = """
scan: {interval: 1s}
discovery: {interval: 1s}
process_names:
  - {name: "{{.Unit}}", unit: [sleeper.service]}
  - {name: "{{.ContainerID}}", cgroup: ["^/system.slice/docker-"]}
  - {name: "{{.PodUID}}", cgroup: ["^/kubepods"]}
"""
NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--cgroup", "--uts", "--ipc", "--net"]


def cgroups():
    """Where the unified hierarchy is mounted, and our own group in it."""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        place = re.search(r"^\S+ (\S+) cgroup2 rw", file.read(), re.M)
    with open("/proc/self/cgroup", encoding="ascii") as file:
        own = re.search(r"^0::(.*)$", file.read(), re.M)
    return os.path.join(place.group(1), own.group(1).strip("/")) if place and own else None


def remove_groups(top):
    for directory, _, _ in os.walk(top, topdown=False):
        os.rmdir(directory)


class Machine:
    """systemd as process 1 of namespaces of its own, with what `meson install` installs."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="malloc_exporter-systemd-")
        os.chmod(self.directory.name, 0o755)
        installed, root = (os.path.join(self.directory.name, name) for name in ("installed", "root"))
        os.mkdir(root)
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", installed], check=True,
                       stdout=subprocess.DEVNULL)
        # a group of its own, so that what systemd moves about is its own
        self.groups = tempfile.mkdtemp(prefix="malloc_exporter-systemd-", dir=cgroups())
        self.log = open(os.path.join(self.directory.name, "log"), "w+b")
        self.process = subprocess.Popen([*NAMESPACES, os.path.join(HERE, "systemd_boot"), root, installed],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        start_new_session=True, preexec_fn=self.enter_group)
        try:
            self.init = self.wait(self.find_init)
            self.wait(lambda: "running" in self.run("systemctl", "is-system-running", check=False))
        except BaseException:
            self.end()
            raise

    def enter_group(self):
        with open(os.path.join(self.groups, "cgroup.procs"), "w", encoding="ascii") as file:
            file.write("0")

    def find_init(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        return children and os.readlink(f"/proc/{children[0]}/exe").endswith("/systemd") and children[0]

    def wait(self, condition, seconds=90):
        def explain():
            self.log.seek(0)
            return self.log.read().decode() + (
                self.run("journalctl", "--no-pager", "-n", "50", check=False) if hasattr(self, "init") else "")
        return wait_until(condition, seconds, explain, may_come=lambda: self.process.poll() is None)

    def run(self, *command, check=True):
        """Its output, both streams, in the machine."""
        done = subprocess.run(["nsenter", "--target", self.init, "--all", *command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if check and done.returncode:
            raise AssertionError(f"{command}: {done.returncode}: {done.stdout}\n" + self.journal())
        return done.stdout

    def journal(self, *flags):
        return self.run("journalctl", "--no-pager", "--unit", UNIT, *flags, check=False)

    def path(self, path):
        return f"/proc/{self.init}/root{path}"

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "w", encoding="utf-8") as file:
            file.write(text)

    def copy_example(self, name, directory):
        examples = self.run("sh", "-c", "echo /usr/share/doc/malloc_exporter/examples "
                                        "/usr/local/share/doc/malloc_exporter/examples").split()
        found = next(place for place in examples if os.path.isdir(self.path(place)))
        os.makedirs(self.path(directory), exist_ok=True)
        shutil.copy(self.path(f"{found}/{name}"), self.path(directory))

    def property(self, name):
        return self.run("systemctl", "show", "--value", "--property", name, UNIT).strip()

    def get(self, path):
        return self.run("curl", "--silent", "--show-error", "--fail", "http://127.0.0.1:10069" + path)

    def end(self):
        # nothing of it is kept: process 1 takes all with it
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()
        limit = time.monotonic() + 60
        while True:
            try:
                remove_groups(self.groups)
                break
            except OSError:
                if time.monotonic() > limit:
                    raise
                time.sleep(0.05)
        self.directory.cleanup()


def capabilities(status, kind):
    return int(re.search(rf"^Cap{kind}:\s+(\w+)$", status, re.M).group(1), 16)


@unittest.skipUnless(os.geteuid() == 0 and os.path.exists(SYSTEMD) and shutil.which("curl") and cgroups(),
                     "needs root, systemd and control groups of version 2")
@unittest.skipIf(is_sanitized(), "not under a sanitizer")
class Systemd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machine = Machine()
        cls.addClassCleanup(cls.machine.end)

    def setUp(self):
        self.machine.write("/etc/malloc_exporter/malloc_exporter.yml", CONFIG)

    def tearDown(self):
        self.machine.run("systemctl", "stop", UNIT, "malloc_exporter.socket")
        shutil.rmtree(self.machine.path(DROPINS), ignore_errors=True)
        shutil.rmtree(self.machine.path("/etc/default/malloc_exporter"), ignore_errors=True)
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "reset-failed")

    def start(self):
        self.machine.run("systemctl", "start", UNIT)
        pids = self.machine.run("cat", f"/sys/fs/cgroup/system.slice/{UNIT}/cgroup.procs").split()
        names = {pid: self.machine.run("cat", f"/proc/{pid}/cmdline") for pid in pids}
        return {(re.search(r"--role=(\w+)", name) or [None, "keeper"])[1]: pid for pid, name in names.items()}

    def test_started(self):
        roles = self.start()
        # systemd takes READY from the main process alone
        self.assertEqual(self.machine.property("ActiveState"), "active")
        self.assertEqual(self.machine.property("MainPID"), roles["keeper"])
        self.assertEqual(self.machine.get("/-/healthy").strip()[:7].lower(), "healthy")
        self.assertEqual(set(roles), {"keeper", "front", "scanner"})
        two = SYS_PTRACE | DAC_READ_SEARCH
        for role, pid in roles.items():
            status = self.machine.run("cat", f"/proc/{pid}/status")
            self.assertNotRegex(status, r"(?m)^Uid:.*\b0\b", role)
            self.assertRegex(status, r"(?m)^NoNewPrivs:\s+1$", role)
            self.assertEqual(capabilities(status, "Eff"), 0 if role == "front" else two, role)
            self.assertEqual(capabilities(status, "Bnd"), two, role)
            self.assertEqual(capabilities(status, "Amb"), two if role == "keeper" else 0, role)
        self.assertRegex(self.machine.journal("--output", "cat"), r"role=keeper msg=listening address=127\.0\.0\.1:10069")
        # who serves HTTP sees no process but its own, and still tells what all use
        uid, = re.findall(r"(?m)^Uid:\s+(\d+)", self.machine.run("cat", f"/proc/{roles['front']}/status"))
        seen = self.machine.run("nsenter", "--target", roles["front"], "--mount", "setpriv", "--reuid", uid, "--regid", uid,
                                "--clear-groups", "--inh-caps=-all", "ls", "/proc").split()
        self.assertFalse({"1", roles["keeper"], roles["scanner"]} & set(seen), seen)
        self.machine.wait(lambda: self.resident(roles) * 0.8 < self.told_resident() < self.resident(roles) * 1.2)

    def resident(self, roles):
        pages = [int(self.machine.run("cat", f"/proc/{pid}/statm").split()[1]) for pid in roles.values()]
        return sum(pages) * os.sysconf("SC_PAGESIZE")

    def told_resident(self):
        return float(re.search(r"(?m)^process_resident_memory_bytes (\S+)$", self.machine.get("/metrics")).group(1))

    def test_units_and_containers_are_told(self):
        self.machine.run("systemd-run", "--unit", "sleeper", "sleep", "infinity")
        sleepers = {}
        for name, place in PLACES.items():
            group = self.machine.path("/sys/fs/cgroup/" + place)
            os.makedirs(group)
            sleepers[name] = subprocess.Popen(["nsenter", "--target", self.machine.init, "--pid", "--mount", "--cgroup",
                                               "sleep", "infinity"], stdin=subprocess.DEVNULL)
            with open(f"/proc/{sleepers[name].pid}/task/{sleepers[name].pid}/children", encoding="ascii") as file:
                child = self.machine.wait(lambda file=file: file.seek(0) or file.read().split())
            for pid in (*child, str(sleepers[name].pid)):
                with open(os.path.join(group, "cgroup.procs"), "w", encoding="ascii") as file:
                    file.write(pid)
        try:
            self.start()
            wanted = {"sleeper.service": {"unit": "sleeper.service"}, CONTAINER: {"container_id": CONTAINER},
                      POD: {"container_id": CONTAINER, "pod_uid": POD}}
            for group, labels in wanted.items():
                line = self.machine.wait(lambda group=group: re.search(
                    rf'^malloc_process_info{{groupname="{group}",.*', self.machine.get("/metrics"), re.M))
                for label, value in labels.items():
                    self.assertIn(f'{label}="{value}"', line.group(0))
                up = rf'^malloc_up{{groupname="{group}",.*}} 1$'
                self.machine.wait(lambda up=up: re.search(up, self.machine.get("/metrics"), re.M))
        finally:
            self.machine.run("systemctl", "stop", "sleeper.service")
            for sleeper in sleepers.values():
                os.kill(sleeper.pid, signal.SIGKILL)
                sleeper.wait()

    def test_reload(self):
        keeper = self.start()["keeper"]
        self.machine.run("systemctl", "reload", UNIT)
        self.machine.wait(lambda: "configuration reloaded" in self.machine.journal())
        self.machine.write("/etc/malloc_exporter/malloc_exporter.yml", "nothing: [")
        self.machine.run("systemctl", "reload", UNIT)
        self.machine.wait(lambda: "configuration refused" in self.machine.journal())
        self.assertEqual(self.machine.property("ActiveState"), "active")
        self.assertEqual(self.machine.property("MainPID"), keeper)

    def test_stop_ends_all_at_once(self):
        self.start()
        begin = time.monotonic()
        self.machine.run("systemctl", "stop", UNIT)
        self.assertLess(time.monotonic() - begin, 9)  # systemd would kill after 10
        self.assertEqual(self.machine.property("Result"), "success")
        self.assertFalse(os.path.exists(self.machine.path(f"/sys/fs/cgroup/system.slice/{UNIT}/cgroup.procs")))

    def test_restarted_when_it_dies(self):
        before = self.start()
        self.machine.run("kill", "-KILL", before["keeper"])
        self.machine.wait(lambda: self.machine.property("ActiveState") == "active" and
                          self.machine.property("MainPID") not in ("0", before["keeper"]))
        self.assertEqual(self.machine.property("NRestarts"), "1")
        self.machine.get("/-/healthy")

    def test_a_wrong_configuration_fails_the_start(self):
        self.machine.write("/etc/malloc_exporter/malloc_exporter.yml", "nothing: 1\n")
        self.assertIn("failed", self.machine.run("systemctl", "start", UNIT, check=False))
        self.assertEqual(self.machine.property("ExecMainStatus"), "2")
        self.assertRegex(self.machine.journal("--output", "cat"), r"malloc_exporter\.yml:1:1")

    def test_flags_and_user(self):
        self.machine.run("systemd-sysusers")
        self.machine.copy_example("malloc_exporter.default", "/etc/default")
        os.rename(self.machine.path("/etc/default/malloc_exporter.default"), self.machine.path("/etc/default/malloc_exporter"))
        with open(self.machine.path("/etc/default/malloc_exporter"), "a", encoding="ascii") as file:
            file.write("ARGS=--web.listen-address=unix:/run/malloc_exporter/http.sock --log.format=json\n")
        try:
            keeper = self.start()["keeper"]
            self.assertIn('"msg":"listening"', self.machine.journal("--output", "cat"))
            body = self.machine.run("curl", "--silent", "--unix-socket", "/run/malloc_exporter/http.sock",
                                    "http://localhost/api/v1/processes")
            self.assertIsInstance(json.loads(body), dict)
            with open(self.machine.path("/etc/passwd"), encoding="utf-8") as file:
                uid = re.search(r"^malloc_exporter:x:(\d+):", file.read(), re.M).group(1)
            self.assertRegex(self.machine.run("cat", f"/proc/{keeper}/status"), rf"(?m)^Uid:\s+{uid}\s+{uid}\s")
        finally:
            os.unlink(self.machine.path("/etc/default/malloc_exporter"))

    def test_socket_unit(self):
        self.machine.copy_example("socket.conf", DROPINS)
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "start", "malloc_exporter.socket")
        self.assertEqual(self.machine.property("ActiveState"), "inactive")
        self.machine.get("/-/healthy")  # starts it
        self.assertEqual(self.machine.property("ActiveState"), "active")
        keeper = self.machine.property("MainPID")
        self.assertNotEqual(self.machine.run("readlink", f"/proc/{keeper}/ns/net"), self.machine.run("readlink", "/proc/1/ns/net"))
        self.machine.run("systemctl", "restart", UNIT)
        self.machine.get("/-/healthy")

    def test_loopback(self):
        self.machine.copy_example("loopback.conf", DROPINS)
        self.machine.run("systemctl", "daemon-reload")
        self.start()
        self.machine.get("/-/healthy")

    def test_stops(self):
        self.machine.copy_example("stops.conf", DROPINS)
        self.machine.run("systemctl", "daemon-reload")
        self.start()
        self.machine.get("/-/healthy")
        limits = self.machine.run("cat", f"/proc/{self.machine.property('MainPID')}/limits")
        may_be_raised = subprocess.run(["prlimit", "--rtprio=1:1", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0
        if may_be_raised:
            self.assertRegex(limits, r"Max realtime priority +1 +1 ")

    def test_exposure(self):
        for dropin, limit in ((None, 2.3), ("loopback.conf", 2.0), ("socket.conf", 2.0), ("stops.conf", 2.3)):
            if dropin:
                self.machine.copy_example(dropin, DROPINS)
                self.machine.run("systemctl", "daemon-reload")
            found = re.search(r"exposure level for \S+: ([0-9.]+)", self.machine.run("systemd-analyze", "security", "--no-pager", UNIT))
            self.assertLessEqual(float(found.group(1)), limit, dropin)
            shutil.rmtree(self.machine.path(DROPINS), ignore_errors=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
