"""Every error of the HTTP interface: its code, its JSON, the headers that go with it, and words that tell why."""
import concurrent.futures
import json
import os
import shutil
import signal
import unittest

from service import Service, Target, value
from test_web_config import HASH, Files

AS_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
CONFIG = """
scan: {{interval: 200ms, consistency: {consistency}}}
limits: {{max_cpu: 6400%}}
discovery: {{interval: 200ms}}
api: {{access: {access}, max_streams: {streams}, snapshot_buffer: {buffer}}}
process_names:
  - {{name: demo, pid: [{pid}]}}
"""
WALKS = ("chunks", "sizes", "arenas", "heapmap?cells=10")


def config(pid, access="local", consistency="live", buffer="64MiB", streams=1):
    return CONFIG.format(pid=pid, access=access, consistency=consistency, buffer=buffer, streams=streams)


class Case(unittest.TestCase):
    def refused(self, service, path, code, name, *words, method="GET", **more):
        """It is answered so; its headers."""
        answer, headers, body = service.get(path, method=method, **more)
        self.assertEqual(answer, code, (path, body))
        self.assertEqual(headers["Content-Type"], "application/json")
        error = json.loads(body)["error"]
        self.assertEqual((set(error), error["code"]), ({"code", "message"}, name), path)
        for word in words:
            self.assertIn(word, error["message"], path)
        return headers


class Errors(Case):
    def test_what_is_wrong_with_a_request(self):
        with Target("demo") as demo, Service(config(demo.pid)) as service:
            process = f"/api/v1/processes/{demo.pid}"
            self.refused(service, process + "/chunks?format=xml", 400, "bad_parameter", "format", "ndjson")
            self.refused(service, "/nowhere", 404, "not_found")
            self.refused(service, process + "/address/10", 404, "not_found")
            for path in ("/api/v1/processes/1", "/api/v1/processes/1/chunks", "/api/v1/processes/1/maps"):
                self.refused(service, path, 404, "not_selected", "configuration")
            for path, method, allowed in (("/metrics", "POST", "GET, HEAD"), (process, "DELETE", "GET, HEAD"),
                                          ("/-/reload", "GET", "POST, PUT")):
                headers = self.refused(service, path, 405, "method_not_allowed", method=method)
                self.assertEqual(headers["Allow"], allowed)

    def test_what_may_not_be_asked(self):
        with Target("demo") as demo, Service(config(demo.pid, access="authenticated")) as service:
            process = f"/api/v1/processes/{demo.pid}"
            for path in ("chunks", "arenas", "maps", "symbols?match=x"):
                self.refused(service, f"{process}/{path}", 403, "access_denied", "api.access", "curl --unix-socket")
            self.refused(service, "/-/reload", 403, "access_denied", "--web.enable-lifecycle", method="POST")
            # what follows lies behind that door
            for path in ("memory?at=1000&length=8", "strings", "search?text=x", "chunks?content=1",
                         "struct/malloc_chunk?at=1000"):
                self.refused(service, f"{process}/{path}", 403, "memory_disabled", "api.memory", unix=True)
            for path in ("chunks", "sizes", "arenas"):
                self.refused(service, f"{process}/{path}?consistency=sliced", 403, "consistency_not_allowed",
                             "api.max_consistency", unix=True)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "needs a process of another user")
    def test_what_the_kernel_does_not_allow(self):
        with Target("demo") as demo, Service(config(demo.pid), wrapper=AS_NOBODY) as service:
            process = f"/api/v1/processes/{demo.pid}"
            service.wait(lambda: value(service.metrics(), "malloc_up", demo.pid) == 0)
            for path in (*WALKS, "maps", "advice"):
                self.refused(service, f"{process}/{path}", 403, "no_permission", "CAP_SYS_PTRACE")

    def test_a_process_that_has_ended(self):
        with Target("demo") as demo, Service(config(demo.pid)) as service:
            process = f"/api/v1/processes/{demo.pid}"
            service.wait(lambda: service.json(process)[1]["up"] == 1)
            demo.process.kill()
            demo.process.wait()
            service.wait(lambda: service.get(process)[0] == 410)
            for path in ("", *("/" + walk for walk in WALKS), "/maps", "/advice"):
                self.refused(service, process + path, 410, "process_ended")

    def test_a_heap_that_is_too_large(self):
        with Target("target_bench", "small", "16") as large, \
                Service(config(large.pid, consistency="snapshot", buffer="64KiB")) as service:
            process = f"/api/v1/processes/{large.pid}"
            service.wait(lambda: service.json(process)[1]["up"] == 1)
            self.refused(service, process + "/chunks", 413, "heap_too_large", "api.snapshot_buffer", "consistency=live")
            self.assertEqual(service.get(process + "/chunks?consistency=live&limit=1")[0], 200)

    def test_another_allocator(self):
        """A Go program: no malloc of glibc, whatever is asked of its heap."""
        with Target("target_go_like") as other, Service(config(other.pid)) as service:
            process = f"/api/v1/processes/{other.pid}"
            answer = service.wait(lambda: next((row for row in [service.json(process)[1]] if row["allocator"]), None))
            self.assertIsNone(answer["up"])
            for path in (*WALKS, "advice"):
                self.refused(service, f"{process}/{path}", 415, "unsupported_allocator", "glibc malloc")
            self.assertEqual(service.get(process + "/maps")[0], 200)

    def test_too_many_dumps(self):
        with Target("target_bench", "small", "16") as large, Service(config(large.pid)) as service:
            process = f"/api/v1/processes/{large.pid}"
            service.wait(lambda: service.json(process)[1]["up"] == 1)
            connection = service.connection()
            connection.request("GET", process + "/chunks")
            answer = connection.getresponse()
            headers = self.refused(service, process + "/chunks", 429, "too_many_streams", "api.max_streams")
            self.assertGreater(int(headers["Retry-After"]), 0)
            answer.close()
            connection.close()

    def test_too_many_stops(self):
        """Requests stop a process for a twentieth of the time at most: of many at once most are told when to come."""
        clients = 8
        with Target("target_bench", "small", "64") as large, \
                Service(config(large.pid, consistency="snapshot", streams=clients)) as service:
            process = f"/api/v1/processes/{large.pid}"
            service.wait(lambda: service.json(process)[1]["up"] == 1)
            with concurrent.futures.ThreadPoolExecutor(clients) as pool:
                answers = list(pool.map(lambda _: service.get(process + "/sizes?top=1"), range(clients)))
            self.assertEqual({code for code, _, _ in answers}, {200, 429})
            for code, headers, body in answers:
                if code == 429:
                    error = json.loads(body)["error"]
                    self.assertEqual(error["code"], "too_many_stops")
                    self.assertIn("consistency=live", error["message"])
                    self.assertGreater(int(headers["Retry-After"]), 0)
            self.assertEqual(service.get(process + "/sizes?top=1&consistency=live")[0], 200)
            service.wait(lambda: service.get(process + "/sizes?top=1")[0] == 200)

    def test_not_ready(self):
        with Target("target_stuck") as stuck:
            if stuck.process.stdout.readline() != b"stuck\n":
                self.skipTest("the kernel gives no userfaultfd")
            # its first scan hangs for longer than this test takes
            with Service(config(stuck.pid), ready=False) as service:
                self.refused(service, "/-/ready", 503, "not_ready")
                process = f"/api/v1/processes/{stuck.pid}"
                service.wait(lambda: service.get(process)[0] == 200)
                headers = self.refused(service, process + "/advice", 503, "not_ready")
                self.assertGreater(int(headers["Retry-After"]), 0)

    def test_no_scanner(self):
        with Target("demo") as demo, Service(config(demo.pid)) as service:
            process = f"/api/v1/processes/{demo.pid}"
            service.wait(lambda: service.json(process)[1]["up"] == 1)
            scanner = service.roles()["scanner"]
            service.process.send_signal(signal.SIGSTOP)  # so that it is not replaced
            os.kill(scanner, signal.SIGKILL)
            service.wait(lambda: "not running" in service.get(process + "/chunks")[2].decode())
            for path in WALKS:
                self.refused(service, f"{process}/{path}", 503, "unavailable", "scanner is not running")
            self.assertEqual(service.get("/metrics")[0], 200)
            service.process.send_signal(signal.SIGCONT)
            service.wait(lambda: service.get(process + "/chunks")[0] == 200)


class Unauthorized(Files, Case):
    def test_no_user(self):
        with self.service(f"basic_auth_users: {{known: {HASH}}}\n") as service:
            for path in ("/", "/metrics", "/-/healthy", "/api/v1/processes", "/nowhere"):
                headers = self.refused(service, path, 401, "unauthorized", "basic_auth_users")
                self.assertIn("Basic", headers["WWW-Authenticate"])
            self.assertEqual(service.get_auth("/metrics", "known", "secret")[0], 200)
            self.assertEqual(service.get_auth("/nowhere", "known", "secret")[0], 404)


del Files, Case  # their tests are none of this file


if __name__ == "__main__":
    unittest.main(verbosity=2)
