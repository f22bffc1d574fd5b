#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks the code on purpose, one fault at a time: does a test notice?

    scripts/seeded-faults.py [-j N] [--list] [--search] [--root DIR]
                             [--build DIR] [--timeout SECONDS] [NAME...]

The faults are in tests/seeded/*.toml. Each has a name, a file, a text that is there
exactly once, what it is replaced `with`, the row of docs/invariants.md it brings back
if there is one, and in `catch` the test program that has to notice. Without it, and
with --search, all others are tried as well. With names, only those faults. Prints for
each fault who noticed and after how many seconds, building included. The programs are
built once, in DIR, a folder of the tree where meson was set up, or else in a copy of
the tree; for a fault, only the files that it is in (trial.py). They run in a few of
their machines first, and in all only if nothing was noticed there.

A fault that is not noticed, that does not compile, or whose text is not there once is
an error; so is a fault whose test does not end within the seconds (60), because that
may have any reason, unless it says `hangs = true`: then its tests have many times what
they take in the code as it is. At last the tests that noticed have to pass in the code
as it is, hung ones in half their time.
"""

import argparse
import collections
import os
import pathlib
import sys
import threading
import tomllib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import trial  # noqa: E402

SHARES = 8, 4, 1  # of a program's machines
KEYS = {"name", "file", "text", "with", "row", "catch", "hangs", "why"}


def load(root):
    faults, problems, seen = [], [], set()
    for path in sorted((root / "tests" / "seeded").glob("*.toml")):
        for fault in tomllib.loads(path.read_text()).get("fault", []):
            name = fault.get("name", "?")
            where = f"{path.name}: {name}"
            missing = {"name", "file", "text", "with"} - set(fault)
            for key in sorted(missing):
                problems.append(f"{where}: has no '{key}'")
            for key in sorted(set(fault) - KEYS):
                problems.append(f"{where}: nobody knows '{key}'")
            if name in seen:
                problems.append(f"{where}: there are two of that name")
            seen.add(name)
            if not missing:
                faults.append(fault)
    return faults, problems


def find_texts(root, faults):
    for fault in faults:
        path = root / fault["file"]
        found = path.read_text().count(fault["text"]) if path.is_file() else 0
        if found != 1:
            yield (f"{fault['name']}: in {fault['file']} the text is there "
                   f"{found} times")
        if fault["text"] == fault["with"]:
            yield f"{fault['name']}: changes nothing"


def place_of(verdict):
    """Of the test that noticed, among those of its program."""
    return len(verdict.run.passed) + 1


class Faults:
    def __init__(self, timeout, search):
        self.timeout = timeout
        self.search = search
        self.lock = threading.Lock()
        self.caught = collections.defaultdict(list)  # by program, share
        self.problems = {}

    def one(self, copy, fault):
        try:
            verdict = self.attempt(copy, fault)
        except trial.Broken as broken:
            self.missed(fault, str(broken))
        else:
            self.judge(fault, verdict)

    def attempt(self, copy, fault):
        known = copy.built.programs()
        programs = [fault["catch"]] if "catch" in fault else []
        if not set(programs) <= set(known):
            raise trial.Broken(f"there is no program {programs[0]}")
        if self.search or not programs:
            programs += [n for n in known if n not in programs]
        change = trial.Change(fault["file"], fault["text"], fault["with"])
        return copy.attempt(change, programs,
                            lambda share: self.limit(copy, fault, share), SHARES)

    def limit(self, copy, fault, share):
        if not fault.get("hangs") or "catch" not in fault:
            return self.timeout
        return copy.built.limit(fault["catch"], self.timeout, share)

    def judge(self, fault, verdict):
        who = f"{verdict.program}: {verdict.run.problem}"
        if not verdict.program:
            who = "" if self.search else fault.get("catch", "")
            self.missed(fault, f"{who} did not notice" if who
                        else "nobody noticed")
        elif verdict.run.hung and not fault.get("hangs"):
            self.missed(fault, f"{who}, which says nothing about why")
        else:
            with self.lock:
                self.caught[verdict.program, verdict.run.share].append(
                    (fault, verdict))
                print(f"{verdict.seconds:6.1f} s  {title(fault)}: {who}",
                      flush=True)

    def missed(self, fault, problem):
        with self.lock:
            self.problems[fault["name"]] = problem
            print(f"MISSED    {title(fault)}: {problem}", flush=True)

    def check_sound(self, copy, program_and_share):
        """What fails in code that is right has noticed nothing."""
        program, share = program_and_share
        caught = self.caught[program_and_share]
        enough = max(place_of(verdict) for _, verdict in caught)
        run = copy.built.run(program, self.timeout, share, enough)
        for fault, verdict in caught:
            place = place_of(verdict)
            if run.problem and place > len(run.passed):
                self.missed(fault, f"{program} fails as it is: {run.problem}")
            elif (verdict.run.hung and sum(run.passed[place - 1:place]) >
                  self.limit(copy, fault, share) / 2):
                self.missed(fault, f"{program} takes as long as it is")


def title(fault):
    return fault["name"] + (f" [{fault['row']}]" if "row" in fault else "")


def needed(built, faults, search):
    """The programs that may have to run."""
    named = {fault.get("catch") for fault in faults}
    known = built.programs()
    return known if search or None in named else named.intersection(known)


def try_all(args, faults, run):
    with trial.folder() as top:
        copies = trial.Copies(args.root, top, max(1, min(args.jobs, len(faults))),
                              args.build, quick=True)
        copies.built.compile(sorted(needed(copies.built, faults, args.search)))
        copies.share(faults, run.one)
        copies.share(sorted(run.caught), run.check_sound)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--search", action="store_true")
    parser.add_argument("--root", type=pathlib.Path, default=trial.ROOT)
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--timeout", type=float, default=trial.TIMEOUT_S)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    faults, problems = load(args.root)
    names = {fault["name"] for fault in faults}
    problems += [f"there is no fault {n}" for n in args.names if n not in names]
    faults = [f for f in faults if not args.names or f["name"] in args.names]
    problems += find_texts(args.root, faults)
    if problems or args.list:
        print("\n".join(problems or sorted(names)))
        return 1 if problems else 0
    run = Faults(args.timeout, args.search)
    try:
        try_all(args, faults, run)
    except trial.Broken as broken:
        print(broken)
        return 1
    for name, problem in run.problems.items():
        print(f"{name}: {problem}")
    print(f"{len(faults)} faults, {len(faults) - len(run.problems)} caught, "
          f"{len(run.problems)} missed")
    return 1 if run.problems or not faults else 0


if __name__ == "__main__":
    sys.exit(main())
