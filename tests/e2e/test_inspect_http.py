"""The same inspections over HTTP: who may ask what, the answers of the commands, errors as the contract has them."""
import json
import os
import unittest

from commands import ask
from service import Service, Target

CONFIG = """
scan: {{interval: 200ms}}
limits: {{max_cpu: 6400%}}
discovery: {{interval: 200ms}}
api: {{access: {access}, memory: {memory}}}
process_names:
  - name: demo
    pid: [{pid}]
"""
ADDRESSES = ("maps", "symbols?match=malloc", "address/7f", "struct/malloc_par", "memory?at=1000&length=8", "strings",
             "search?text=x")
MEMORY = ("struct/malloc_chunk?at=1000", "memory?at=1000&length=8", "strings", "search?text=x")


def config(pid, access="local", memory="true"):
    return CONFIG.format(pid=pid, access=access, memory=memory)


class Inspections(unittest.TestCase):
    def ask(self, service, path, code=200):
        status, body = service.json(f"/api/v1/processes/{path}")
        self.assertEqual(status, code, body)
        return body if code == 200 else (body["error"]["code"], body["error"]["message"])

    def test_answers_are_those_of_the_commands(self):
        with Target("target_threads") as target, Service(config(target.pid)) as service:
            target.answer()
            pid = target.pid
            block = next(json.loads(line) for line in service.get(f"/api/v1/processes/{pid}/chunks?state=in_use")[2]
                         .decode().splitlines())["user_address"]
            pairs = [("struct/malloc_par", ["struct", pid, "malloc_par"]),
                     ("struct/malloc_state", ["struct", pid, "malloc_state"]),
                     (f"struct/malloc_chunk?at={block}", ["struct", pid, "malloc_chunk", block]),
                     ("symbols?match=malloc_info&exact=1", ["symbols", pid, "--exact", "malloc_info"]),
                     (f"address/{block}", ["address", pid, block]),
                     (f"memory?at={block}&length=64", ["memory", pid, block, 64]),
                     ("memory?region=[stack]", ["memory", pid, "[stack]"]),
                     ("search?text=GNU&limit=3", ["search", pid, "--text", "GNU", "--limit", 3]),
                     ("search?bytes=7f454c46", ["search", pid, "--bytes", "7f454c46"])]
            for path, command in pairs:
                with self.subTest(path):
                    ours, theirs = self.ask(service, f"{pid}/{path}"), ask(*command)
                    for answer in (ours, theirs):
                        answer.pop("read_bytes", None)
                    self.assertEqual(ours, theirs)
            maps = self.ask(service, f"{pid}/maps")
            self.assertEqual([row["start"] for row in maps["mappings"]], [row["start"] for row in ask("maps", pid)["mappings"]])
            self.assertGreater(self.ask(service, f"{pid}/strings?min=10")["found"], 0)
            self.assertNotIn("0x", json.dumps(self.ask(service, f"{pid}/status")))
            advice = self.ask(service, f"{pid}/advice")
            self.assertIn("verdict", advice)
            self.assertIn("in_use", [finding["code"] for finding in advice["findings"]])

    def test_who_may_ask(self):
        with Target("demo") as demo, Service(config(demo.pid, access="authenticated", memory="false")) as service:
            for path in ADDRESSES:
                code, message = self.ask(service, f"{demo.pid}/{path}", 403)
                self.assertEqual(code, "access_denied")
                self.assertIn("api.access", message)
            for path in ("status", "advice"):
                self.ask(service, f"{demo.pid}/{path}")

    def test_memory_is_a_setting(self):
        with Target("demo") as demo, Service(config(demo.pid, memory="false")) as service:
            for path in MEMORY:
                code, message = self.ask(service, f"{demo.pid}/{path}", 403)
                self.assertEqual(code, "memory_disabled")
                self.assertIn("api.memory", message)
            for path in ("maps", "struct/malloc_state", "struct/malloc_par", "symbols?match=malloc"):
                self.ask(service, f"{demo.pid}/{path}")
            # by that name nothing but the books can be read
            stack = next(row for row in self.ask(service, f"{demo.pid}/maps")["mappings"] if row["kind"] == "stack")
            self.ask(service, f"{demo.pid}/struct/malloc_state?at={stack['start']}", 404)

    def test_content_of_chunks(self):
        with Target("demo") as demo, Service(config(demo.pid)) as service:
            lines = service.get(f"/api/v1/processes/{demo.pid}/chunks?content=16&state=in_use&limit=50")[2].decode().splitlines()
            self.assertEqual([len(json.loads(line)["content"]) for line in lines[1:-1]], [32] * (len(lines) - 2))
            status, body = service.json(f"/api/v1/processes/{demo.pid}/chunks?content=16&consistency=snapshot")
            self.assertEqual((status, body["error"]["code"]), (400, "bad_parameter"))
        with Target("demo") as demo, Service(config(demo.pid, memory="false")) as service:
            self.assertEqual(self.ask(service, f"{demo.pid}/chunks?content=16", 403)[0], "memory_disabled")
            self.ask(service, f"{demo.pid}/advice")

    def test_a_reader_that_leaves_ends_the_work(self):
        with Target("target_bench", "small", "256") as target, Service(config(target.pid)) as service:
            target.answer()
            for _ in range(8):  # more than api.max_streams at once
                connection = service.connection()
                connection.request("GET", f"/api/v1/processes/{target.pid}/memory?region=[heap]")
                answer = connection.getresponse()
                self.assertEqual(answer.status, 200)
                self.assertTrue(answer.read(100).startswith(b'{"pid":'))
                answer.close()
                connection.close()
                # its place is free again only when the scanner has let go
                service.wait(lambda: service.get(f"/api/v1/processes/{target.pid}/struct/malloc_par")[0] == 200)

    def test_errors(self):
        with Target("demo") as demo, Service(config(demo.pid)) as service:
            for path, word in (("address/xyz", "hexadecimal"), ("symbols", "name is missing"),
                               ("memory?at=1000", "length"), ("memory?at=1000&length=0", "length"),
                               ("search", "bytes, text and pointer"), ("search?bytes=123", "hexadecimal"),
                               ("search?bytes=12&text=x", "text"), ("strings?min=0", "min"), ("maps?x=1", "none"),
                               ("search?text=x&limit=1000000", "limit"), ("struct/malloc_chunk", "address is missing")):
                code, message = self.ask(service, f"{demo.pid}/{path}", 400)
                self.assertEqual(code, "bad_parameter", path)
                self.assertIn(word, message)
            self.assertEqual(self.ask(service, f"{demo.pid}/address/10", 404)[0], "not_found")
            self.assertEqual(self.ask(service, f"{demo.pid}/struct/no_such?at=10", 404)[0], "not_found")
            self.assertEqual(self.ask(service, f"{os.getpid()}/maps", 404)[0], "not_selected")
            self.assertEqual(self.ask(service, "1/advice", 404)[0], "not_selected")
            self.assertEqual(service.get(f"/api/v1/processes/{demo.pid}/address/")[0], 404)


if __name__ == "__main__":
    unittest.main(verbosity=2)
