#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks the code on purpose, one fault at a time: does a test notice?

    scripts/seeded-faults.py [-j N] [--list] [--root DIR] [--timeout SECONDS]
                             [NAME...]

The faults are in tests/seeded/*.toml. Each has a name, a file, a text that is there
exactly once, what it is replaced `with`, the row of docs/invariants.md it brings back
if there is one, and in `catch` the test program that is expected to notice, which is
tried first; then all others. With names, only those faults. Prints for each fault who
noticed and after how many seconds, building included; those of one file come
together, which saves building it twice. A fault that nobody notices,
that does not compile, or whose text is not there once is an error. A program that
does not end within the seconds (60) has noticed.
"""

import argparse
import os
import pathlib
import sys
import threading
import tomllib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import trial  # noqa: E402

KEYS = {"name", "file", "text", "with", "row", "catch", "why"}


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


SOUND = 5  # times as long may a program take that is not to fail


class Faults:
    def __init__(self, timeout):
        self.timeout = timeout
        self.lock = threading.Lock()
        self.caught = 0
        self.sound = set()
        self.problems = []

    def one(self, copy, fault):
        first = [fault["catch"]] if "catch" in fault else []
        change = trial.Change(fault["file"], fault["text"], fault["with"])
        try:
            known = copy.programs()
            programs = [n for n in first if n in known]
            if programs != first:
                raise trial.Broken(f"there is no program {first[0]}")
            programs += [n for n in known if n not in first]
            verdict = copy.attempt(change, programs, self.timeout)
            if verdict.program:
                self.check_sound(copy, verdict.program)
        except trial.Broken as broken:
            self.say(fault, None, str(broken))
            return
        self.say(fault, verdict, "nobody noticed")

    def check_sound(self, copy, program):
        """What fails on code that is right has noticed nothing."""
        with self.lock:
            known = program in self.sound
        if not known:
            copy.compile([program])
            test = copy.fails(program, SOUND * self.timeout)
            if test:
                raise trial.Broken(f"{program} fails as it is: {test}")
        with self.lock:
            self.sound.add(program)

    def say(self, fault, verdict, problem):
        row = f" [{fault['row']}]" if "row" in fault else ""
        with self.lock:
            if verdict and verdict.program:
                self.caught += 1
                print(f"{verdict.seconds:6.1f} s  {fault['name']}{row}: "
                      f"{verdict.program}: {verdict.test}", flush=True)
            else:
                self.problems.append(f"{fault['name']}: {problem}")
                print(f"MISSED    {fault['name']}{row}: {problem}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--root", type=pathlib.Path, default=trial.ROOT)
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
    run = Faults(args.timeout)
    faults.sort(key=lambda fault: (fault["file"], fault.get("catch", "")))
    trial.share(args.root, args.jobs, faults, run.one)
    print("".join(f"{problem}\n" for problem in run.problems), end="")
    print(f"{len(faults)} faults, {run.caught} caught, "
          f"{len(run.problems)} missed")
    return 1 if run.problems or not faults else 0


if __name__ == "__main__":
    sys.exit(main())
