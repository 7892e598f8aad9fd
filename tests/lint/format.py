#!/usr/bin/env python3
"""All C files are as clang-format leaves them; no file names a place outside the repository or is half merged."""
import os
import re
import subprocess
import sys

ROOT = os.environ.get("SOURCE_ROOT", ".")
UNMERGED = re.compile(r"(<{7}|>{7}) ")
OUTSIDE = re.compile(r"(?<![\w.$}])/work/|\.\./shared|/home/[a-z]|/root/[a-z]")
MERGE = re.compile(r"(<{7}|>{7}) ")


def files():
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"],
                            capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [name for name in listed.stdout.split("\n") if os.path.isfile(os.path.join(ROOT, name))]
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not name.startswith("build") and name != "__pycache__"]
        found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names]
    return found


def main():
    problems = []
    sources = [name for name in files() if name.endswith((".c", ".h"))]
    for start in range(0, len(sources), 50):
        result = subprocess.run(["clang-format", "--dry-run", "-Werror"] + sources[start:start + 50], cwd=ROOT,
                                capture_output=True, text=True, check=False)
        problems += sorted(set(re.findall(r"^(\S+:\d+):\d+: error", result.stderr, re.M)))
    for name in files():
        if name == "tests/lint/format.py":
            continue
        with open(os.path.join(ROOT, name), encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if UNMERGED.match(line):
                    problems.append(f"{name}:{number}: a conflict that was not resolved")
                if OUTSIDE.search(line):
                    problems.append(f"{name}:{number}: a path outside the repository: {line.strip()}")
                if MERGE.match(line):
                    problems.append(f"{name}:{number}: half merged: {line.strip()}")
    print("\n".join(problems))
    return 1 if problems else 0


sys.exit(main())
