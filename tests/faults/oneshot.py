"""One-shot commands with one failing system call: what each may do then, and what never."""
import json
import re
import subprocess

import injector

# Differ between two runs by nature, or tell the truth about how a result was come by.
LOOSE = re.compile(r"timestamp|duration|pause|process_resident|proportional|found_by|last_scan_(mode|why)|(?<!un)read_bytes|left_out")
# A sanitizer takes its own memory by the same calls, and says so where it gets none.
SANITIZER_WITHOUT_MEMORY = re.compile(rb"Sanitizer: (allocator is out of memory|failed to)|Sanitizer failed to (de)?allocate")
DOCUMENTED = {0, 1, 2, 3, 4}  # and 5, that it has no glibc malloc, which is not true


def flatten(value, path=""):
    """{'arena_list.0.chunks.top': 1} of a JSON value."""
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        # a field that could not be read at first is a row more than usual
        pairs = [(inner.get("name", at) if path == "fields" else at, inner) for at, inner in enumerate(value)]
    else:
        return {path: value}
    flat = {}
    for key, inner in pairs:
        flat.update(flatten(inner, f"{path}.{key}" if path else str(key)))
    return flat


def merged(parts):
    """The bytes of a memory's parts, however they were told apart: a page that was never touched reads as zeros."""
    text = {"never touched: zeros": "00"}
    return {"hex": "".join(part["hex"] or text.get(part["what"], "??") * part["length"] for part in parts),
            "unread_bytes": sum(part["length"] for part in parts if part["hex"] is None and part["what"] not in text)}


def facts(text):
    """The facts of an output: of a JSON, of NDJSON, or its lines."""
    try:
        value = json.loads(text)
        if isinstance(value, dict) and "parts" in value:
            value["parts"] = merged(value["parts"])
    except ValueError:
        try:
            value = [json.loads(line) for line in text.splitlines()]
        except ValueError:
            value = text.decode("utf-8", "replace").splitlines()
    return {key: fact for key, fact in flatten(value).items() if not LOOSE.search(key)}


def is_incomplete(found):
    """Whether the output itself says that something is missing in it."""
    return any(key.endswith(("last_scan_complete", "complete")) and fact in (0, False) or
               key.endswith(("objects_without_symbols", "unread_bytes", "tcaches_missing", "heap_error",
                             "thread_error")) and fact or
               key.endswith(".code") and fact in ("unread", "tcaches_missing")
               for key, fact in found.items())


class Command:
    faults = 8

    def run(self, line, nth, fault):
        return injector.run(line, nth, fault, call=self.call)

    def __init__(self, program, *arguments, call=""):
        self.call = call
        self.line = [program, *arguments]
        runs = [facts(subprocess.run(self.line, stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                                     check=True).stdout) for _ in range(3)]
        self.truth = {key: fact for key, fact in runs[0].items() if all(run.get(key, ()) == fact for run in runs)}
        assert len(self.truth) > 1, (arguments, runs)

    def verdict(self, code, out, err):
        """What is wrong with a run; None: nothing."""
        if SANITIZER_WITHOUT_MEMORY.search(err):
            return None
        if b"Sanitizer" in err:
            return "a sanitizer complains"
        if code == 127 and b"error while loading shared libraries" in err:
            return None
        if code not in DOCUMENTED:
            return f"exit code {code}"
        if code != 0:
            message = err.decode("utf-8", "replace").strip()
            return None if re.search(r"\w+.*: \w|\w{3,} \w{3,}", message) else f"exit code {code} without a message"
        found = facts(out)
        is_unknown = any(fact in (None, "") and self.truth.get(key) not in (None, "") for key, fact in found.items())
        if is_incomplete(found) or is_unknown:
            return None
        for key, fact in found.items():
            if key in self.truth and self.truth[key] != fact:
                return f"{key} is {str(fact)[:200]}, in truth {str(self.truth[key])[:200]}"
        missing = [key for key in self.truth if key not in found]
        if not found or len(missing) > len(self.truth) // 2:
            return f"exit code 0 without {len(missing)} of {len(self.truth)} facts: {missing[:3]}"
        return None

    def try_call(self, nth, fault):
        """(what was planted, what is wrong or None)"""
        try:
            code, out, err, planted = self.run(self.line, nth, fault)
        except subprocess.TimeoutExpired:
            return "fired ?", "it hangs"
        wrong = self.verdict(code, out, err)
        if planted and planted.startswith("fired write EPIPE") and code == 1:
            wrong = None  # whoever closed the pipe needs no message
        return planted, wrong and f"{wrong}; it said: {err.decode('utf-8', 'replace').strip()[:300]}"

    def try_faults(self, nth):
        """[(what was planted, what is wrong)] for each fault of call @nth; empty: there are fewer calls."""
        results = []
        for fault in range(self.faults):
            planted, wrong = self.try_call(nth, fault)
            if planted is None or planted.startswith("none"):
                return results + [(planted, wrong)] if planted else results
            results.append((planted, wrong))
        return results


class Access(Command):
    """--check-access: that something may not be read, and why, is its answer; a failed attempt is none."""
    REFUSED = re.compile(rb"no: .*(refused|[Pp]ermission|not permitted|no regular file|has ended)|not known: \w")

    def verdict(self, code, out, err):
        if code in (0, 3) and self.REFUSED.search(out):
            return None
        return super().verdict(code, out, err)


class WithoutMemory(Command):
    """The same, where one allocation fails."""
    faults = 1

    def run(self, line, nth, fault):
        return injector.run_without_memory(line, nth)
