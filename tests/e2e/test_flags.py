#!/usr/bin/env python3
"""Flags and settings that no other test is about: what each changes, and what is said where it cannot be."""
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import unittest

from commands import ask, run
from service import PROGRAM, TARGETS, Service, Target, value
from test_service import config


class OneShot(unittest.TestCase):
    """The target waits, so that each command sees the same heap."""

    @classmethod
    def setUpClass(cls):
        # a name and a command line that nothing else on the machine has
        cls.directory = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="malloc_exporter-test-"))
        cls.name = f"flags-{os.getpid()}"
        path = shutil.copy(os.path.join(TARGETS, "target_threads"), os.path.join(cls.directory, cls.name))
        cls.target = cls.enterClassContext(Target(path))
        cls.target.answer()

    def chunks(self, *flags):
        lines = run("chunks", self.target.pid, *flags).stdout.splitlines()
        return [json.loads(line) for line in lines[:-1]]

    def test_a_process_by_name_and_by_pattern(self):
        for flags in (["--name", self.name], [f"--name={self.name}"], ["-n", self.name],
                      ["--pattern", f"^{self.directory}/f.*s-"], ["-P", self.name]):
            self.assertEqual(ask("scan", *flags)["pid"], self.target.pid)
        self.assertIn(b"no process", run("scan", "--name", self.name + "x", code=4).stderr)
        self.assertIn(b"--pattern: at byte 2: ", run("scan", "-P", "(", code=2).stderr)

    def test_a_process_without_a_command_line_has_a_name(self):
        path = os.path.join(self.directory, self.name)
        with Target(shutil.which("bash"), "-c", f"exec -a '' {path}") as target:
            target.answer()
            message = run("scan", "--name", self.name, code=2).stderr.decode()
            self.assertIn(str(target.pid), message)
            self.assertIn(str(self.target.pid), message)

    def test_which_chunks(self):
        every = self.chunks()
        for flags, takes in ((["--arena", 1], lambda chunk: chunk["arena"] == 1),
                             (["--min-size", 100, "--max-size=600"], lambda chunk: 100 <= chunk["size"] <= 600),
                             (["--state", "top", "--state", "tcache"], lambda chunk: chunk["state"] in ("top", "tcache"))):
            wanted = list(filter(takes, every))
            self.assertEqual(self.chunks(*flags), wanted)
            self.assertTrue(0 < len(wanted) < len(every))

    def test_swapped_pages_may_be_read(self):
        without, with_them = ask("scan", self.target.pid), ask("scan", self.target.pid, "--read-swapped")
        self.assertEqual(without["chunks"], with_them["chunks"])
        self.assertIn(b"neither true nor false", run("scan", self.target.pid, "--read-swapped=maybe", code=2).stderr)

    def test_procfs(self):
        self.assertEqual(ask("scan", self.target.pid, "--procfs", "/proc/self/../")["pid"], self.target.pid)
        self.assertIn(b"absolute", run("scan", self.target.pid, "--procfs", "proc", code=2).stderr)
        self.assertIn(self.directory.encode(), run("scan", self.target.pid, "--procfs", self.directory, code=2).stderr)

    @unittest.skipUnless(os.geteuid() == 0, "only root makes pid namespaces")
    def test_a_procfs_of_another_pid_namespace(self):
        file = os.path.join(self.directory, "config.yml")
        with open(file, "w", encoding="ascii") as out:
            out.write(config(1))
        for arguments in (["scan", "1"], ["scan", "-n", self.name], ["scan", "--all"], ["--check-access"],
                          ["--config.check", "--config.file", file, "--explain", "1"],
                          ["--web.listen-address=127.0.0.1:0"]):
            done = subprocess.run(["unshare", "--pid", "--fork", "--kill-child", PROGRAM, *arguments],
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
            self.assertIn(b"procfs is of another pid namespace: run with hostPID", done.stderr, arguments)
            self.assertEqual((done.returncode, done.stdout), (2, b""), arguments)

    def test_timeout(self):
        with Target("target_bench", "small", "512") as target:
            target.process.stdout.readline()
            self.assertRegex(run("scan", target.pid, "--timeout", "1ms", code=1).stderr, b"too long|time")
            self.assertTrue(ask("scan", target.pid, "--timeout", "5m")["last_scan_complete"])
        self.assertIn(b"500ms", run("scan", 1, "--timeout", "5", code=2).stderr)

    def test_output_that_cannot_be_written(self):
        for command in (["scan"], ["chunks"], ["sizes"], ["maps"], ["advise"]):
            with open("/dev/full", "wb") as full:
                said = run(command[0], self.target.pid, "--format", "json", stdout=full, code=1).stderr
            self.assertIn(b"stdout: No space left on device", said, command)
        for flags in (["--check-access", self.target.pid], ["--version"], ["--help"]):
            with open("/dev/full", "wb") as full:
                said = run(*flags, stdout=full, code=1).stderr
            self.assertIn(b"stdout: No space left on device", said, flags)


class OfTheService(unittest.TestCase):
    def test_telemetry_path(self):
        with Target("target_single") as target, Service(config(target.pid), "--web.telemetry-path", "/heaps") as service:
            self.assertIn(b"malloc_up{", service.get("/heaps")[2])
            self.assertEqual(service.get("/metrics")[0], 404)

    def test_procfs(self):
        said = run("--procfs", "proc", code=2).stderr
        self.assertIn(b"--procfs proc: must be an absolute path", said)
        with Target("target_single") as target, Service(config(target.pid), "--procfs=/proc/self/../") as service:
            self.assertEqual(value(service.metrics(), "malloc_up", target.pid), 1)

    def test_the_other_name_of_the_configuration(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            run("--config.check", "--config.path", file.name)
            file.write("scan: {interval: soon}\n")
            file.flush()
            self.assertIn(file.name.encode() + b":1:", run("--config.check", "--config.path", file.name, code=2).stderr)

    def test_a_snapshot_that_takes_too_long(self):
        with Target("target_bench", "small", "512") as target:
            target.process.stdout.readline()
            settings = config(target.pid, scan=", consistency: snapshot, snapshot_max_pause: 1ms")
            with Service(settings) as service:
                metrics = service.metrics()
                # on a busy machine its threads do not even stand still in time: then it is read live
                is_live = value(metrics, "malloc_last_scan_mode", target.pid, mode="live") == 1
                self.assertEqual(value(metrics, "malloc_up", target.pid), int(is_live))
                self.assertEqual(value(metrics, "malloc_last_scan_failure", target.pid, reason="timeout"),
                                 None if is_live else 1)
                # the attempt that failed says what it was, and that it stopped the process
                self.assertEqual(value(metrics, "malloc_last_scan_mode", target.pid, mode="snapshot"),
                                 None if is_live else 1)
                if not is_live:  # else some of its threads may have stood still, or none
                    self.assertGreater(value(metrics, "malloc_last_scan_max_pause_seconds", target.pid), 0)

    def test_a_dump_ends_at_its_time(self):
        with Target("target_bench", "small", "512") as target:
            target.process.stdout.readline()
            settings = config(target.pid).replace("access: local", "access: local, stream_timeout: 1s")
            with Service(settings) as service:
                connection = service.connection()
                connection.connect()
                # a gigabyte, through a window too small for that in a second
                connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.request("GET", f"/api/v1/processes/{target.pid}/chunks")
                with self.assertRaises(http.client.IncompleteRead):
                    connection.getresponse().read()
                connection.close()


if __name__ == "__main__":
    unittest.main()
