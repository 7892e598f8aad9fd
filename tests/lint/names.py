#!/usr/bin/env python3
"""Dashboards, alert rules and README's table speak of the same metrics; catalogue names come from the sources."""
import glob
import json
import os
import re
import subprocess
import sys

ROOT = os.environ.get("SOURCE_ROOT", ".")
NAME = re.compile(r"\bmalloc_[a-z_]+")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def readme_names():
    rows = [line for line in read("README.md").split("\n") if line.startswith("| `malloc_")]
    own = re.search(r"\nAbout itself: .*?\n\n", read("README.md"), re.S).group()
    return {name for row in rows for name in NAME.findall(row.split("|")[1])}, set(NAME.findall(own))


def catalogue_names():
    """Names in string literals of the catalogue; empty where it is not there."""
    text = "".join(read(path) for path in glob.glob("src/metrics/*catalogue*", root_dir=ROOT))
    return {name for name in re.findall(r'"(malloc_[a-z_]+)"', text) if not name.startswith("malloc_exporter")}


def expressions():
    for path in sorted(glob.glob("dashboards/*.json", root_dir=ROOT)):
        board = json.loads(read(path))
        for panel in board["panels"]:
            for target in panel["targets"]:
                yield path, target["expr"]
    for line in read("deploy/prometheus/malloc_alerts.yml").split("\n"):
        if line.strip().startswith("expr:"):
            yield "deploy/prometheus/malloc_alerts.yml", line.strip()[5:]


def board_problems(path):
    board = json.loads(read(path))
    ids = [panel["id"] for panel in board["panels"]]
    if len(set(ids)) != len(ids) or board["editable"] or "__inputs" in board:
        yield f"{path}: panel ids twice, editable or __inputs"
    for panel in board["panels"]:
        place = panel["gridPos"]
        if not (panel["title"] and panel["description"] and panel["targets"]) or place["x"] + place["w"] > 24:
            yield f"{path}: panel {panel['id']} lacks title, description or targets, or is too wide"
        for target in panel["targets"]:
            if 'job=~"$job",instance=~"$instance"' not in target["expr"]:
                yield f"{path}: {target['expr']} does not select job and instance"


def promtool_problems():
    folder = os.path.join(ROOT, "deploy/prometheus")
    for command in (["check", "config", "prometheus.yml"], ["check", "rules", "malloc_alerts.yml"],
                    ["test", "rules", "malloc_alerts_test.yml"]):
        result = subprocess.run(["promtool"] + command, cwd=folder, capture_output=True, text=True, check=False)
        if result.returncode:
            yield f"promtool {' '.join(command)}: {result.stdout}{result.stderr}"


def untested_alerts():
    """Each alert needs a case in which it fires and one in which it does not."""
    cases = read("deploy/prometheus/malloc_alerts_test.yml")
    for name in re.findall(r"- alert: (\w+)", read("deploy/prometheus/malloc_alerts.yml")):
        for what in ("fires", "is silent"):
            if f"name: {name} {what}\n" not in cases:
                yield f"malloc_alerts_test.yml: no case in which {name} {what}"


def main():
    (documented, own), catalogue = readme_names(), catalogue_names()
    problems = []
    for path in sorted(glob.glob("dashboards/*.json", root_dir=ROOT)):
        problems += board_problems(path)
    for path, expression in expressions():
        for name in NAME.findall(expression):
            if name.removesuffix("_bucket") not in documented | own:
                problems.append(f"{path}: {name} is not in README's table")
    if catalogue:
        problems += [f"README.md: {name} is in no catalogue" for name in sorted(documented - catalogue)]
        problems += [f"README.md: {name} of the catalogue is missing" for name in sorted(catalogue - documented)]
    problems += promtool_problems()
    problems += untested_alerts()
    print("\n".join(problems))
    return 1 if problems else 0


sys.exit(main())
