"""HTTP as it must be: methods, negotiation, packing, errors, names of any bytes, one process never for another."""
import ctypes
import gzip
import html.parser
import json
import os
import re
import subprocess
import sys
import unittest
import zlib

from service import TARGETS, Service, Target, value

CONFIG = """
scan: {interval: 200ms}
discovery: {interval: 200ms}
api: {access: local, max_streams: 1}
process_names:
  - {name: "%s", pid: [%d]}
"""
PROTOBUF = ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.8,"
            "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
TEXT, OPEN = "text/plain; version=0.0.4", "application/openmetrics-text; version=1.0.0"


def config(pid, name="demo"):
    return CONFIG % (name, pid)


class Http(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.demo = cls.enterClassContext(Target("demo"))
        cls.service = cls.enterClassContext(Service(config(cls.demo.pid)))

    def test_methods(self):
        process = f"/api/v1/processes/{self.demo.pid}"
        for path in ("/", "/metrics", "/-/healthy", "/-/ready", "/api/v1/processes", process, process + "/chunks",
                     process + "/sizes", process + "/arenas", process + "/advice", process + "/status", process + "/maps"):
            with self.subTest(path):
                code, headers, body = self.service.get(path)
                self.assertEqual(code, 200)
                self.assertTrue(body)
                head = self.service.get(path, method="HEAD")
                self.assertEqual((head[0], head[2], head[1]["Content-Type"]), (200, b"", headers["Content-Type"]))
                self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
                self.assertEqual(headers["Cache-Control"], "no-store" if path.startswith("/api/") else None)
                for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"):
                    code, headers, body = self.service.get(path, method=method)
                    self.assertEqual((code, headers["Allow"]), (405, "GET, HEAD"), method)
                    self.assertEqual(json.loads(body)["error"]["code"], "method_not_allowed")

    def test_reload_needs_its_flag(self):
        for method, code in (("GET", 405), ("POST", 403), ("PUT", 403)):
            self.assertEqual(self.service.get("/-/reload", method=method)[0], code)
        self.assertEqual(self.service.get("/-/reload")[1]["Allow"], "POST, PUT")
        with Service(config(self.demo.pid), "--web.enable-lifecycle") as service:
            for method in ("POST", "PUT"):
                begin = len(service.lines)
                self.assertEqual(service.get("/-/reload", method=method)[0], 200)
                service.wait_line("reload", begin=begin)

    def test_unknown_paths(self):
        for path in ("/nowhere", "/metrics/", "//", "/api/v1/processes/", "/api/v1/processes/x", "/api/v1/processes/-1",
                     "/api/v1/processes/0", "/api/v1/processes/01", "/api/v1/processes/99999999999999999999",
                     "/api/v1/processes/1/nothing", "/%00", "/..", "/" + "a" * 20000):
            code, answer = self.service.json(path)
            self.assertEqual((code, answer["error"]["code"]), (404, "not_found"), path)
        self.assertEqual(self.service.json("/api/v1/processes/1")[1]["error"]["code"], "not_selected")

    def test_bad_parameters_name_what_is_allowed(self):
        process = f"/api/v1/processes/{self.demo.pid}"
        for query, words in (
                ("/chunks?format=xml", ("format", "ndjson, json, csv or text")),
                ("/chunks?state=lost", ("state", "in_use")),
                ("/chunks?limit=0", ("limit", "from 1")),
                ("/chunks?limit=-1", ("limit", "from 1")),
                ("/chunks?limit=18446744073709551616", ("limit", "from 1")),
                ("/chunks?min_size=5&max_size=4", ("min_size", "max_size")),
                ("/chunks?arena=x", ("arena", "index")),
                ("/chunks?limit=1&limit=2", ("limit", "twice")),
                ("/chunks?limit", ("limit", "from 1")),
                ("/chunks?limit=1%00", ("limit", "from 1")),
                ("/chunks?content=5000", ("content", "4096")),
                ("/chunks?consistency=exact", ("consistency", "live, sliced or snapshot")),
                ("/chunks?colour=red", ("colour", "format, state")),
                ("/chunks?%ff%22=1", ("unknown parameter", "format")),
                ("/sizes?top=0", ("top", "1 to 100000")),
                ("/arenas?format=csv", ("format", "consistency"))):
            code, answer = self.service.json(process + query)
            self.assertEqual((code, answer["error"]["code"]), (400, "bad_parameter"), query)
            for word in words:
                self.assertIn(word, answer["error"]["message"], query)
        for path in (process, "/api/v1/processes"):
            self.assertEqual(self.service.json(path + "?x=1")[0], 400)

    def test_accept(self):
        for accept, expected in (
                (None, TEXT), ("", TEXT), ("*/*", TEXT), ("text/*", TEXT), ("garbage;;q=,,/", TEXT),
                ("application/openmetrics-text", OPEN), ("APPLICATION/OpenMetrics-Text ; Version=1.0.0", OPEN),
                ("application/openmetrics-text;version=\"1.0.0\"", OPEN),
                ("application/openmetrics-text;version=2.0.0", TEXT),
                ("application/openmetrics-text;version=0.0.1,text/plain;q=0.1", TEXT),
                ("application/openmetrics-text;q=0", TEXT), ("application/openmetrics-text;q=0.000,*/*", TEXT),
                ("application/openmetrics-text;q=0.3,text/plain;version=0.0.4;q=0.4", TEXT),
                ("text/plain;version=0.0.4;q=0.4,application/openmetrics-text;q=0.41", OPEN),
                ("text/plain;version=1.0.0;q=0.9,application/openmetrics-text;version=1.0.0;q=0.3", OPEN),
                ("text/html,application/xml;q=0.9", TEXT), ("application/json", TEXT), (PROTOBUF, OPEN),
                (PROTOBUF.replace("application/openmetrics-text", "application/x"), TEXT),
                ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                 "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,*/*;q=0.1", OPEN)):
            headers = self.service.get("/metrics", headers={} if accept is None else {"Accept": accept})[1]
            self.assertTrue(headers["Content-Type"].startswith(expected), (accept, headers["Content-Type"]))
            self.assertEqual(headers["Vary"], "Accept, Accept-Encoding")

    def test_page(self):
        with Target("demo") as demo, Service(config(demo.pid) + "  - {name: empty, comm: [no_such_process]}\n") as service:
            service.wait(lambda: value(service.metrics(), "malloc_up", demo.pid) == 1)
            code, _, body = service.get("/")
            page = body.decode()
            self.assertEqual(code, 200)
            self.assertIn("1 process in 2 groups", page)
            self.assertIn("no process", page)
            self.assertEqual(page.count("<svg"), 1)
            self.assertEqual(page.count("<rect"), 8)
            self.assertIn(f"/api/v1/processes/{demo.pid}/chunks", page)
            for tag in ("div", "section", "svg", "span", "a", "b", "h2"):
                self.assertEqual(len(re.findall(f"<{tag}[ >]", page)), page.count(f"</{tag}>"), tag)
        with Service("{}\n", ready=False) as service:
            self.assertEqual(service.wait(lambda: service.get("/"))[0], 200)

    def test_gzip(self):
        for encoding, packs in (("gzip", True), ("x, GZIP;q=0.5", True), ("*", True), ("gzip;q=0", False),
                                ("identity", False), ("deflate, br", False), ("gzip;q=0, *", False)):
            for path in ("/metrics", f"/api/v1/processes/{self.demo.pid}", "/"):
                code, headers, body = self.service.get(path, headers={"Accept-Encoding": encoding})
                self.assertEqual(code, 200)
                self.assertIn("Accept-Encoding", headers["Vary"])
                self.assertEqual(headers["Content-Encoding"], "gzip" if packs else None, (encoding, path))
                if packs:
                    body = gzip.decompress(body)
                if path.startswith("/api/"):
                    json.loads(body)
        head = self.service.get("/metrics", method="HEAD", headers={"Accept-Encoding": "gzip"})
        self.assertEqual(head[1]["Content-Encoding"], "gzip")
        with self.assertRaises(zlib.error):
            zlib.decompress(self.service.get("/metrics")[2])

    def test_requests_are_counted(self):
        def count(code, handler):
            return self.service.metrics().get(
                f'malloc_exporter_http_requests_total{{code="{code}",handler="{handler}"}}', 0)
        before = count(404, "other")
        self.service.get("/nowhere")
        self.service.wait(lambda: count(404, "other") == before + 1)

    def test_too_many_streams(self):
        connection = self.service.connection()
        with Target("target_bench", "small", "16") as large, Service(config(large.pid)) as service:
            service.wait(lambda: value(service.metrics(), "malloc_up", large.pid) == 1)
            connection = service.connection()
            connection.request("GET", f"/api/v1/processes/{large.pid}/chunks")
            answer = connection.getresponse()
            code, headers, body = service.get(f"/api/v1/processes/{large.pid}/chunks")
            self.assertEqual((code, json.loads(body)["error"]["code"]), (429, "too_many_streams"))
            self.assertGreater(int(headers["Retry-After"]), 0)
            self.assertIn("api.max_streams", json.loads(body)["error"]["message"])
            answer.close()
            connection.close()
            service.wait(lambda: service.get(f"/api/v1/processes/{large.pid}/chunks?limit=1")[0] == 200)


def named(name, *command):
    """A process whose comm is @name (bytes)."""
    code = ("import ctypes,sys,os\nctypes.CDLL(None).prctl(15, %r, 0, 0, 0)\nprint(flush=True)\nsys.stdin.read()" % name)
    return Target(sys.executable, "-c", code, *command)


class Strict(html.parser.HTMLParser):
    """Collects elements, and what could load or run something."""

    def __init__(self):
        super().__init__()
        self.tags, self.bad = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for key, text in attrs:
            if key.startswith("on") or (key in ("href", "src") and not text.startswith("/")):
                self.bad.append((tag, key, text))


class Names(unittest.TestCase):
    def test_names_of_any_bytes(self):
        for name in (b"\xff\xfe\x80", b"a\"b\\c\nd", b"<b>&'\"x", b"\x01\x1b[2J", "ä€😀".encode(), b"{}=,"):
            with self.subTest(name), named(name) as target:
                target.process.stdout.readline()
                with Service(config(target.pid)) as service:
                    service.wait(lambda: service.json(f"/api/v1/processes/{target.pid}")[1]["up"] is not None)
                    (process,) = service.json("/api/v1/processes")[1]["processes"]
                    self.assertEqual(process["comm"], name.decode("utf-8", "replace"))
                    service.get("/metrics")[2].decode("utf-8")
                    self.assertEqual(len([key for key in service.metrics() if key.startswith("malloc_process_info{")]), 1)
                    service.get("/")[2].decode("utf-8")

    def test_names_cannot_script_the_page(self):
        evil = b"<script>x()"
        with named(evil) as target:
            target.process.stdout.readline()
            with Service(config(target.pid, "<img src=//x onerror=y()>'&")) as service:
                service.wait(lambda: service.json(f"/api/v1/processes/{target.pid}")[1]["up"] is not None)
                code, headers, body = service.get("/")
                self.assertEqual(code, 200)
                page = Strict()
                page.feed(body.decode())
                self.assertEqual(page.bad, [])
                self.assertFalse({"script", "img", "link", "iframe", "object", "b"} & (page.tags - {"b"}))
                self.assertIn(b"&lt;script&gt;x()", body)
                self.assertIn(b"&lt;img src=//x onerror=y()&gt;", body)
                policy = headers["Content-Security-Policy"]
                self.assertIn("default-src 'none'", policy)
                self.assertNotIn("script", policy)
                self.assertFalse(re.search(rb"(src|href)=[\"']?(https?:)?//", body.replace(b"src=//x onerror", b"")))


class Identity(unittest.TestCase):
    def test_exec_is_another_process(self):
        """The pid stays, the program does not: nothing of the first is shown as the second's."""
        libc = ctypes.CDLL(None)
        command = [sys.executable, "-c",
                   "import os,sys\nblock = bytearray(50 << 20)\nprint(flush=True)\nsys.stdin.readline()\n"
                   f"os.execv({os.path.join(TARGETS, 'demo')!r}, ['demo'])"]
        self.assertIsNotNone(libc)
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            try:
                process.stdout.readline()
                with Service(config(process.pid)) as service:
                    def numbers():
                        return service.json(f"/api/v1/processes/{process.pid}")[1]
                    service.wait(lambda: numbers()["up"] == 1)
                    self.assertGreater(numbers()["active_bytes"], 50 << 20)
                    process.stdin.write(b"\n")
                    process.stdin.flush()

                    def is_new():
                        seen = numbers()
                        if seen.get("comm") == "demo" and seen["up"] == 1:  # an error while it is neither
                            self.assertLess(seen["active_bytes"], 50 << 20)
                            return True
                        return False
                    service.wait(is_new)
            finally:
                process.kill()

    def test_a_pid_that_is_used_again(self):
        """After its end the pid is 410, and for the next process with it the page starts anew."""
        with open("/proc/sys/kernel/pid_max", encoding="ascii") as file:
            self.assertGreater(int(file.read()), 0)
        with Target("demo") as demo:
            pid, service = demo.pid, Service(config(demo.pid))
            with service:
                service.wait(lambda: service.json(f"/api/v1/processes/{pid}")[1]["up"] == 1)
                demo.process.kill()
                demo.process.wait()
                service.wait(lambda: service.get(f"/api/v1/processes/{pid}")[0] == 410)
                try:
                    with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as file:
                        file.write(str(pid - 1))
                except OSError:
                    self.skipTest("only root in its pid namespace may choose a pid")
                with Target("demo") as again:
                    if again.pid != pid:
                        self.skipTest("another process took the pid")
                    service.wait(lambda: service.get(f"/api/v1/processes/{pid}")[0] == 200)
                    answer = service.json(f"/api/v1/processes/{pid}")[1]
                    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                        ticks = int(file.read().rsplit(")", 1)[1].split()[19])
                    with open("/proc/stat", encoding="ascii") as file:
                        boot = next(int(line.split()[1]) for line in file if line.startswith("btime"))
                    begun = boot + ticks / os.sysconf("SC_CLK_TCK")
                    self.assertAlmostEqual(answer["process_start_time_seconds"], begun, delta=2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
