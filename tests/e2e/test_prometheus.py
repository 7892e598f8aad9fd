"""A real Prometheus scrapes the exporter of real programs; every expression that we ship is asked of it."""
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request

from service import Service, wait_until

ROOT = os.environ["SOURCE_ROOT"]
CONFIG = """
scan: {interval: 500ms}
limits: {max_cpu: 6400%}
discovery: {interval: 200ms}
metrics: {per_arena: true}
process_names:
"""
# Expressions of the dashboards that may have no data here, and why.
MAY_BE_EMPTY = {
    "malloc_resident_bytes": "needs pagemap",
    "malloc_swapped_bytes": "needs pagemap",
    "malloc_free_resident_bytes": "needs pagemap",
    "malloc_trimmable_bytes": "needs pagemap",
    "malloc_fragmentation_ratio": "absent with nothing binned",
    "rate(": "needs two scrapes",
    "deriv(": "needs two scrapes",
    "> 0": "none of the programs is corrupt",
    "== 0": "none of the programs is corrupt",
    "malloc_arena_free_bytes": "needs metrics.per_arena",
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Programs:
    """Real programs that use malloc, as many as are installed: {name: process}."""

    def __init__(self, directory):
        self.processes = {}
        self.start("python3", sys.executable, "-c",
                   "import time\nkept = [bytes(i % 3000) for i in range(100000)]\ndel kept[::3]\n"
                   "print('ready', flush=True)\ntime.sleep(3600)")
        self.processes["python3"].stdout.readline()  # a heap that grows is not always read whole
        self.start("redis-server", "redis-server", "--port", "0", "--unixsocket", directory + "/redis", "--save", "")
        self.start("memcached", "memcached", "-u", "root", "-s", directory + "/memcached")
        nginx = os.path.join(directory, "nginx.conf")
        with open(nginx, "w", encoding="ascii") as file:
            file.write(f"daemon off; master_process off; pid {directory}/nginx.pid; error_log /dev/null;\n"
                       f"events {{}}\nhttp {{ access_log off; server {{ listen unix:{directory}/nginx; }} }}\n")
        self.start("nginx", "nginx", "-p", directory, "-c", nginx)

    def start(self, name, *command):
        if shutil.which(command[0]):
            self.processes[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                                    stderr=subprocess.DEVNULL)

    def end(self):
        for process in self.processes.values():
            process.kill()
            process.wait()
            process.stdout.close()


class Prometheus:
    def __init__(self, directory, target):
        self.port = free_port()
        config = os.path.join(directory, "prometheus.yml")
        rules = os.path.join(ROOT, "deploy", "prometheus", "malloc_alerts.yml")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                       "rule_files": [os.path.abspath(rules)],
                       "scrape_configs": [{"job_name": "malloc", "static_configs": [{"targets": [target]}]}]}, file)
        self.process = subprocess.Popen(
            ["prometheus", "--config.file=" + config, "--storage.tsdb.path=" + directory + "/tsdb",
             f"--web.listen-address=127.0.0.1:{self.port}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def ask(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?" + urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                raise  # it has not started yet
            raise AssertionError(f"{path} {parameters}: {error.read()}") from error

    def query(self, expression):
        return self.ask("query", query=expression)["result"]


def wait(condition, seconds=120):
    wait_until(condition, seconds, str)


@unittest.skipUnless(shutil.which("prometheus"), "prometheus is not installed")
class Scraped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="malloc_exporter-test-"))
        programs = Programs(directory)
        cls.addClassCleanup(programs.end)
        cls.pids = {name: process.pid for name, process in programs.processes.items()}
        names = "".join(f"  - {{name: {name}, pid: [{pid}]}}\n" for name, pid in cls.pids.items())
        cls.service = cls.enterClassContext(Service(CONFIG + names))
        cls.prometheus = Prometheus(directory, f"127.0.0.1:{cls.service.port}")
        cls.addClassCleanup(cls.prometheus.end)
        # Debian's redis-server brings its own allocator: named, not scanned
        scanned = set(cls.pids) - {"redis-server"}
        wait(lambda: {row["metric"]["groupname"] for row in cls.prometheus.query("malloc_up == 1")} >= scanned)
        wait(lambda: all(int(row["value"][1]) > 2 for row in cls.prometheus.query("count_over_time(malloc_up[5m])")))

    def test_the_scrape_is_healthy(self):
        (target,) = self.prometheus.ask("targets")["activeTargets"]
        self.assertEqual((target["health"], target["lastError"]), ("up", ""))
        self.assertEqual(self.prometheus.query("up")[0]["value"][1], "1")

    def test_types(self):
        """Asked for OpenMetrics, and understood: what Prometheus knows of each family."""
        metadata = self.prometheus.ask("metadata")
        for name, kind in (("malloc_up", "gauge"), ("malloc_scans", "counter"), ("malloc_process", "info"),
                           ("malloc_chunk_size_bytes", "gaugehistogram"), ("malloc_exporter_build", "info"),
                           ("process_cpu_seconds", "counter")):
            found = metadata.get(name) or metadata.get(name + "_total") or metadata.get(name + "_info")
            self.assertTrue(found, (name, sorted(metadata)))
            self.assertEqual(found[0]["type"], kind, name)
            self.assertTrue(found[0]["help"])

    def dashboards(self):
        for path in sorted(glob.glob(os.path.join(ROOT, "dashboards", "*.json"))):
            with open(path, encoding="utf-8") as file:
                yield os.path.basename(path), json.load(file)

    def test_dashboards(self):
        variables = {"job": "malloc", "instance": f"127.0.0.1:{self.service.port}", "groupname": "python3",
                     "pid": str(self.pids["python3"]), "__rate_interval": "1m", "__interval": "15s", "__range": "5m"}
        count = 0
        for name, board in self.dashboards():
            for panel in board["panels"]:
                for target in panel["targets"]:
                    count += 1
                    expression = re.sub(r"\$\{?(\w+)\}?", lambda match: variables[match.group(1)], target["expr"])
                    with self.subTest(board=name, panel=panel["title"], expression=expression):
                        rows = self.prometheus.query(expression)
                        reasons = [why for part, why in MAY_BE_EMPTY.items() if part in expression]
                        self.assertTrue(rows or reasons)
                        for row in rows:
                            self.assertNotEqual(row["value"][1], "NaN")
        self.assertGreater(count, 10)

    def test_variables(self):
        for name, board in self.dashboards():
            for variable in board["templating"]["list"]:
                match = re.fullmatch(r"label_values\((.*), (\w+)\)", variable.get("definition", ""))
                if match:
                    selector = re.sub(r'(=~?)"\$\w+"', r'=~".+"', match.group(1))
                    rows = self.prometheus.query(selector)
                    self.assertTrue(rows and all(match.group(2) in row["metric"] for row in rows), (name, selector))

    def test_alerts(self):
        groups = self.prometheus.ask("rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        self.assertGreater(len(rules), 4)
        for rule in rules:
            with self.subTest(rule["name"]):
                wait(lambda: any(seen["name"] == rule["name"] and seen["health"] == "ok"
                                 for group in self.prometheus.ask("rules")["groups"] for seen in group["rules"]))
                # nothing is wrong with these programs; each of its metrics is there all the same
                self.assertEqual(self.prometheus.query(rule["query"]), [])
                for metric in re.findall(r"malloc_\w+", rule["query"]):
                    reasons = [why for part, why in MAY_BE_EMPTY.items() if part == metric]
                    self.assertTrue(self.prometheus.query(metric) or reasons, metric)

    def test_every_name_is_in_the_table(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            text = file.read()
        rows = re.findall(r"(?m)^\| `malloc_.*$", text) + re.findall(r"(?s)\nAbout itself: .*?\n\n", text)
        known = {name for row in rows for name in re.findall(r"malloc_\w+", row)}
        seen = {re.sub("_(bucket|gcount|gsum|count|sum)$", "", name)
                for name in self.prometheus.ask("label/__name__/values") if name.startswith("malloc_")}
        self.assertEqual(seen - known, set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
