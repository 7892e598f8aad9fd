"""The schedule and its limits as the service keeps them: concurrency, max_cpu, timeouts, whom and what is left out."""
import contextlib
import os
import platform
import unittest

from service import Service, Target, value

PROCESS_VM_READV = {"x86_64": 310, "aarch64": 270}.get(platform.machine())
MARK = f"limits-{os.getpid()}"
HEAD = "scan: {{interval: {interval}}}\ndiscovery: {{interval: 200ms}}\nlimits: {{{limits}}}\nmetrics: {{{metrics}}}\nprocess_names:\n"
OK = 'malloc_scans_total{groupname="%s",result="ok"}'
SKIPPED = 'malloc_exporter_skipped_processes{reason="limit"}'
LEFT_OUT = "malloc_exporter_series_left_out"
OF_RESIDENCY = {"malloc_resident_bytes", "malloc_swapped_bytes", "malloc_free_resident_bytes", "malloc_free_swapped_bytes",
                "malloc_trimmable_bytes", "malloc_arena_free_resident_bytes"}


def config(entries, interval="200ms", limits="max_cpu: 6400%", metrics=""):
    return HEAD.format(interval=interval, limits=limits, metrics=metrics) + entries


def reload(service, text):
    """And wait until it is in force."""
    at = "malloc_exporter_config_last_reload_success_timestamp_seconds"
    before = service.metrics()[at]
    service.reload(text)
    service.wait(lambda: service.metrics()[at] != before)


def names(metrics):
    return {key.split("{")[0] for key in metrics}


def reads_under_way(service):
    """Of which processes threads of the scanner are reading in the kernel, a pid a thread."""
    pids = []
    scanner = service.roles()["scanner"]
    for tid in os.listdir(f"/proc/{scanner}/task"):
        with open(f"/proc/{scanner}/task/{tid}/syscall", encoding="ascii") as file:
            words = file.read().split()
        if words[0] == str(PROCESS_VM_READV):
            pids.append(int(words[1], 16))
    return pids


def start_all(test, count, *command):
    targets = [test.enterContext(Target(*command)) for _ in range(count)]
    return targets, ", ".join(str(target.pid) for target in targets)


class Schedule(unittest.TestCase):
    @unittest.skipUnless(os.geteuid() == 0 and PROCESS_VM_READV, "needs to see where a scanner is")
    def test_concurrency(self):
        stuck, pids = start_all(self, 2, "target_stuck")
        if any(target.process.stdout.readline() != b"stuck\n" for target in stuck):
            self.skipTest("the kernel gives no userfaultfd")
        expected = sorted(target.pid for target in stuck)
        with Target("target_soak", "idle", MARK) as other:
            entries = f"  - {{name: stuck, pid: [{pids}], scan: {{timeout: 10m}}}}\n  - {{name: other, pid: [{other.pid}]}}\n"
            with Service(config(entries, limits="max_cpu: 6400%, concurrency: 3"), ready=False) as service:
                # two hang at the same time, and a third goes on
                service.wait(lambda: sorted(reads_under_way(service)) == expected)
                count = service.metrics()[OK % "other"]
                service.wait(lambda: service.metrics()[OK % "other"] >= count + 3)
                self.assertEqual(sorted(reads_under_way(service)), expected)
                # who has no turn is late, and that shows
                reload(service, config(entries, limits="max_cpu: 6400%, concurrency: 2"))
                service.wait(lambda: service.metrics()["malloc_exporter_scan_lag_seconds"] > 2)
                service.wait(lambda: value(service.metrics(), "malloc_up", other.pid) == 0)

    def test_max_cpu(self):
        with Target("target_bench", "small", "32") as one:
            one.process.stdout.readline()
            text = config(f"  - {{name: g, pid: [{one.pid}]}}\n", "100ms", "max_cpu: 2%")
            with Service(text) as service:
                def agrees():
                    metrics = service.metrics()
                    interval = metrics['malloc_scan_interval_seconds{groupname="g"}']
                    least = value(metrics, "malloc_last_scan_duration_seconds", one.pid) / 0.02
                    # what opening the process took counts too
                    return metrics if interval > 0.11 and least <= interval < 2 * least + 0.5 else None
                for _ in range(2):
                    metrics = service.wait(agrees)
                    count = metrics[OK % "g"]
                    at = value(metrics, "malloc_last_scan_timestamp_seconds", one.pid)
                    least = value(metrics, "malloc_last_scan_duration_seconds", one.pid) / 0.02
                    metrics = service.wait(lambda: self.after(service, OK % "g", count))
                    if metrics[OK % "g"] == count + 1:
                        later = value(metrics, "malloc_last_scan_timestamp_seconds", one.pid)
                        self.assertGreater(later - at, 0.9 * least)

    @staticmethod
    def after(service, key, count):
        metrics = service.metrics()
        return metrics if metrics[key] > count else None

    def test_spread(self):
        """Processes that were seen at once, each in a group of its own, are not scanned at once for ever."""
        targets, _ = start_all(self, 8, "target_soak", "idle", MARK)
        entries = f"  - {{name: 'g{{{{.PID}}}}', cmdline: ['{MARK}']}}\n"
        with Service(config(entries, "4s")) as service:
            service.wait(lambda: all(service.metrics().get(OK % f"g{target.pid}", 0) >= 2 for target in targets))
            metrics = service.metrics()
            times = sorted(value(metrics, "malloc_last_scan_timestamp_seconds", target.pid) % 4 for target in targets)
            gaps = [after - before for before, after in zip(times, times[1:] + [times[0] + 4])]
            # 8 multiples of the golden ratio leave no gap above a quarter of the circle
            self.assertLess(max(gaps), 2, times)

    def test_a_slow_process_delays_no_other_beyond_its_timeout(self):
        with Target("target_bench", "small", "512") as slow, Target("target_soak", "idle", MARK) as other:
            slow.process.stdout.readline()
            entries = f"  - {{name: slow, pid: [{slow.pid}], scan: {{timeout: 20ms}}}}\n  - {{name: other, pid: [{other.pid}]}}\n"
            with Service(config(entries)) as service:
                service.wait(lambda: service.metrics()['malloc_scans_total{groupname="slow",result="timeout"}'] >= 2)
                # so short-lived a result may be stale by the time that it is asked for
                service.wait(lambda: value(service.metrics(), "malloc_last_scan_failure", slow.pid, reason="timeout") == 1)
                metrics = service.metrics()
                self.assertLess(value(metrics, "malloc_last_scan_duration_seconds", slow.pid), 1)
                count = metrics[OK % "other"]
                service.wait(lambda: service.metrics()[OK % "other"] >= count + 3)


    def test_a_shorter_interval_holds_at_once(self):
        with Target("target_soak", "idle", MARK) as one:
            entries = f"  - {{name: g, pid: [{one.pid}]}}\n"
            with Service(config(entries, "24h")) as service:
                reload(service, config(entries, "200ms"))
                service.wait(lambda: service.metrics()[OK % "g"] >= 3)


class LeftOut(unittest.TestCase):
    def test_who_is_scanned_stays(self):
        with Target("target_soak", "idle", f"{MARK}-stay") as first:
            def text(*pids):
                return config(f"  - {{name: g, pid: [{', '.join(map(str, pids))}]}}\n",
                              limits="max_cpu: 6400%, max_processes: 1")
            with Service(text(first.pid)) as service:
                self.assertEqual(value(service.metrics(), "malloc_up", first.pid), 1)
                with Target("target_bench", "small", "32") as large:
                    large.process.stdout.readline()
                    reload(service, text(first.pid, large.pid))
                    service.wait(lambda: service.metrics()[SKIPPED] == 1)
                    count = service.metrics()[OK % "g"]
                    service.wait(lambda: service.metrics()[OK % "g"] >= count + 5)
                    metrics = service.metrics()
                    self.assertEqual(value(metrics, "malloc_up", first.pid), 1)
                    self.assertIsNone(value(metrics, "malloc_up", large.pid))
                    self.assertEqual(metrics['malloc_group_processes{groupname="g"}'], 2)
                    first.process.kill()
                    service.wait(lambda: value(service.metrics(), "malloc_up", large.pid) == 1)
                    service.wait(lambda: service.metrics()[SKIPPED] == 0)

    def test_series(self):
        targets, pids = start_all(self, 24, "target_soak", "idle", MARK)
        with Target("target_bench", "small", "8") as large:
            large.process.stdout.readline()
            entries = f"  - {{name: g, pid: [{large.pid}, {pids}]}}\n"

            def limits(count):
                return f"max_cpu: 6400%, max_series: {count}"
            with Service(config(entries, limits=limits(100000))) as service:
                service.wait(lambda: service.metrics()['malloc_group_scanned_processes{groupname="g"}'] == 25)
                metrics = service.metrics()
                self.assertEqual(metrics[LEFT_OUT], 0)
                whole, every = self.size(metrics), set(metrics)
                histograms = len([key for key in metrics if key.startswith("malloc_chunk_size_bytes")])
                differences = [key for key in metrics if key.startswith("malloc_reconcile_difference_bytes")]
                self.assertGreater(whole - histograms - len(differences), 1000)
                # a part of the histograms
                reload(service, config(entries, limits=limits(whole - histograms // 2)))
                metrics = service.wait(lambda: self.with_less(service))
                self.assertEqual(self.size(metrics) + metrics[LEFT_OUT], whole, self.others(every, metrics))
                self.assertLessEqual(self.size(metrics), whole - histograms // 2)
                self.assertTrue(set(differences) < set(metrics))
                self.assertIsNotNone(value(metrics, "malloc_chunk_size_bytes_count", large.pid, use="used"))
                # all of them, and differences of the smallest
                reload(service, config(entries, limits=limits(whole - histograms - 4)))
                metrics = service.wait(lambda: self.with_less(service, histograms))
                self.assertEqual(self.size(metrics) + metrics[LEFT_OUT], whole)
                self.assertNotIn("malloc_chunk_size_bytes_count", names(metrics))
                left = {key for key in differences if key in metrics}
                self.assertTrue(left and left < set(differences))
                self.assertEqual(len([key for key in left if f'pid="{large.pid}"' in key]),
                                 len([key for key in differences if f'pid="{large.pid}"' in key]))
                # more there is not to leave out: what is beyond is served, and what is not there is counted
                reload(service, config(entries, limits=limits(1000)))
                metrics = service.wait(lambda: self.with_less(service, histograms + len(differences) - 1))
                self.assertEqual(metrics[LEFT_OUT], histograms + len(differences))
                self.assertEqual(self.size(metrics) + metrics[LEFT_OUT], whole)

    @staticmethod
    def size(metrics):
        """Answers of other kinds than before make series of their own."""
        return len([key for key in metrics if not key.startswith("malloc_exporter_http_requests_total")])

    @staticmethod
    def others(every, metrics):
        """What there is in only one of two scrapes, but histograms."""
        return {key for key in every ^ set(metrics) if not key.startswith("malloc_chunk_size_bytes")}

    @staticmethod
    def with_less(service, count=0):
        metrics = service.metrics()
        is_all = metrics['malloc_group_scanned_processes{groupname="g"}'] == 25
        return metrics if is_all and metrics[LEFT_OUT] > count else None


class Families(unittest.TestCase):
    """The section metrics of the configuration."""

    @contextlib.contextmanager
    def of_arenas(self):
        """(a process with several arenas, the entry that takes it, a service that has series for each of them)"""
        with Target("target_threads") as one:
            one.process.stdout.readline()
            entries = f"  - {{name: g, pid: [{one.pid}]}}\n"
            with Service(config(entries, metrics="per_arena: true")) as service:
                service.wait(lambda: value(service.metrics(), "malloc_up", one.pid) == 1)
                yield one, entries, service

    def test_switches(self):
        with self.of_arenas() as (one, entries, service):
            metrics = service.metrics()
            every = names(metrics)
            arenas = self.arenas(metrics, "malloc_arena_system_bytes")
            self.assertEqual(sorted(arenas, key=int), [str(i) for i in range(int(value(metrics, "malloc_arenas", one.pid)))])
            self.assertTrue(OF_RESIDENCY <= every)
            reload(service, config(entries))
            service.wait(lambda: not [name for name in names(service.metrics()) if name.startswith("malloc_arena_")])
            self.assertEqual(names(service.metrics()), {name for name in every if not name.startswith("malloc_arena_")})
            reload(service, config(entries, metrics="size_histogram: false, per_arena: true"))
            service.wait(lambda: "malloc_chunk_size_bytes_bucket" not in names(service.metrics()))
            self.assertEqual(names(service.metrics()), {name for name in every if "chunk_size" not in name})
            reload(service, config(entries, metrics="residency: false, per_arena: true"))
            service.wait(lambda: "malloc_resident_bytes" not in names(service.metrics()))
            self.assertEqual(names(service.metrics()), every - OF_RESIDENCY)
            self.assertEqual(value(service.metrics(), "malloc_up", one.pid), 1)

    def test_arenas_beyond_the_limit(self):
        with self.of_arenas() as (_, entries, service):
            whole = service.metrics()
            families = [name for name in names(whole) if name.startswith("malloc_arena_")]
            self.assertEqual(len(families), 6)
            size = self.arenas(whole, "malloc_arena_system_bytes")
            self.assertGreater(len(size), 3)
            reload(service, config(entries, metrics="per_arena: true, max_arenas: 2"))
            metrics = service.wait(lambda: self.with_other(service))
            kept = sorted(size, key=size.get)[-2:]
            if size[kept[0]] > sorted(size.values())[-3]:
                self.assertEqual(set(self.arenas(metrics, "malloc_arena_system_bytes")), {*kept, "other"})
            for name in families:
                of_each, now = self.arenas(whole, name), self.arenas(metrics, name)
                self.assertEqual(len(now), 3, name)
                self.assertEqual(sum(now.values()), sum(of_each.values()), name)
                for arena, number in now.items():
                    self.assertEqual(number, of_each.get(arena, number), name)

    @staticmethod
    def with_other(service):
        metrics = service.metrics()
        return metrics if any('arena="other"' in key for key in metrics) else None

    @staticmethod
    def arenas(metrics, name):
        """{arena: value}"""
        return {key.split('arena="')[1].split('"')[0]: number for key, number in metrics.items()
                if key.startswith(name + "{")}


if __name__ == "__main__":
    unittest.main(verbosity=2)
