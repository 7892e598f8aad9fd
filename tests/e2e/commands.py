"""The one-shot commands in the hands of a test: run with their exit code checked, asked for JSON."""
import json
import subprocess

from service import PROGRAM


def run(*arguments, code=0, **options):
    """Run the program; it must end with @code. What subprocess.run() gives, its output as bytes."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL, timeout=120, check=False,
                          **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})
    assert done.returncode == code, (arguments, done.returncode, done.stderr)
    return done


def ask(*arguments):
    """What the command answers; without a terminal that is JSON."""
    return json.loads(run(*arguments).stdout)
