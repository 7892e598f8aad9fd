"""Rights: what --check-access and scan say to a user without them, with one capability, with both; each cause."""
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from service import PROGRAM

NOBODY = 65534
BARE = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
HELD = r"""
import ctypes, sys
libc = ctypes.CDLL(None)
if len(sys.argv) > 1:
    assert libc.prctl(4, 0, 0, 0, 0) == 0  # PR_SET_DUMPABLE
print("ready", flush=True)
sys.stdin.read()
"""


def with_capabilities(*names):
    """As nobody, with these and no others."""
    sets = "-all" + "".join(f",+{name}" for name in names)
    bounding = [] if names else ["--bounding-set=-all"]
    return [*BARE, f"--inh-caps={sets}", f"--ambient-caps={sets}", *bounding]


def restrict_by_landlock():
    """Any ruleset keeps a process from reading others (landlock(7))."""
    libc = ctypes.CDLL(None, use_errno=True)
    handled = ctypes.c_uint64(1 << 4)  # LANDLOCK_ACCESS_FS_REMOVE_DIR
    ruleset = libc.syscall(444, ctypes.byref(handled), ctypes.c_size_t(8), 0)
    if ruleset < 0 or libc.prctl(38, 1, 0, 0, 0) != 0 or libc.syscall(446, ruleset, 0) != 0:
        os._exit(77)


def has_both_capabilities():
    """CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH: root in a container may lack them."""
    with open("/proc/self/status", encoding="ascii") as file:
        held = int(next(line for line in file if line.startswith("CapEff:")).split()[1], 16)
    return all(held >> bit & 1 for bit in (19, 2))


@unittest.skipIf(os.geteuid() != 0, "needs root to become others")
@unittest.skipIf(not has_both_capabilities(), "root without the capabilities that are tested")
class Access(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.mkdtemp()
        os.chmod(cls.place, 0o755)
        cls.program = shutil.copy(PROGRAM, cls.place)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.place)

    def start(self, user, *arguments):
        process = subprocess.Popen(["/usr/bin/python3", "-c", HELD, *arguments], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, user=user, group=user, extra_groups=[], cwd="/")
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process.pid

    def run_as(self, prefix, *arguments, **more):
        return subprocess.run([*prefix, self.program, *map(str, arguments)], capture_output=True, text=True,
                              timeout=120, check=False, cwd="/", **more)

    def check(self, prefix, pid, code, **more):
        done = self.run_as(prefix, "--check-access", pid, **more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return dict((line[:20].strip(), line[20:]) for line in done.stdout.splitlines())

    def refused(self, prefix, pid, *words, **more):
        lines = self.check(prefix, pid, 3, **more)
        scan = self.run_as(prefix, "scan", pid, **more)
        self.assertEqual(scan.returncode, 3)
        for word in words:
            self.assertIn(word, lines["mappings, memory"])
            self.assertIn(word, lines["stops"])
            self.assertIn(word, scan.stderr)

    def test_root(self):
        lines = self.check([], self.start(NOBODY), 0)
        self.assertEqual(lines["mappings, memory"], "yes")
        self.assertEqual(lines["pagemap"], "yes")
        self.assertEqual(lines["CAP_SYS_PTRACE"], "yes")

    def test_no_such_process(self):
        self.check([], 2147483647, 4)
        for wrong in ("0x", "-1", "x", "99999999999"):
            self.assertEqual(self.run_as([], f"--check-access={wrong}").returncode, 2)

    def test_other_user_without_capability(self):
        self.refused(with_capabilities(), self.start(0), "belongs to user 0", "CAP_SYS_PTRACE is missing")

    def test_own_process(self):
        scope = "/proc/sys/kernel/yama/ptrace_scope"
        pid = self.start(NOBODY)
        if os.path.exists(scope) and open(scope, encoding="ascii").read().strip() != "0":
            self.refused(with_capabilities(), pid, "kernel.yama.ptrace_scope is")
            return
        lines = self.check(with_capabilities(), pid, 0)
        self.assertEqual((lines["mappings, memory"], lines["pagemap"]), ("yes", "yes"))

    def test_non_dumpable(self):
        pid = self.start(NOBODY, "non-dumpable")
        self.refused(with_capabilities(), pid, "non-dumpable", "CAP_SYS_PTRACE is missing")
        self.check(with_capabilities("sys_ptrace"), pid, 0)

    def test_ptrace_alone(self):
        pid = self.start(0)
        lines = self.check(with_capabilities("sys_ptrace"), pid, 0)
        self.assertEqual([lines[part] for part in ("mappings, memory", "threads", "files", "stops")], ["yes"] * 4)
        self.assertIn("CAP_DAC_READ_SEARCH", lines["pagemap"])
        scan = self.run_as(with_capabilities("sys_ptrace"), "scan", pid, "--format", "json")
        self.assertEqual(scan.returncode, 0, scan.stderr)
        self.assertEqual(scan.stderr.count("pagemap may not be read"), 1)
        with_both = self.run_as(with_capabilities("sys_ptrace", "dac_read_search"), "scan", pid, "--format", "json")
        poor, rich = json.loads(scan.stdout), json.loads(with_both.stdout)
        self.assertNotIn("resident_bytes", poor)
        self.assertGreater(rich["resident_bytes"], 0)
        self.assertEqual(poor["system_bytes"], rich["system_bytes"])

    def test_both(self):
        lines = self.check(with_capabilities("sys_ptrace", "dac_read_search"), self.start(0), 0)
        for part in ("mappings, memory", "threads", "files", "pagemap", "stops"):
            self.assertEqual(lines[part], "yes")

    def test_security_module(self):
        pid = self.start(NOBODY)
        tried = self.run_as([], "--version", preexec_fn=restrict_by_landlock)
        if tried.returncode == 77:
            self.skipTest("no Landlock in this kernel")
        self.refused([], pid, "security module", "Landlock", preexec_fn=restrict_by_landlock)

    def test_survey(self):
        self.start(0)
        done = self.run_as(with_capabilities(), "--check-access")
        self.assertEqual(done.returncode, 3)
        self.assertIn("belongs to user 0 and CAP_SYS_PTRACE is missing", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
