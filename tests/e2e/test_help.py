"""--help and README tell of the same flags and defaults, and every flag is taken."""
import os
import re
import subprocess
import unittest

from service import PROGRAM

ROOT = os.environ["SOURCE_ROOT"]
COMMANDS = ("scan", "chunks", "arenas", "advise", "sizes", "maps", "status", "symbols", "address", "struct", "memory",
            "strings", "search")


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)


def flags_of(text):
    """{flag: its help} of a help text."""
    rows = {}
    for line in text.splitlines():
        match = re.match(r"  (?:-\w, )?(--[\w.-]+)(?: \[?[A-Z]+\]?)?(?:  +(.*))?$", line)
        if match:
            last = match.group(1)
            rows[last] = match.group(2) or ""
        elif rows and line.startswith(" " * 30):
            rows[last] += " " + line.strip()
    return rows


def defaults(rows):
    return {flag: re.sub(r".*\(default ([^,)]*).*", r"\1", text) for flag, text in rows.items() if "(default " in text}


def table(title):
    """{flag: default} of README's table behind the heading @title; "" where it has none."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = file.read()
    rows = re.findall(r"^\| `(--[\w.-]+)[^|]*\|([^|]*)\|", text[text.index(title):].split("\n## ")[0], re.M)
    return {flag: default.strip().strip("`") for flag, default in rows}


class Help(unittest.TestCase):
    def test_fits(self):
        for arguments in (("--help",), *((command, "--help") for command in COMMANDS)):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, b""), arguments)
            for line in done.stdout.decode().splitlines():
                self.assertLessEqual(len(line), 80, line)

    def test_commands(self):
        text = run("--help").stdout.decode()
        for command in COMMANDS:
            self.assertRegex(text, rf"(?m)^  {command}\b")

    def test_readme_has_each_flag_and_default(self):
        rows = flags_of(run("--help").stdout.decode())
        self.assertGreater(len(rows), 15)
        documented = table("### Flags")
        self.assertEqual(set(rows), set(documented))
        for flag, default in defaults(rows).items():
            self.assertEqual(documented[flag].split(",")[0].strip("`"), default, flag)

    def test_each_flag_is_known(self):
        """A flag is told from an unknown one by what is wrong with it."""
        for flag in flags_of(run("--help").stdout.decode()):
            done = run(flag + "=", "--config.check", "--config.file=/nonexistent")
            self.assertNotIn(b"unknown argument", done.stderr, flag)
        self.assertIn(b"unknown argument", run("--web.colour").stderr)
        self.assertEqual(run("--web.colour").returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
