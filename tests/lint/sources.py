#!/usr/bin/env python3
"""Each declaration of a header has a comment; no source is too long to be one thing, or keeps notes to its writer."""
import os
import re
import subprocess
import sys

ROOT = os.environ.get("SOURCE_ROOT", ".")
LINES_MAX = {"src": 320, "tests": 540}
DECLARATION = re.compile(r"(?:struct|enum|union) \w+ \{|(?!#|/|\*|\}|_Static_assert)\w[\w *]*[ *]\w+(?:\(|\[|;|,| =)|typedef ")
# Announced alone, or words that say what they are.
PLAIN = re.compile(r"(?:struct|enum|union) \w+;|enum \w+ \{[^}]+\};$")
# What only ends what another declaration began needs no words of its own.
ENDS = re.compile(r"\b\w+_(?:deinit|free|unref|run)\(")
LEFT_OVER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")


def files(pattern):
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "src", "tests"],
                            capture_output=True, text=True, check=False).stdout.split()
    return [name for name in listed if re.search(pattern, name) and os.path.isfile(os.path.join(ROOT, name))]


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read().split("\n")


def end_of(lines, at):
    """The last line of the declaration that begins at @at."""
    depth = 0
    for number in range(at, len(lines)):
        depth += lines[number].count("{") - lines[number].count("}")
        if depth == 0 and re.search(r"[;}]\s*(/\*.*)?$", lines[number]):
            return number
    return at


def undocumented(lines):
    """Numbers of the lines where a declaration begins that has no comment above, beside or for its group."""
    at, is_group = 0, False
    while at < len(lines):
        line = lines[at]
        if line.startswith("#define") or line.startswith("#undef"):  # a table and what is made of it are one
            while lines[at].endswith("\\"):
                at += 1
            at += 1
            continue
        if not DECLARATION.match(line) or PLAIN.match(line):
            is_group = is_group and line.strip() != ""
            at += 1
            continue
        end = end_of(lines, at)
        above = lines[at - 1] if at else ""
        has_comment = above.rstrip().endswith("*/") or any("/*" in part for part in lines[at:end + 1])
        in_table = any(part.strip() == "#undef X" for part in lines[at:end + 1])
        is_ok = has_comment or in_table or is_group or ENDS.search(line)
        if not is_ok:
            yield at + 1
        is_group = bool(is_ok)
        at = end + 1


def main():
    problems = []
    for name in files(r"^src/.*\.h$"):
        lines = read(name)
        problems += [f"{name}:{number}: what is it for? {lines[number - 1]}" for number in undocumented(lines)]
    for name in files(r"\.(c|h|py)$"):
        lines, most = read(name), LINES_MAX[name.split("/")[0]]
        if len(lines) > most:
            problems.append(f"{name}: {len(lines)} lines; split it by meaning, {most} are allowed")
        problems += [f"{name}:{number}: left over: {line.strip()}" for number, line in enumerate(lines, 1)
                     if LEFT_OVER.search(line) and not name.endswith("lint/sources.py")]
    print("\n".join(problems))
    return 1 if problems else 0


sys.exit(main())
