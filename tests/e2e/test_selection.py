"""Which processes are taken, how they are grouped and what state they are in: on real processes."""
import ctypes
import os
import pwd
import re
import subprocess
import sys
import tempfile
import unittest

from service import PROGRAM, Service, Target, explain, parse_exposition, value

LIBC = ctypes.CDLL(None)
HEAD = "scan: {interval: 200ms}\ndiscovery: {interval: 200ms}\nlimits: {max_cpu: 6400%%%s}\nprocess_names:\n"
MARK = f"selection-{os.getpid()}"
LEADERLESS = """
import ctypes, threading, sys
def stay():
    ctypes.CDLL(None).pause()
threading.Thread(target=stay).start()
print("ready", flush=True)
ctypes.CDLL(None).pthread_exit(None)
"""
# A child that has this process' memory, though it is no thread (CLONE_VM | SIGCHLD), its stack in a block of it.
SHARING = """
import ctypes, sys
libc = ctypes.CDLL(None)
stack = ctypes.create_string_buffer(1 << 16)
child = libc.clone(ctypes.cast(libc.pause, ctypes.c_void_p), ctypes.c_void_p(ctypes.addressof(stack) + 65520), 0x100 | 17, None)
print(child, flush=True)
sys.stdin.read()
"""


def config(entries, limits=""):
    return HEAD % limits + entries


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


class Selection(unittest.TestCase):
    def taken(self, entry, *targets, expected):
        """Of @targets those whose index is in @expected are taken by @entry, and explained as taken."""
        with Service(config(f"  - {{name: taken, {entry}}}\n")) as service:
            wanted = {targets[i].pid for i in expected}

            def found():
                return {target.pid for target in targets if value(service.metrics(), "malloc_up", target.pid) == 1}
            service.wait(lambda: found() == wanted)
            self.assertEqual(service.metrics()['malloc_group_processes{groupname="taken"}'], len(wanted))
            for i, target in enumerate(targets):
                said = explain(service, target.pid)
                self.assertIn('takes it, into the group "taken"' if i in expected else "no entry takes it", said)
            return [explain(service, target.pid) for target in targets]

    def test_pid_and_exclude(self):
        with Target("target_soak", "idle", MARK) as one, Target("target_soak", "idle", MARK, "not") as other:
            pids = f"pid: [{one.pid}, {other.pid}]"
            self.taken(pids, one, other, expected=[0, 1])
            said = self.taken(pids + ", exclude: {cmdline: [not$], comm: [x]}", one, other, expected=[0])
            self.assertIn("excluded by cmdline", said[1])
            said = self.taken(f"pid: [{one.pid}], comm: [target_soak]", one, other, expected=[0])
            self.assertRegex(said[1], r"entry at line \d+: pid is not ")

    def test_exe_path(self):
        with Target("target_soak", "idle", MARK) as one:
            path = os.readlink(f"/proc/{one.pid}/exe")
            self.taken(f"exe_path: ['{path}'], cmdline: [{MARK}]", one, expected=[0])
            with tempfile.TemporaryDirectory() as directory:
                copy = os.path.join(directory, "copy")
                subprocess.run(["cp", path, copy], check=True)
                with Target(copy, "idle", MARK) as other:
                    # it must run from the copy before that goes
                    while not os.readlink(f"/proc/{other.pid}/exe").startswith(copy):
                        pass
                    os.unlink(copy)
                    self.taken(f"exe_path: ['{copy}']", one, other, expected=[1])

    @unittest.skipUnless(os.geteuid() == 0, "needs root to start a process of another user")
    def test_user(self):
        nobody = pwd.getpwnam("nobody")
        with Target("/bin/sleep", "600") as one:
            process = subprocess.Popen(["/bin/sleep", "601"], user=nobody.pw_uid, group=nobody.pw_gid)
            try:
                process.pid_ = process.pid
                pids = f"pid: [{one.pid}, {process.pid}]"
                self.taken(pids + ", user: [nobody]", one, process, expected=[1])
                self.taken(pids + ", user: [root, x]", one, process, expected=[0])
            finally:
                process.kill()
                process.wait()

    def test_cgroup_and_unit(self):
        with open("/proc/self/cgroup", encoding="utf-8") as file:
            path = max((line.rstrip("\n").split(":", 2)[2] for line in file), key=len)
        with Target("target_soak", "idle", MARK) as one:
            self.taken(f"pid: [{one.pid}], cgroup: [nowhere, '^{re.escape(path)}$']", one, expected=[0])
            said = self.taken(f"pid: [{one.pid}], cgroup: [nowhere]", one, expected=[])
            self.assertIn("cgroup does not match 'nowhere'", said[0])
            # units of systemd are not there in each container that tests run in: unit/roles parses their cgroups
            said = self.taken(f"pid: [{one.pid}], unit: [no-such.service]", one, expected=[])
            self.assertIn("unit is not no-such.service", said[0])

    def test_pid_file(self):
        with Target("target_soak", "idle", MARK) as one, Target("target_soak", "idle", MARK) as other, \
                tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            path = os.path.join(directory, "x.pid")
            with open(path, "w", encoding="ascii") as file:
                file.write(f"{other.pid}\n")
            said = self.taken(f"pid_file: '{path}'", one, other, expected=[1])
            self.assertIn(f"names process {other.pid}", said[0])

    @unittest.skipUnless(os.geteuid() == 0, "needs root for a pid namespace")
    def test_pid_file_in_a_container(self):
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            # the file is only there inside, on a file system of its own, and holds the number that is valid inside
            inside = f"mount -t tmpfs x {directory} && echo 1 >{directory}/x.pid && echo ready && exec sleep 600"
            with Target("/usr/bin/unshare", "--pid", "--mount", "--fork", "--kill-child", "sh", "-c", inside) as outer:
                if outer.process.stdout.readline() != b"ready\n":
                    self.skipTest("no namespaces here")
                with open(f"/proc/{outer.pid}/task/{outer.pid}/children", encoding="ascii") as file:
                    child = int(file.read())
                with Service(config(f"  - {{name: inner, pid_file: {directory}/x.pid}}\n")) as service:
                    service.wait(lambda: value(service.metrics(), "malloc_up", child) == 1)
                    self.assertEqual(service.metrics()['malloc_group_processes{groupname="inner"}'], 1)
                    self.assertIn('into the group "inner"', explain(service, child))

    def test_min_uptime_waits(self):
        with Target("target_soak", "idle", MARK) as one:
            entry = f"  - {{name: young, pid: [{one.pid}], min_uptime: 8760h}}\n"
            with Service(config(entry)) as service:
                metrics = service.metrics()
                self.assertIsNone(value(metrics, "malloc_up", one.pid))
                self.assertEqual(metrics['malloc_exporter_skipped_processes{reason="min_uptime"}'], 1)
                self.assertIn("waits for min_uptime", explain(service, one.pid))
                service.write(config(entry.replace("8760h", "0s")))
                service.process.send_signal(1)
                service.wait(lambda: value(service.metrics(), "malloc_up", one.pid) == 1)

    def test_children_join(self):
        family = f"import subprocess, sys; c = subprocess.Popen(['/bin/sleep', '600']); print(c.pid, flush=True); " \
                 f"sys.stdin.read(); c.kill() # {MARK}-family"
        with Target(sys.executable, "-c", family) as parent:
            child = int(parent.process.stdout.readline())
            entry = f"  - {{name: family, cmdline: ['{MARK}-family'], children: true}}\n"
            try:
                with Service(config(entry)) as service:
                    service.wait(lambda: value(service.metrics(), "malloc_up", child) == 1)
                    self.assertEqual(service.metrics()['malloc_group_processes{groupname="family"}'], 2)
                    self.assertIn("whose children: true takes it too", explain(service, child))
                with Service(config(entry.replace("true", "false"))) as service:
                    service.wait(lambda: value(service.metrics(), "malloc_up", parent.pid) == 1)
                    self.assertIsNone(value(service.metrics(), "malloc_up", child))
                    self.assertIn("which has no children: true", explain(service, child))
            finally:
                os.kill(child, 9)

    def test_scan_all_is_what_the_service_selects(self):
        with Target("target_soak", "idle", MARK) as one, Target("target_single") as demo:
            demo.process.stdout.readline()
            entries = f"  - {{name: 'all {{{{.PID}}}}', pid: [{one.pid}, {demo.pid}]}}\n  - {{name: none, comm: [x-x]}}\n"
            with Service(config(entries)) as service:
                service.wait(lambda: value(service.metrics(), "malloc_up", demo.pid) == 1)
                done = subprocess.run([PROGRAM, "scan", "--all", "--config.file", service.file], capture_output=True,
                                      stdin=subprocess.DEVNULL, timeout=120, check=True)
                said = parse_exposition(done.stdout)
                shown = service.metrics()
                self.assertEqual({key for key in said if key.startswith("malloc_up")},
                                 {key for key in shown if key.startswith("malloc_up")})
                key = f'malloc_system_bytes{{groupname="all {demo.pid}",pid="{demo.pid}"}}'
                self.assertEqual(said[key], shown[key])
                self.assertEqual(said['malloc_group_processes{groupname="none"}'], 0)


class Groups(unittest.TestCase):
    def test_a_templated_group_lives_for_its_ttl(self):
        entries = f"  - {{name: 'group {{{{.Matches.n}}}}', cmdline: ['{MARK}-ttl (?P<n>.*)']}}\n"
        with Service(config(entries, ", group_ttl: 15s")) as service:
            key = 'malloc_group_processes{groupname="group �x"}'
            self.assertNotIn(key, service.metrics())
            with Target("target_soak", b"idle", f"{MARK}-ttl".encode(), b"\xffx") as one:
                service.wait(lambda: value(service.metrics(), "malloc_up", one.pid) == 1)
                self.assertEqual(service.metrics()[key], 1)
            service.wait(lambda: service.metrics().get(key) == 0)
            service.wait(lambda: key not in service.metrics(), seconds=120)

    def test_beyond_max_processes_the_largest_stay(self):
        with Target("target_bench", "small", "32") as large, Target("target_soak", "idle", MARK) as small:
            large.process.stdout.readline()
            entries = f"  - {{name: g, pid: [{large.pid}, {small.pid}]}}\n"
            with Service(config(entries, ", max_processes: 1")) as service:
                service.wait(lambda: value(service.metrics(), "malloc_up", large.pid) == 1)
                metrics = service.metrics()
                self.assertIsNone(value(metrics, "malloc_up", small.pid))
                self.assertEqual(metrics['malloc_exporter_skipped_processes{reason="limit"}'], 1)
                self.assertEqual(metrics['malloc_group_processes{groupname="g"}'], 2)
                self.assertEqual(metrics['malloc_group_scanned_processes{groupname="g"}'], 1)

    def test_beyond_max_series(self):
        targets = [Target("target_soak", "idle", MARK) for _ in range(16)]
        try:
            with Target("demo") as demo:
                pids = ", ".join(str(target.pid) for target in [demo, *targets])
                with Service(config(f"  - {{name: g, pid: [{pids}]}}\n", ", max_series: 1000")) as service:
                    service.wait(lambda: service.metrics()['malloc_group_scanned_processes{groupname="g"}'] == 17)
                    metrics = service.metrics()
                    whole = len(metrics) + metrics["malloc_exporter_series_left_out"]
                    self.assertGreater(whole, 1000)
                    self.assertLessEqual(len(metrics), 1000)
                    # the largest one's histogram goes last
                    self.assertIsNotNone(value(metrics, "malloc_chunk_size_bytes_count", demo.pid, use="used"))
                    self.assertIsNone(value(metrics, "malloc_chunk_size_bytes_count", targets[0].pid, use="used"))
        finally:
            for target in targets:
                target.__exit__()


class States(unittest.TestCase):
    def test_the_leader_has_exited(self):
        with Target(sys.executable, "-c", LEADERLESS) as target:
            target.process.stdout.readline()
            while state_of(target.pid) != "Z":
                pass
            with Service(config(f"  - {{name: g, cmdline: [pthread_exit], pid: [{target.pid}]}}\n")) as service:
                service.wait(lambda: value(service.metrics(), "malloc_up", target.pid) == 1)
                metrics = service.metrics()
                self.assertGreater(value(metrics, "malloc_process_resident_memory_bytes", target.pid), 1 << 20)
                self.assertGreater(value(metrics, "malloc_active_bytes", target.pid), 1 << 16)

    def test_shared_memory_is_counted_once(self):
        with Target(sys.executable, "-c", SHARING) as target:
            child = int(target.process.stdout.readline())
            self.assertGreater(child, 0)
            try:
                with Service(config(f"  - {{name: g, pid: [{target.pid}, {child}]}}\n")) as service:
                    service.wait(lambda: value(service.metrics(), "malloc_up", target.pid) == 1)
                    self.assertIsNone(value(service.metrics(), "malloc_up", child))
                # the one that is meant is scanned, whoever else has its memory
                with Service(config(f"  - {{name: g, pid: [{child}]}}\n")) as service:
                    service.wait(lambda: value(service.metrics(), "malloc_up", child) == 1)
            finally:
                os.kill(child, 9)

    def test_exec_is_another_program(self):
        program = f"import os, sys; sys.stdin.readline(); os.execv('/bin/sleep', ['sleep', '600', '{MARK[-1:]}'])"
        with Target(sys.executable, "-c", program) as target:
            entries = f"  - {{name: before, exe: [{os.path.basename(sys.executable)}], pid: [{target.pid}]}}\n" \
                      f"  - {{name: after, comm: [sleep], pid: [{target.pid}]}}\n"
            with Service(config(entries)) as service:
                key = 'malloc_up{groupname="%s",pid="' + str(target.pid) + '"}'
                service.wait(lambda: service.metrics().get(key % "before") == 1)
                target.process.stdin.write(b"\n")
                target.process.stdin.flush()
                service.wait(lambda: service.metrics().get(key % "after") == 1)
                self.assertNotIn(key % "before", service.metrics())

    def test_start_time_does_not_move(self):
        with Target("target_soak", "idle", MARK) as one:
            with Service(config(f"  - {{name: g, pid: [{one.pid}]}}\n")) as service:
                seen = set()
                for count in range(1, 4):
                    service.wait(lambda: service.metrics()['malloc_scans_total{groupname="g",result="ok"}'] >= 3 * count)
                    seen.add(value(service.metrics(), "malloc_process_start_time_seconds", one.pid))
                self.assertEqual(len(seen), 1, seen)


if __name__ == "__main__":
    unittest.main(verbosity=2)
