#!/usr/bin/env python3
"""Each include of src/ goes in the direction of rules.py, as src/README.md says it; each header compiles alone."""
import os
import re
import subprocess
import sys

from rules import ALL, LIBRARIES, ROOMS, SEAMS, USERS

SRC = os.path.join(os.environ.get("SOURCE_ROOT", "."), "src")
OURS = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
THEIRS = re.compile(r"^\s*#\s*include\s+<([^>]+)>")


def ours_problem(path, included):
    room, other = path.split("/")[0], included.split("/")[0]
    if not os.path.exists(os.path.join(SRC, included)):
        return f'"{included}" is not a path below src/'
    if other in USERS and room != other and not path.startswith(USERS[other]):
        return f"{included} is for {USERS[other]} alone"
    if path == "main.c" or room == "cli":
        return None
    if room == "roles" and other == "roles":
        role, other_role = path.split("/")[1], included.split("/")[1]
        return None if role == other_role else f"role {role} includes role {other_role}"
    if room == other:
        return None
    if other not in ROOMS[room]:
        return f"room {room} may not include {included}"
    seam = SEAMS.get((room, other))
    if seam is not None and included not in seam:
        return f"room {room} may include of {other} only {sorted(seam)}, not {included}"
    return None


def file_problems(path):
    room = path.split("/")[0]
    if path != "main.c" and room not in ALL:
        yield f"{path}: {room} is no room (tests/lint/rules.py)"
        return
    with open(os.path.join(SRC, path), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            ours, theirs = OURS.match(line), THEIRS.match(line)
            problem = ours and ours_problem(path, ours.group(1))
            for library, user in LIBRARIES.items():
                if theirs and theirs.group(1).startswith(library) and not path.startswith(user):
                    problem = f"<{theirs.group(1)}> is for {user} alone"
            if problem:
                yield f"src/{path}:{number}: {problem}"


def in_words(room):
    """What the table of src/README.md has to say in the last column."""
    if room in ("roles", "cli"):
        return {"roles": {"all above"}, "cli": {"all"}}[room]
    seams = {other: SEAMS[room, other] for other in ROOMS[room] if (room, other) in SEAMS}
    return (ROOMS[room] - set(seams)) | {path for paths in seams.values() for path in paths} or {"nothing"}


def readme_problems():
    with open(os.path.join(SRC, "README.md"), encoding="utf-8") as file:
        rows = dict(re.findall(r"^\| `(\w+)/` \|.*\| ([^|]+) \|$", file.read(), re.MULTILINE))
    for room in sorted(ALL | set(rows)):
        said = set(rows.get(room, "").split(", "))
        if room not in ALL or said != in_words(room):
            yield f"src/README.md: the row of {room} and tests/lint/rules.py do not agree"


def header_problem(path):
    command = ["cc", "-std=gnu17", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall", "-Werror", "-I", SRC, "-x", "c", "-"]
    result = subprocess.run(command, input=f'#include "{path}"\n', capture_output=True, text=True, check=False)
    return f"src/{path} does not compile alone:\n{result.stderr}" if result.returncode else None


def main():
    problems = list(readme_problems())
    for folder, _, names in os.walk(SRC):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), SRC)
            if name.endswith((".c", ".h")):
                problems += file_problems(path)
            if name.endswith(".h"):
                problem = header_problem(path)
                problems += [problem] if problem else []
    print("\n".join(problems))
    return 1 if problems else 0


sys.exit(main())
