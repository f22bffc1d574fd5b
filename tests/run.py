#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs every test that Meson built, and counts.

    tests/run.py [-j N] [--list | --targets] [--wrapper PROGRAM] BUILD [NAME...]

Tests are those of tests/meson.build; with names, those named so, or where there is
none, those whose name contains it. Output is shown for tests that failed, and of others
the lines that begin with "# shown: ". The seconds of each suite come first, the counts
are the last line, and what passed is in BUILD/results.json, which suites that do not
run in parallel (they come last) may read. --targets says what of the build they need.
What a program has to print, and what counts as what, is in tests/README.md. Exit
status 0: nothing failed.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

# {suite: {test: "passed" or "not applicable: REASON"}}
RESULTS = "results.json"
SKIPPED_EXIT = 77  # of programs that do not speak TAP
SHOWN = "# shown: "  # how lines begin that are shown of what passed as well

PLAN = re.compile(r"1\.\.(\d+)\b")
RESULT = re.compile(r"(not )?ok\b\s*(\d+)?\s*(?:-\s*)?(.*)")
DIRECTIVE = re.compile(r"#\s*SKIP\b\s*(.*)", re.IGNORECASE)
NOT_APPLICABLE = re.compile(r"NA: (.*)")


@dataclasses.dataclass
class Outcome:
    passed: int = 0
    skipped: int = 0
    not_applicable: int = 0
    names: dict = dataclasses.field(default_factory=dict)  # name: result
    failures: list = dataclasses.field(default_factory=list)
    reports: int = 0
    planned: int = 0

    def add(self, other):
        self.passed += other.passed
        self.skipped += other.skipped
        self.not_applicable += other.not_applicable
        self.failures += other.failures

    def __str__(self):
        return (f"{self.passed} passed, {len(self.failures)} failed, "
                f"{self.skipped} skipped, "
                f"{self.not_applicable} not applicable")


@dataclasses.dataclass
class Ended:
    output: str
    status: int  # negative: -signal
    timed_out: bool
    seconds: float


def parse_result(outcome, passed, match, strict):
    """One line of TAP. cmocka says "not ok 3 # SKIP name" where TAP says ok."""
    text = match.group(3).strip()
    skip = DIRECTIVE.search(text)
    outcome.reports += 1
    if skip:
        name = DIRECTIVE.sub("", text).strip(" -") or skip.group(1)
        if strict:
            outcome.failures.append(f"{name}: skipped, which CI forbids")
        else:
            outcome.skipped += 1
    elif match.group(1):
        outcome.failures.append(text or f"test {match.group(2)}")
    else:
        passed[text] += 1
        outcome.passed += 1
        outcome.names[text] = "passed"


def name_in(text, passed):
    """The test that "name: reason" is about; names may hold colons."""
    names = [n for n in passed if text == n or text.startswith(n + ":")]
    return max(names, key=len, default=None)


def parse_tap(output, strict):
    outcome = Outcome()
    passed = collections.Counter()
    claims = []
    for line in output.splitlines():
        plan = PLAN.match(line)
        result = RESULT.match(line)
        claim = NOT_APPLICABLE.match(line)
        if plan:
            outcome.planned += int(plan.group(1))
        elif result:
            parse_result(outcome, passed, result, strict)
        elif claim:
            claims.append(claim.group(1))
        elif line.startswith("Bail out!"):
            outcome.failures.append(line)
    for claim in claims:
        name = name_in(claim, passed)
        if name is None:
            outcome.failures.append(
                f"'NA: {claim}' is about no test that passed")
        elif passed[name] > 0:
            passed[name] -= 1
            outcome.passed -= 1
            outcome.not_applicable += 1
            if passed[name] == 0:
                reason = claim[len(name) + 1:].strip()
                outcome.names[name] = f"not applicable: {reason}"
    return outcome


def parse_exit(test, ended, strict):
    """A program without TAP is one test, and its exit status the result."""
    if ended.status == SKIPPED_EXIT:
        return parse_tap(f"1..1\nok 1 # SKIP {test['name']}\n", strict)
    if ended.status == 0:
        return Outcome(passed=1, reports=1, planned=1,
                       names={test["name"]: "passed"})
    return Outcome(reports=1, planned=1)


def death(ended, had_failures):
    if ended.timed_out:
        return f"did not end within {ended.seconds:.0f} s"
    if ended.status < 0:
        try:
            return f"killed by {signal.Signals(-ended.status).name}"
        except ValueError:
            return f"killed by signal {-ended.status}"
    if ended.status > 0 and not had_failures:
        return f"exit status {ended.status}, though no test failed"
    return None


def judge(test, ended, strict):
    tap = test.get("protocol", "tap") == "tap"
    if tap:
        outcome = parse_tap(ended.output, strict)
    else:
        outcome = parse_exit(test, ended, strict)
    ended_well = ended.status == 0 or not tap and ended.status == SKIPPED_EXIT
    problem = None if ended_well and not ended.timed_out else death(
        ended, tap and bool(outcome.failures))
    if problem:
        outcome.failures.append(problem)
    if outcome.reports == 0 and not problem:
        outcome.failures.append("ran no test")
    elif outcome.reports != outcome.planned and not problem:
        outcome.failures.append(f"planned {outcome.planned} tests, "
                                f"reported {outcome.reports}")
    return outcome


def run(test):
    started = time.monotonic()
    timed_out = False
    env = dict(os.environ, **test.get("env", {}))
    with tempfile.TemporaryFile() as out:
        try:
            child = subprocess.Popen(
                test["cmd"], cwd=test.get("workdir"), env=env,
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True)
        except OSError as error:
            return Ended(f"{error}\n", 127, False, 0)
        try:
            child.wait(timeout=test.get("timeout") or None)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            try:  # whatever it started goes with it
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()
        out.seek(0)
        output = out.read().decode(errors="replace")
    return Ended(output, child.returncode, timed_out,
                 time.monotonic() - started)


def report(test, ended, outcome):
    lines = [f"{ended.seconds:8.1f} s  {test['name']}: {outcome}"]
    lines += [f"    | {line}" for line in ended.output.splitlines()
              if outcome.failures or line.startswith(SHOWN)]
    lines += [f"    FAILED: {failure}" for failure in outcome.failures]
    print("\n".join(lines), flush=True)


def keep(build, shown):
    """What catalogues are made from."""
    path = build / RESULTS
    results = json.loads(path.read_text()) if path.exists() else {}
    results.update(shown)
    path.write_text(json.dumps(results, sort_keys=True))


def run_all(tests, jobs, strict, build):
    total = Outcome()

    def one(test):
        ended = run(test)
        return test, ended, judge(test, ended, strict)

    together = [t for t in tests if t.get("is_parallel", True)]
    alone = [t for t in tests if not t.get("is_parallel", True)]
    for batch, width in ((together, jobs), (alone, 1)):
        shown = {}
        with concurrent.futures.ThreadPoolExecutor(max_workers=width) as pool:
            futures = [pool.submit(one, test) for test in batch]
            for future in concurrent.futures.as_completed(futures):
                test, ended, outcome = future.result()
                report(test, ended, outcome)
                shown[test["name"]] = {} if outcome.failures else outcome.names
                outcome.failures = [f"{test['name']}: {failure}"
                                    for failure in outcome.failures]
                total.add(outcome)
        keep(build, shown)
    return total


def targets(build, tests):
    """What ninja has to build for them."""
    path = build / "meson-info" / "intro-targets.json"
    files = {t["id"]: t["filename"] for t in json.loads(path.read_text())}
    needed = {name for t in tests for name in t.get("depends", [])}
    return sorted(os.path.relpath(f, build) for name in needed for f in files[name])


def load(build, names):
    path = build / "meson-info" / "intro-tests.json"
    tests = json.loads(path.read_text())
    tests.sort(key=lambda t: -t.get("priority", 0))
    known = {t["name"] for t in tests}
    return [t for t in tests if not names or any(
        n == t["name"] or n not in known and n in t["name"] for n in names)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--targets", action="store_true")
    parser.add_argument("--wrapper", help="what runs the programs")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    tests = load(args.build, args.names)
    if args.list:
        print("\n".join(t["name"] for t in tests))
        return 0
    if args.targets:
        print("\n".join(targets(args.build, tests)))
        return 0
    if args.wrapper:
        for test in tests:
            test["cmd"] = [args.wrapper, *test["cmd"]]
    strict = os.environ.get("CI", "") not in ("", "0", "false")
    started = time.monotonic()
    if not args.names:
        (args.build / RESULTS).unlink(missing_ok=True)
    total = run_all(tests, args.jobs, strict, args.build)
    if not tests:
        total.failures.append("there is no such test")
    print(f"{time.monotonic() - started:8.1f} s  all {len(tests)} suites")
    for failure in total.failures:
        print(f"FAILED: {failure}")
    print(total, flush=True)
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
