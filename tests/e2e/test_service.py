"""The whole product: configuration, scans, metrics, dumps, and what happens when a part of it dies."""
import ctypes
import json
import os
import shutil
import signal
import subprocess
import unittest

from service import PROGRAM, TARGETS, Service, Target, value

CONFIG = """
scan: {{interval: 200ms{scan}}}
limits: {{max_cpu: 6400%}}
discovery: {{interval: 200ms}}
api: {{access: {access}}}
process_names:
  - name: demo
    pid: [{pid}]
  - name: never
    comm: [no_such_process]
"""
STATES = ("in_use", "tcache", "fastbin", "unsorted", "small", "large", "top")


def config(pid, access="local", scan=""):
    return CONFIG.format(pid=pid, access=access, scan=scan)


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        found = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    return {**found, "voluntary_ctxt_switches": int(found["voluntary_ctxt_switches"])}


class Service_(unittest.TestCase):
    def test_numbers_add_up(self):
        with Target("demo") as demo, Service(config(demo.pid, scan=", consistency: snapshot")) as service:
            metrics = service.metrics()
            self.assertEqual(value(metrics, "malloc_up", demo.pid), 1)
            states = sum(value(metrics, "malloc_chunk_bytes", demo.pid, state=state) for state in STATES)
            self.assertEqual(value(metrics, "malloc_system_bytes", demo.pid),
                             states + value(metrics, "malloc_overhead_bytes", demo.pid) +
                             value(metrics, "malloc_unread_bytes", demo.pid))
            for check in ("arena_ring", "system_bytes", "top", "mmapped_chunks", "mmapped_bytes"):
                self.assertEqual(value(metrics, "malloc_reconciled", demo.pid, check=check), 1, check)
            self.assertEqual(value(metrics, "malloc_last_scan_mode", demo.pid, mode="snapshot"), 1)
            self.assertEqual(metrics['malloc_group_processes{groupname="never"}'], 0)
            self.assertEqual(metrics['malloc_scans_total{groupname="never",result="ok"}'], 0)

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_promtool_has_nothing_to_say(self):
        with Target("demo") as demo, Service(config(demo.pid)) as service:
            body = service.get("/metrics")[2]
            checked = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, check=False)
            self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, b""))

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_one_shot_exposition(self):
        with Target("demo") as demo:
            done = subprocess.run([PROGRAM, "scan", str(demo.pid), "--format", "prometheus"], capture_output=True,
                                  stdin=subprocess.DEVNULL, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f'malloc_up{{groupname="demo",pid="{demo.pid}"}} 1\n'.encode(), done.stdout)
            checked = subprocess.run(["promtool", "check", "metrics"], input=done.stdout, capture_output=True,
                                     check=False)
            self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, b""))

    def test_openmetrics(self):
        with Target("demo") as demo, Service(config(demo.pid)) as service:
            _, headers, body = service.get("/metrics", headers={"Accept": "application/openmetrics-text"})
            self.assertTrue(headers["Content-Type"].startswith("application/openmetrics-text"))
            self.assertTrue(body.endswith(b"# EOF\n"))
            self.assertIn(b"# TYPE malloc_scans counter\n", body)
            self.assertIn(b"# TYPE malloc_chunk_size_bytes gaugehistogram\n", body)
            self.assertTrue(service.get("/metrics")[1]["Content-Type"].startswith("text/plain; version=0.0.4"))

    def test_dump(self):
        with Target("demo") as demo, Service(config(demo.pid)) as service:
            path = f"/api/v1/processes/{demo.pid}/chunks"
            code, headers, body = service.get(path)
            self.assertEqual((code, headers["Content-Type"]), (200, "application/x-ndjson"))
            *records, last = map(json.loads, body.splitlines())
            self.assertEqual(last["summary"]["chunks"], len(records))
            self.assertEqual(last["summary"]["bytes"], sum(record["size"] for record in records))
            places = [int(record["address"], 16) for record in records]
            self.assertEqual(places, sorted(places))
            *records, last = map(json.loads, service.get(path + "?state=free&min_size=64&limit=5")[2].splitlines())
            self.assertEqual(len(records), 5)
            self.assertTrue(last["summary"]["limited"])
            self.assertTrue(all(record["size"] >= 64 and record["state"] != "in_use" for record in records))

    def test_snapshot_dump_equals_its_process(self):
        with Target("demo") as demo, Service(config(demo.pid, scan=", consistency: snapshot")) as service:
            *records, last = map(json.loads, service.get(f"/api/v1/processes/{demo.pid}/chunks")[2].splitlines())
            self.assertTrue(last["summary"]["complete"])
            self.assertEqual(last["summary"]["chunks"], len(records))
            self.assertEqual(last["summary"]["bytes"], sum(record["size"] for record in records))
            tops = [record for record in records if record["state"] == "top"]
            self.assertTrue(tops and all(record["user_address"] is None for record in tops))
            self.assertTrue(demo.runs())

    def test_a_dump_under_way(self):
        """A snapshot is over before it is sent, however slowly it is read; and a reload does not cut it off."""
        with Target("target_bench", "small", "32") as large:
            large.process.stdout.readline()
            text = config(large.pid, scan=", consistency: snapshot, snapshot_max_pause: 5s").replace("200ms,", "24h,", 1)
            with Service(text) as service:
                service.wait(lambda: value(service.metrics(), "malloc_up", large.pid) == 1)
                before = status_of(large.pid)
                connection = service.connection()
                connection.request("GET", f"/api/v1/processes/{large.pid}/chunks")
                answer = connection.getresponse()
                answer.read(1000)
                during = status_of(large.pid)
                # it sleeps: nothing but a stop wakes it
                self.assertGreater(during["voluntary_ctxt_switches"], before["voluntary_ctxt_switches"])
                self.assertEqual(during["TracerPid"], "0")
                self.assertFalse(during["State"].startswith(("t", "T")), during["State"])
                service.reload(config(large.pid, access="open"))
                service.wait_line("configuration reloaded")
                last = json.loads(answer.read().splitlines()[-1])
                self.assertTrue(last["summary"]["complete"])
                self.assertGreater(last["summary"]["bytes"], 32 << 20)

    def test_the_scanner_ends_in_a_reload(self):
        """That reload is refused, and the next one works."""
        with Target("demo") as demo, Service(config(demo.pid)) as service:
            scanner = service.roles()["scanner"]
            os.kill(scanner, signal.SIGSTOP)
            begin = len(service.lines)
            service.process.send_signal(signal.SIGHUP)
            os.kill(scanner, signal.SIGKILL)
            service.wait_line("configuration refused: the old one stays", begin=begin)
            service.wait(lambda: service.roles().get("scanner") not in (None, scanner))
            begin = len(service.lines)
            service.process.send_signal(signal.SIGHUP)
            service.wait_line("configuration reloaded", begin=begin)

    def test_errors(self):
        with Target("demo") as demo, Service(config(demo.pid)) as service:
            for path, method, code, word in (
                    ("/nowhere", "GET", 404, "not_found"),
                    ("/metrics", "POST", 405, "method_not_allowed"),
                    ("/api/v1/processes/1/chunks", "GET", 404, "not_selected"),
                    (f"/api/v1/processes/{demo.pid}/chunks?format=xml", "GET", 400, "bad_parameter"),
                    (f"/api/v1/processes/{demo.pid}/chunks?colour=red", "GET", 400, "bad_parameter"),
                    (f"/api/v1/processes/{demo.pid}/chunks?consistency=snapshot", "GET", 403,
                     "consistency_not_allowed")):
                answer = service.json(path, method=method)
                self.assertEqual((answer[0], answer[1]["error"]["code"]), (code, word), path)
            self.assertEqual(service.get("/metrics", method="DELETE")[1]["Allow"], "GET, HEAD")
            self.assertEqual(service.get("/metrics", method="HEAD")[2], b"")

    def test_access(self):
        with Target("demo") as demo, Service(config(demo.pid, access="authenticated")) as service:
            path = f"/api/v1/processes/{demo.pid}/chunks?limit=1"
            code, answer = service.json(path)
            self.assertEqual((code, answer["error"]["code"]), (403, "access_denied"))
            self.assertIn("--unix-socket", answer["error"]["message"])
            if os.geteuid() == 0:
                self.assertEqual(service.get(path, unix=True)[0], 200)

    def test_end_of_a_process(self):
        with Service(config(0x7fffffff)) as service:
            self.assertEqual(service.json("/api/v1/processes")[1]["processes"], [])
        with Target("demo") as demo, Service(config(demo.pid)) as service:
            self.assertEqual(value(service.metrics(), "malloc_up", demo.pid), 1)
            demo.process.kill()
            demo.process.wait()
            service.wait(lambda: value(service.metrics(), "malloc_up", demo.pid) is None)
            code, answer = service.json(f"/api/v1/processes/{demo.pid}")
            self.assertEqual((code, answer["error"]["code"]), (410, "process_ended"))

    def test_a_program_that_is_still_loading(self):
        # it stands at its exec, before the loader has mapped libc
        libc = ctypes.CDLL(None)
        with subprocess.Popen([os.path.join(TARGETS, "demo")], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              preexec_fn=lambda: libc.ptrace(0, 0, None, None)) as demo:
            try:
                os.waitpid(demo.pid, os.WUNTRACED)
                with Service(config(demo.pid)) as service:
                    self.assertEqual(service.json(f"/api/v1/processes/{demo.pid}")[1]["up"], None)
                    self.assertEqual(libc.ptrace(17, demo.pid, None, None), 0)
                    service.wait(lambda: value(service.metrics(), "malloc_up", demo.pid) == 1)
            finally:
                demo.kill()

    def test_a_heap_that_grows(self):
        with Target("target_bench", "small", "128") as target:
            def scan():
                return subprocess.run([PROGRAM, "scan", str(target.pid), "--format", "json"], capture_output=True,
                                      stdin=subprocess.DEVNULL, timeout=60, check=False)
            while scan().returncode != 0:
                pass  # it has not loaded its libc yet, or is about to
            for _ in range(15):
                done = scan()
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_roles_are_replaced(self):
        with Target("demo") as demo, Service(config(demo.pid)) as service:
            service.wait(lambda: service.metrics()['malloc_scans_total{groupname="demo",result="ok"}'] >= 3)
            before = service.metrics()['malloc_scans_total{groupname="demo",result="ok"}']
            os.kill(service.roles()["scanner"], signal.SIGKILL)

            def has_restarted():
                metrics = service.metrics()
                self.assertEqual(value(metrics, "malloc_up", demo.pid), 1)  # its last result stays meanwhile
                return metrics['malloc_exporter_restarts_total{role="scanner"}'] == 1
            service.wait(has_restarted)
            service.wait(lambda: service.metrics()['malloc_scans_total{groupname="demo",result="ok"}'] > before)
            os.kill(service.roles()["front"], signal.SIGKILL)
            service.wait(lambda: service.metrics()['malloc_exporter_restarts_total{role="front"}'] == 1)
            service.wait(lambda: value(service.metrics(), "malloc_up", demo.pid) == 1)
            self.assertTrue(demo.runs())

    def test_started_with_signals_ignored(self):
        with Target("demo") as demo, Service(config(demo.pid), wrapper=["env", "--ignore-signal=CHLD,TERM,HUP"]) as service:
            os.kill(service.roles()["front"], signal.SIGKILL)
            service.wait(lambda: service.metrics()['malloc_exporter_restarts_total{role="front"}'] == 1)
            service.process.send_signal(signal.SIGHUP)
            service.wait(lambda: any("reloaded" in line for line in service.lines))
            self.assertEqual(service.end()[0], 0)

    def test_end_of_the_keeper_is_the_end_of_all(self):
        with Target("demo") as demo, Service(config(demo.pid, scan=", consistency: snapshot")) as service:
            roles = service.roles()
            self.assertEqual(set(roles), {"front", "scanner"})
            service.process.kill()
            service.process.wait()

            def has_ended(pid):
                try:
                    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                        return file.read().rsplit(")", 1)[1].split()[0] == "Z"
                except OSError:
                    return True
            service.wait(lambda: all(map(has_ended, roles.values())))

            def is_let_go():
                with open(f"/proc/{demo.pid}/status", encoding="utf-8") as file:
                    return "TracerPid:\t0\n" in file.read()
            service.wait(is_let_go, seconds=10)  # the holder, if there was one, ends as the others do
            self.assertTrue(demo.runs())

    def test_sigterm(self):
        with Target("demo") as demo, Service(config(demo.pid)) as service:
            code, seconds = service.end()
            self.assertEqual(code, 0)
            self.assertLess(seconds, 2)
            self.assertTrue(demo.runs())

    def test_reload(self):
        with Target("demo") as demo, Target("demo") as other, Service(config(demo.pid)) as service:
            service.write("scan: {interval: soon}\n")
            service.process.send_signal(signal.SIGHUP)
            name = "malloc_exporter_config_last_reload_successful"
            service.wait(lambda: service.metrics()[name] == 0)
            service.wait_line(r"config\.yml:1:18:")
            self.assertEqual(value(service.metrics(), "malloc_up", demo.pid), 1)
            service.write(config(other.pid))
            service.process.send_signal(signal.SIGHUP)
            service.wait(lambda: service.metrics()[name] == 1)
            service.wait(lambda: value(service.metrics(), "malloc_up", other.pid) == 1)
            service.wait(lambda: value(service.metrics(), "malloc_up", demo.pid) is None)

    def test_bad_configuration(self):
        with Target("demo") as demo:
            for text, places in (
                    ("scan: {interval: soon, colour: 1}\nnowhere: 1\n", (":1:18:", ":1:24:", ":2:1:")),
                    ("process_names:\n  - name: '{{.Bad}}'\n    comm: [x]\n  - cmdline: ['(']\n",
                     (":2:12:", ":4:15:")),
                    ("scan: {consistency: exact}\n", (":1:21:",)),
                    ("scan: *here\n", (":1:7:",))):
                with Service(config(demo.pid), ready=False) as service:
                    service.write(text)
                    for flag in ((), ("--config.check",)):
                        done = subprocess.run([PROGRAM, "--config.file", service.file, "--web.listen-address",
                                               "127.0.0.1:0", *flag], stdin=subprocess.DEVNULL, capture_output=True,
                                              timeout=30, check=False)
                        self.assertEqual(done.returncode, 2, done.stderr)
                        for place in places:
                            self.assertIn((service.file + place).encode(), done.stderr)

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_live_calls_no_ptrace(self):
        with Target("demo") as demo:
            done = subprocess.run(["strace", "-f", "-e", "trace=ptrace,process_vm_readv", PROGRAM, "scan",
                                   str(demo.pid), "--format", "json"], stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=60, check=False,
                                  env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})  # that works by ptrace
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn(b"ptrace(", done.stderr)
            self.assertIn(b"process_vm_readv(", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
