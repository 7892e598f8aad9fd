#!/usr/bin/env python3
"""Metrics held against what a program, its kernel and the configuration say: those that no other test is about."""
import re
import time
import unittest

from service import Service, Target, value
from test_service import config

LOADED = "malloc_exporter_config_last_reload_success_timestamp_seconds"


def sum_of_arenas(metrics, name, pid):
    return sum(number for key, number in metrics.items() if key.startswith(name + "{") and f'pid="{pid}"' in key)


class Values(unittest.TestCase):
    def test_threads_and_arenas(self):
        with Target("target_threads") as target:
            target.answer()
            said = target.ask("info").decode()
            settings = config(target.pid, scan=", consistency: snapshot") + "metrics: {per_arena: true}\n"
            with Service(settings) as service:
                metrics = service.metrics()
        pid = target.pid
        # of eleven threads two never allocated; malloc_info's last sums are of all arenas
        peak = int(re.findall(r'<system type="max" size="(\d+)"/>', said)[-1])
        self.assertEqual(value(metrics, "malloc_tcaches", pid), 9)
        self.assertEqual(value(metrics, "malloc_tcaches_missing", pid), 0)
        self.assertEqual(value(metrics, "malloc_system_peak_bytes", pid), peak)
        self.assertEqual(value(metrics, "malloc_free_swapped_bytes", pid), 0)
        mmapped = value(metrics, "malloc_chunk_bytes", pid, state="mmapped")
        self.assertEqual(sum_of_arenas(metrics, "malloc_arena_active_bytes", pid) + mmapped,
                         value(metrics, "malloc_active_bytes", pid))
        self.assertEqual(sum_of_arenas(metrics, "malloc_arena_free_resident_bytes", pid),
                         value(metrics, "malloc_free_resident_bytes", pid))
        self.assertEqual(sum_of_arenas(metrics, "malloc_arena_attached_threads", pid), 9)

    def test_a_difference_is_told_in_bytes(self):
        with Target("target_faults") as target:
            target.answer()
            target.ask("system")  # adds 4096 to what main_arena says it has
            with Service(config(target.pid, scan=", consistency: snapshot")) as service:
                metrics = service.metrics()
                pauses = [value(metrics, f"malloc_last_scan_{name}_seconds", target.pid)
                          for name in ("max_pause", "pause", "duration")]
        for check, difference in (("system_bytes", 4096), ("top", 0), ("mmapped_bytes", 0)):
            self.assertEqual(value(metrics, "malloc_reconcile_difference_bytes", target.pid, check=check), difference)
        self.assertEqual(value(metrics, "malloc_reconciled", target.pid, check="system_bytes"), 0)
        self.assertEqual(sorted(pauses), pauses)
        self.assertGreater(pauses[0], 0)

    def test_live_stops_nothing(self):
        with Target("target_single") as target, Service(config(target.pid)) as service:
            metrics = service.metrics()
            self.assertEqual(value(metrics, "malloc_last_scan_pause_seconds", target.pid), 0)
            self.assertEqual(value(metrics, "malloc_last_scan_max_pause_seconds", target.pid), 0)
            self.assertGreater(value(metrics, "malloc_last_scan_duration_seconds", target.pid), 0)

    def test_when_the_configuration_was_loaded(self):
        with Target("target_single") as target:
            before = time.time()
            with Service(config(target.pid), "--web.enable-lifecycle") as service:
                first = service.metrics()[LOADED]
                self.assertTrue(before <= first <= time.time())
                service.write("scan: {interval: soon}\n")
                service.get("/-/reload", method="POST")
                service.wait(lambda: service.metrics()["malloc_exporter_config_last_reload_successful"] == 0)
                self.assertEqual(service.metrics()[LOADED], first)
                service.write(config(target.pid))
                service.get("/-/reload", method="POST")
                service.wait(lambda: service.metrics()[LOADED] > first)
                self.assertLessEqual(service.metrics()[LOADED], time.time())

    def test_what_is_late_is_told(self):
        with Target("target_bench", "small", "512") as target, Target("target_single") as other:
            target.process.stdout.readline()
            # one after the other: the second waits for as long as the first takes
            settings = config(f"{target.pid}, {other.pid}").replace("200ms", "100ms")
            with Service(settings) as service:
                service.wait(lambda: service.metrics()["malloc_exporter_scan_lag_seconds"] > 0.01)


if __name__ == "__main__":
    unittest.main()
