"""Groups: who may be in one, what one set of series says of its members, how long it and its counters live."""
import json
import os
import re
import signal
import subprocess
import unittest

from service import PROGRAM, Service, Target, explain, value

MARK = f"groups-{os.getpid()}"
HEAD = "scan: {interval: 200ms}\ndiscovery: {interval: 200ms}\nlimits: {max_cpu: 6400%}\nprocess_names:\n"
# How one set of series is made of those of its members; all others are sums.
LARGEST = {"malloc_largest_free_chunk_bytes", "malloc_last_scan_duration_seconds", "malloc_last_scan_pause_seconds",
           "malloc_last_scan_max_pause_seconds"}
LEAST = {"malloc_up", "malloc_last_scan_complete", "malloc_reconciled", "malloc_last_scan_timestamp_seconds",
         "malloc_process_start_time_seconds"}
NOT_THERE = {"malloc_process_info", "malloc_arenas_limit", "malloc_mmap_threshold_bytes", "malloc_trim_threshold_bytes"}
OF_RATIOS = {"malloc_fragmentation_ratio", "malloc_unused_ratio"}
# differ from scan to scan, whatever the heap does
MOVING = {"malloc_last_scan_duration_seconds", "malloc_last_scan_timestamp_seconds", "malloc_process_resident_memory_bytes"}
UP = 'malloc_scans_total{groupname="%s",result="ok"}'


def reload(service, entries):
    service.reload(HEAD + entries)


def families(metrics, where):
    """{(name, labels but those that say whose): [value, …]} of the series of processes that match @where."""
    found = {}
    for key, number in metrics.items():
        name, labels = re.fullmatch(r"(\w+)(?:\{(.*)\})?", key).groups()
        if labels is None or not re.search(where, labels) or name.startswith(("malloc_scan", "malloc_group")):
            continue
        labels = re.sub(r'(pid|groupname)="[^"]*",?', "", labels).rstrip(",")
        found.setdefault((name, labels), []).append(number)
    return found


class Conflicts(unittest.TestCase):
    def test_who_would_have_other_labels_is_kept_out_and_said(self):
        entries = "".join(f"  - {{name: 'g {{{{.Matches.n}}}}', cmdline: ['{MARK}-{team} (?P<n>\\w+)'], labels: {{team: {team}}}}}\n"
                          for team in ("red", "blue"))
        with Target("target_soak", "idle", f"{MARK}-red", "x") as red, \
                Target("target_soak", "idle", f"{MARK}-blue", "x") as blue, \
                Target("target_soak", "idle", f"{MARK}-blue", "y") as other, Service(HEAD + entries) as service:
            service.wait(lambda: value(service.metrics(), "malloc_up", other.pid) == 1)
            metrics = service.wait(lambda: self.where_one_is_up(service, red.pid, blue.pid))
            # which of the two came first is chance; its own labels are what its series have
            first, second = (red, blue) if value(metrics, "malloc_up", red.pid) == 1 else (blue, red)
            team = "red" if first is red else "blue"
            self.assertEqual(value(metrics, "malloc_up", first.pid, team=team), 1)
            self.assertFalse([key for key in metrics if f'pid="{second.pid}"' in key])
            self.assertEqual(value(metrics, "malloc_up", other.pid, team="blue"), 1)
            self.assertEqual(metrics[f'malloc_group_processes{{groupname="g x",team="{team}"}}'], 1)
            service.wait_line(f'another entry gave its group other labels.* pid={second.pid} .* group="g x" entry_at_line=')
            scans = metrics['malloc_scans_total{groupname="g y",team="blue",result="ok"}']
            service.wait(lambda: service.metrics()['malloc_scans_total{groupname="g y",team="blue",result="ok"}'] > scans + 3)
            service.read_log(0)
            lines = [line for line in service.lines if "another entry gave" in line]
            self.assertEqual(len(lines), 1, lines)
            for one, rival in (red, blue), (blue, red):
                self.assertRegex(explain(service, one.pid), rf"entry at line \d+ takes process {rival.pid} into that group too, "
                                 "with other labels or another identify_by")
            self.assertNotIn("conflict", explain(service, other.pid))
            # with equal labels both are in
            reload(service, entries.replace("team: blue", "team: red"))
            service.wait(lambda: service.metrics().get('malloc_group_scanned_processes{groupname="g x",team="red"}') == 2)
            self.assertEqual(service.metrics()['malloc_exporter_skipped_processes{reason="conflict"}'], 0)

    def test_a_group_whose_name_is_written_out(self):
        entries = ("  - {name: 'g x', comm: [no-such-x]}\n"
                   f"  - {{name: 'g {{{{.Matches.n}}}}', cmdline: ['{MARK}-two (?P<n>\\w+)'], identify_by: none}}\n")
        with Target("target_soak", "idle", f"{MARK}-two", "x") as one, \
                Target("target_soak", "idle", f"{MARK}-two", "y") as other, Service(HEAD + entries) as service:
            service.wait(lambda: service.metrics().get('malloc_up{groupname="g y"}') == 1)
            self.assertEqual(service.metrics()['malloc_exporter_skipped_processes{reason="conflict"}'], 1)
            self.assertRegex(explain(service, one.pid), r"not scanned: the entry at line 5 gives that group other labels or "
                             r"another identify_by \(a conflict\)")
            self.assertNotIn("conflict", explain(service, other.pid))

    @staticmethod
    def where_one_is_up(service, *pids):
        metrics = service.metrics()
        is_up = [value(metrics, "malloc_up", pid) == 1 for pid in pids]
        return metrics if any(is_up) and metrics['malloc_exporter_skipped_processes{reason="conflict"}'] == 1 else None


class Sums(unittest.TestCase):
    def test_one_set_is_made_of_its_members(self):
        with Target("target_threads") as one, Target("target_fragmented") as two:
            for target in (one, two):
                target.process.stdout.readline()
            entry = f"  - {{name: g, pid: [{one.pid}, {two.pid}], identify_by: %s}}\n"
            scanned = 'malloc_group_scanned_processes{groupname="g"}'
            with Service(HEAD + entry % "pid") as service:
                service.wait(lambda: service.metrics()[scanned] == 2)
                single = families(service.metrics(), 'pid="')
                reload(service, entry % "none")
                service.wait(lambda: 'malloc_up{groupname="g"}' in service.metrics())
                metrics = service.metrics()
                self.assertFalse([key for key in metrics if key.startswith("malloc_") and 'pid="' in key])
                whole = families(metrics, 'groupname="g"')
        self.assertEqual({key for key in single if key[0] not in NOT_THERE}, set(whole))
        for (name, labels), members in single.items():
            if name in NOT_THERE or name in MOVING or name in OF_RATIOS or name == "malloc_last_scan_mode":
                continue
            wanted = max(members) if name in LARGEST else min(members) if name in LEAST else sum(members)
            self.assertEqual(whole[name, labels], [wanted], (name, labels, members))
        free, of_system = whole["malloc_free_bytes", ""][0], whole["malloc_system_bytes", ""][0]
        self.assertAlmostEqual(whole["malloc_unused_ratio", ""][0], free / of_system)
        # 1 - sum of the largest / sum of what is binned, from its members' own
        binned = [sum(single["malloc_chunk_bytes", f'state="{state}"'][i] for state in ("unsorted", "small", "large"))
                  for i in range(2)]
        largest = sum((1 - ratio) * amount for ratio, amount in zip(single["malloc_fragmentation_ratio", ""], binned))
        self.assertAlmostEqual(whole["malloc_fragmentation_ratio", ""][0], 1 - largest / sum(binned), places=6)

    def test_a_failed_member_is_not_freed_memory(self):
        with Target("target_threads") as sound, Target("target_bench", "small", "256") as failing:
            for target in (sound, failing):
                target.process.stdout.readline()
            alone = json.loads(subprocess.run([PROGRAM, "scan", str(sound.pid), "--format", "json"], check=True,
                                              capture_output=True, stdin=subprocess.DEVNULL).stdout)
            entries = f"  - {{name: g, pid: [{sound.pid}], identify_by: none}}\n" \
                      f"  - {{name: g, pid: [{failing.pid}], identify_by: none, scan: {{timeout: 10ms}}}}\n"
            with Service(HEAD + entries) as service:
                # with so short a timeout a result becomes stale where the machine has much to do
                failed = 'malloc_last_scan_failure{groupname="g",reason="timeout"}'
                metrics = service.wait(lambda: self.with_both(service, failed, UP % "g"))
                self.assertEqual(metrics['malloc_group_processes{groupname="g"}'], 2)
                self.assertEqual(metrics['malloc_group_scanned_processes{groupname="g"}'], 1)
                self.assertEqual(metrics['malloc_up{groupname="g"}'], 0)
                self.assertEqual(metrics['malloc_system_bytes{groupname="g"}'], alone["system_bytes"])
                self.assertEqual(metrics['malloc_active_bytes{groupname="g"}'], alone["active_bytes"])
                self.assertGreaterEqual(metrics['malloc_last_scan_duration_seconds{groupname="g"}'], 0.01)

    @staticmethod
    def with_both(service, failed, scanned):
        metrics = service.metrics()
        return metrics if metrics.get(failed) == 1 and metrics[scanned] > 0 else None


def present(metrics, key):
    return metrics if key in metrics else None


class Lifetime(unittest.TestCase):
    entries = f"  - {{name: 'group {{{{.Matches.n}}}}', cmdline: ['{MARK}-life (?P<n>\\w+)']}}\n  - {{name: fixed, comm: [no-such-x]}}\n"

    def test_counters_live_on(self):
        """Over the end of the last process while there is no scanner: the next one knows nothing of the group."""
        processes, scans = 'malloc_group_processes{groupname="group x"}', UP % "group x"
        with Service(HEAD + self.entries) as service:
            with Target("target_soak", "idle", f"{MARK}-life", "x") as one:
                service.wait(lambda: service.metrics().get(scans, 0) >= 3)
                scanner = service.roles()["scanner"]
                os.kill(scanner, signal.SIGSTOP)  # it does not see the end
                before = service.metrics()[scans]
            os.kill(scanner, signal.SIGKILL)
            service.wait(lambda: service.metrics()[processes] == 0)
            metrics = service.metrics()
            self.assertEqual(metrics[scans], before)
            self.assertIsNone(value(metrics, "malloc_up", one.pid))
            with Target("target_soak", "idle", f"{MARK}-life", "x") as two:
                service.wait(lambda: service.metrics()[scans] > before)
                self.assertEqual(service.metrics()[processes], 1)
                os.kill(service.roles()["scanner"], signal.SIGKILL)
                before = service.metrics()[scans]
                service.wait(lambda: service.metrics()[scans] > before)
                self.assertTrue(two.runs())

    def test_who_ends_is_counted_no_more_at_once(self):
        entries = (HEAD + self.entries).replace("{interval: 200ms}\nlimits", "{interval: 1h}\nlimits")
        with Target("target_soak", "idle", f"{MARK}-life", "z") as one:
            with Target("target_soak", "idle", f"{MARK}-life", "z") as two, Service(entries) as service:
                counts = [f'malloc_group_{kind}processes{{groupname="group z"}}' for kind in ("", "scanned_")]
                service.wait(lambda: [service.metrics().get(key) for key in counts] == [2, 2])
                two.process.kill()
                service.wait(lambda: [service.metrics().get(key) for key in counts] == [1, 1])
                self.assertEqual(value(service.metrics(), "malloc_up", one.pid), 1)

    def test_a_new_front_has_what_was_counted(self):
        with Target("target_soak", "idle", f"{MARK}-life", "y"), Service(HEAD + self.entries) as service:
            scans = UP % "group y"
            service.wait(lambda: service.metrics().get(scans, 0) >= 3)
            before = service.metrics()[scans]
            front = service.roles()["front"]
            os.kill(front, signal.SIGKILL)
            service.wait(lambda: service.roles().get("front") not in (None, front))
            self.assertGreaterEqual(service.wait(lambda: service.metrics().get(scans)), before)

    def test_what_was_counted_outlives_both(self):
        restarts = 'malloc_exporter_restarts_total{role="%s"}'
        with Target("target_soak", "idle", f"{MARK}-life", "w"), Service(HEAD + self.entries) as service:
            scans = UP % "group w"
            service.wait(lambda: service.metrics().get(scans, 0) >= 10)
            for role in "scanner", "front", "scanner":
                before = service.metrics()
                pid = service.roles()[role]
                os.kill(pid, signal.SIGKILL)
                service.wait(lambda: service.roles().get(role) not in (None, pid))
                after = service.wait(lambda: present(service.metrics(), scans))
                self.assertGreaterEqual(after[scans], before[scans], role)
                self.assertGreaterEqual(after[restarts % role], before[restarts % role], role)
                service.wait(lambda: service.metrics()[restarts % role] > before[restarts % role])

    def test_a_group_that_the_configuration_has_no_more(self):
        with Service(HEAD + self.entries) as service:
            self.assertIn('malloc_group_processes{groupname="fixed"}', service.metrics())
            reload(service, self.entries.replace("fixed", "other"))
            service.wait(lambda: 'malloc_group_processes{groupname="other"}' in service.metrics())
            service.wait(lambda: 'malloc_group_processes{groupname="fixed"}' not in service.metrics())


if __name__ == "__main__":
    unittest.main(verbosity=2)
