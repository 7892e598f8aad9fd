#!/usr/bin/env python3
"""Each metric, path, parameter, flag and setting that users are told of is named by a test."""
import glob
import os
import re
import sys

ROOT = os.environ.get("SOURCE_ROOT", ".")
# What drives the program from outside, or a room through its headers; not the tables of a linter, nor prose.
TESTS = ("tests/unit", "tests/live", "tests/e2e", "tests/soak", "tests/chaos", "tests/glibc-matrix")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def test_texts():
    for folder in TESTS:
        for where, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in names:
                if not name.endswith((".md", ".build", ".pyc")):
                    yield read(os.path.relpath(os.path.join(where, name), ROOT))


def readme_rows(readme, head):
    """First cells of the table whose head begins with @head."""
    table = re.search(r"\n\| " + re.escape(head) + r" \|[^\n]*\n\|[- |]+\n((?:\|[^\n]*\n)+)", readme)
    return [row.split(" | ")[0].strip("| ") for row in table.group(1).splitlines()]


def metrics(readme):
    own = re.search(r"\nAbout itself: .*?\n\n", readme, re.S).group()
    for cell in readme_rows(readme, "metric") + [own]:
        for name in re.findall(r"`(malloc_[a-z_]+)`", cell):
            yield "metric", name, re.compile(r"\b" + name + r"\b")


def paths(readme):
    for cell in readme_rows(readme, "path"):
        for path in re.findall(r"`(/[^`?]*)", cell):
            # a test has a pid where the table has {pid}; the last word is what tells it from others
            last = re.sub(r"/\{\w+\}$", "", path).replace("/api/v1/processes/{pid}", "")
            yield "path", path, re.compile(r"[/\"'(]" + re.escape(last.lstrip("/")) + r"(?![\w-])")


def flags():
    for path in ("src/cli/service_options.c", "src/cli/oneshot_flags.c"):
        for name in re.findall(r'^    \{"(?:--)?([a-z][\w.-]+)", ', read(path), re.MULTILINE):
            yield "flag", "--" + name, re.compile("--" + re.escape(name) + r"(?![\w.-])")


def settings():
    for section, key in re.findall(r'^    \{"(\w+)", "(\w+)", SETTING_', read("src/config/settings.c"), re.MULTILINE):
        yield "setting", f"{section}.{key}", re.compile(r"\b" + key + r"\b")


def main():
    readme, tests = read("README.md"), list(test_texts())
    rows = list(metrics(readme)) + list(paths(readme)) + list(flags()) + list(settings())
    problems = [f"{kind} {name}: no test names it" for kind, name, pattern in rows
                if not any(pattern.search(text) for text in tests)]
    for kind in ("metric", "path", "flag", "setting"):
        if not any(row[0] == kind for row in rows):
            problems.append(f"no {kind} was found: the table is not where this check looks for it")
    print("\n".join(problems))
    return 1 if problems else 0


sys.exit(main())
