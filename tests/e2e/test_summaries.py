#!/usr/bin/env python3
"""What a walk is summed up to: sizes, arenas and the map of the heap, over HTTP and as one-shot commands."""
import json
import unittest

from commands import ask
from service import Service, Target
from test_service import config


class Summaries(unittest.TestCase):
    """The target waits: each answer is of the same heap."""

    @classmethod
    def setUpClass(cls):
        cls.target = cls.enterClassContext(Target("target_threads"))
        cls.target.process.stdout.readline()  # it has allocated all that it will
        cls.service = cls.enterClassContext(Service(config(cls.target.pid)))
        cls.path = f"/api/v1/processes/{cls.target.pid}/"
        cls.chunks = [json.loads(line) for line in cls.service.get(cls.path + "chunks")[2].splitlines()[:-1]]

    def ask(self, path):
        code, headers, body = self.service.get(self.path + path)
        self.assertEqual((code, headers["Content-Type"]), (200, "application/json"), body)
        return json.loads(body)

    def test_sizes(self):
        for query, takes in (("", lambda chunk: True), ("&arena=1", lambda chunk: chunk["arena"] == 1),
                             ("&state=tcache&state=top", lambda chunk: chunk["state"] in ("tcache", "top"))):
            answer = self.ask("sizes?top=100000" + query)
            wanted = {}
            for chunk in filter(takes, self.chunks):
                wanted[chunk["size"]] = wanted.get(chunk["size"], 0) + 1
            self.assertEqual({row["size"]: row["chunks"] for row in answer["sizes"]}, wanted)
            self.assertEqual(answer["total_bytes"], sum(size * count for size, count in wanted.items()))
            order = [row["bytes"] for row in answer["sizes"]]
            self.assertEqual(order, sorted(order, reverse=True))
            self.assertTrue(all(row["error_bytes"] == 0 for row in answer["sizes"]))
        few = self.ask("sizes?top=3")
        self.assertEqual(len(few["sizes"]), 3)
        self.assertEqual(few["rest_bytes"], few["total_bytes"] - sum(row["bytes"] for row in few["sizes"]))
        self.assertEqual(few, ask("sizes", self.target.pid, "--top", "3"))

    def test_arenas(self):
        answer = self.ask("arenas")
        self.assertEqual(len(answer["arena_list"]), 1 + max(chunk["arena"] or 0 for chunk in self.chunks))
        in_lists = sum(row["chunks"] for row in answer["bins"]) + sum(row["chunks"] for row in answer["tcache_list"])
        self.assertEqual(in_lists, sum(chunk["state"] not in ("in_use", "top", "mmapped") for chunk in self.chunks))
        self.assertTrue(all(row["start"].startswith("0x") for row in answer["heap_list"]))
        self.assertEqual(answer["arena_list"], ask("arenas", self.target.pid)["arena_list"])

    def test_heapmap(self):
        answer = self.ask("heapmap?cells=64")
        for state in ("in_use", "tcache", "fastbin", "unsorted", "small", "large", "top", "mmapped"):
            self.assertEqual(sum(cell[state] for cell in answer["cells"]),
                             sum(chunk["size"] for chunk in self.chunks if chunk["state"] == state), state)
        heaps = {(cell["arena"], cell["heap"]) for cell in answer["cells"]}
        self.assertLessEqual(len(answer["cells"]), 64 + len(heaps))
        self.assertNotIn("0x", json.dumps(answer))

    def test_errors(self):
        for path in ("sizes?top=0", "sizes?limit=3", "heapmap?cells=0", "heapmap?cells=5000", "arenas?arena=1"):
            code, answer = self.service.json(self.path + path)
            self.assertEqual((code, answer["error"]["code"]), (400, "bad_parameter"), path)

    def test_access(self):
        with Service(config(self.target.pid, access="authenticated")) as service:
            self.assertEqual(service.get(self.path + "sizes")[0], 200)
            self.assertEqual(service.get(self.path + "heapmap")[0], 200)
            self.assertEqual(service.get(self.path + "arenas")[0], 403)


if __name__ == "__main__":
    unittest.main()
