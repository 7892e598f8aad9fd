"""The log: one line an event that any parser takes, whatever names hold; and nobody waits for who reads it."""
import fcntl
import json
import os
import re
import select
import shutil
import signal
import tempfile
import time
import unittest

from bare_service import Bare
from service import TARGETS, Target

CONFIG = """
scan: {{interval: 200ms}}
limits: {{max_cpu: 6400%}}
discovery: {{interval: 200ms}}
process_names:
  - {{name: "{{{{.Comm}}}}", pid: [{pids}]}}
"""
OK = re.compile(r'malloc_scans_total\{.*result="ok"\}')
HOSTILE = b'a "\n=\\\x1b[1m\xff\xc2\x85\x7f'
CLEANED = 'a "\n=\\\x1b[1m\ufffd\x85\x7f'


def config(*pids):
    return CONFIG.format(pids=", ".join(map(str, pids)))


def scans(service):
    return sum(number for key, number in service.metrics().items() if OK.match(key))


def parse_logfmt(line):
    """{key: value}, as go-logfmt's grammar has it; ValueError where it is none."""
    text = line.decode("utf-8")
    fields = {}
    at = 0
    while at < len(text):
        match = re.compile(r'([a-z_]+)=(?:"((?:[^"\\\x00-\x1f\x7f-\x9f]|\\["\\/bfnrtu])*)"|([^\s"=\\]+))(?: |$)').match(text, at)
        if not match:
            raise ValueError(f"no logfmt from {at} on: {text!r}")
        quoted = match.group(2)
        fields[match.group(1)] = json.loads(f'"{quoted}"') if quoted is not None else match.group(3)
        at = match.end()
    return fields


PARSERS = {"logfmt": parse_logfmt, "json": json.loads}


class Form(unittest.TestCase):
    def run_with(self, target, *flags):
        """The log's lines of a service from its start to its end."""
        with Bare(config(target.pid), *flags) as service:
            service.wait_ready()
            service.wait(lambda: scans(service) > 2)
            self.assertEqual(service.end(), 0)
            return service.lines()

    def test_hostile_names(self):
        with tempfile.TemporaryDirectory(prefix="malloc_exporter-test-") as directory:
            path = os.path.join(directory.encode(), HOSTILE)
            shutil.copy(os.path.join(TARGETS, "demo"), path)
            for name, parse in PARSERS.items():
                with Target(os.fsdecode(path)) as target:
                    lines = [parse(line) for line in self.run_with(target, "--log.format", name)]
                scanned = [line for line in lines if line["msg"] == "process is scanned"]
                self.assertEqual([line["comm"] for line in scanned], [CLEANED], name)
                self.assertEqual(scanned[0]["pid"], str(target.pid))
                for line in lines:
                    self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
                    self.assertIn(line["level"], ("debug", "info", "warn", "error"))
                    self.assertIn(line["role"], ("keeper", "front", "scanner"))

    def test_long_values_are_cut(self):
        """Each error of a configuration is a line, also of a value of 3,000 characters that need an escape."""
        for name, parse in PARSERS.items():
            text = 'scan: {interval: "' + "\\t" * 3000 + '"}\nnowhere: 1\n'
            with Bare(text, "--log.format", name) as service:
                self.assertEqual(service.process.wait(timeout=60), 2)
                lines = service.lines()
            self.assertTrue(all(len(line) < 4096 for line in lines))
            wrong = [line for line in map(parse, lines) if line["msg"] == "the configuration is wrong"]
            self.assertTrue(any("nowhere" in line["error"] for line in wrong), lines)

    def test_levels(self):
        levels = ("debug", "info", "warn", "error")
        with Target("demo") as target:
            seen = {level: {parse_logfmt(line)["level"] for line in self.run_with(target, "--log.level", level)}
                    for level in levels}
        for at, level in enumerate(levels):
            self.assertTrue(seen[level] <= set(levels[at:]), seen)
        self.assertIn("debug", seen["debug"])
        self.assertIn("info", seen["info"])

    def test_never_a_line_a_scan(self):
        with Target("demo") as target, Bare(config(target.pid), "--log.level", "info") as service:
            service.wait_ready()
            before, begin = service.lines(), scans(service)
            service.wait(lambda: scans(service) > begin + 10)
            self.assertEqual(service.lines(), before)


class Unread(unittest.TestCase):
    def fill(self):
        """A pipe that is full to the last byte."""
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(writer, False)
        for size in (4096, 1):
            try:
                while True:
                    os.write(writer, b"x" * size)
            except BlockingIOError:
                pass
        os.set_blocking(writer, True)  # as a shell gives it
        self.addCleanup(os.close, reader)
        return reader, writer

    def test_nobody_waits_for_the_reader(self):
        reader, writer = self.fill()
        with Target("demo") as first, Target("demo") as second, \
                Bare(config(first.pid, second.pid), "--log.level", "debug", stderr=writer) as service:
            os.close(writer)
            service.wait_ready()
            for step in range(3):  # events of each role, and a wrong configuration of many lines
                before = scans(service)
                with open(service.file, "w", encoding="utf-8") as file:
                    file.write("".join(f"wrong{i}: 1\n" for i in range(500)) if step == 1 else config(first.pid))
                service.process.send_signal(signal.SIGHUP)
                good = float(step != 1)
                service.wait(lambda: service.metrics().get("malloc_exporter_config_last_reload_successful") == good)
                service.wait(lambda: scans(service) > before + 3)
            restarts = {key: number for key, number in service.metrics().items() if "restarts_total" in key}
            self.assertFalse(any(restarts.values()), restarts)
            dropped = self.read_dropped(reader, {"keeper", "scanner"})
            self.assertGreater(dropped["scanner"], 10)  # the pipe had room for none of its lines
            self.assertEqual(service.end(), 0)

    def read_dropped(self, reader, roles):
        """How many lines each role says that it has lost, without anything else happening."""
        text = b""
        dropped = {}
        limit = time.monotonic() + 60
        while not roles <= set(dropped):
            self.assertLess(time.monotonic(), limit, text[-2000:])
            if select.select([reader], [], [], 1)[0]:
                text += os.read(reader, 65536)
            for line in text.lstrip(b"x").split(b"\n")[:-1]:
                fields = parse_logfmt(line)
                if "dropped_lines" in fields:
                    dropped[fields["role"]] = int(fields["dropped_lines"])
        return dropped

    def check_service(self, **arguments):
        with Target("demo") as target, Bare(config(target.pid), **arguments) as service:
            service.wait_ready()
            service.wait(lambda: scans(service) > 2)
            with open(f"/proc/{service.process.pid}/fd/2", "rb"):  # something stands there: no socket, no file of ours
                self.assertFalse(os.readlink(f"/proc/{service.process.pid}/fd/2").startswith("socket:"))
            self.assertEqual(service.end(), 0)
            self.assertTrue(target.runs())

    def test_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            self.check_service(stderr=full)

    def test_closed(self):
        self.check_service(preexec_fn=lambda: os.close(2))

    def test_all_three_closed(self):
        self.check_service(preexec_fn=lambda: os.closerange(0, 3))


if __name__ == "__main__":
    unittest.main(verbosity=2)
