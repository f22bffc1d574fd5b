#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Small automatic changes of the library: does a test notice each?

    scripts/mutants.py [--seconds N] [--seed N] [-j N] [--list] [FILE[:LINE]...]

Changes calls, operators, conditions and constants in src/core, src/pt and src/drv,
one at a time, evenly over the files and in an order that the seed gives, until the
time is over. Programs that run the changed line are run, the quickest first. What
does not compile, or compiles to the same code, does not count; sentences for the
log are left alone. Survivors that
tests/seeded/equivalent.toml explains are listed with the reason; any other is an
error.
"""

import argparse
import collections
import dataclasses
import hashlib
import os
import pathlib
import random
import re
import subprocess
import sys
import threading
import time
import tomllib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import trial  # noqa: E402

LIBRARY = "libuiommu.a.p/"
FOLDERS = ("src/core", "src/pt", "src/drv")
# Tried at last, whatever lines they run: orders and fences are not lines.
ALWAYS = ("store_test-hooked", "schedule_test-hooked",
          "schedule_devices_test-hooked", "schedule_parts_test-hooked",
          "schedule_spaces_test-hooked")
TIMEOUT_S = 20  # at least; and TIMES as long as without a change
TIMES = 8

# ---- mutants -----------------------------------------------------------------

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'')
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)

LOG = re.compile(r"^ +uim_log\([^;]*\);$", re.M)  # sentences are not code

CALL = re.compile(r"^( +)((?:\(void\)!?)?[a-z_][\w>.\-]*\([^;{}]*\));$", re.M)
ASSIGNMENT = re.compile(r"^( +)([a-z_][\w>.\-\[\]]* (?:[|&]|<<|\+|-)?= [^;{}]+);$",
                        re.M)
CONDITION = re.compile(r"\b(if|while) \(((?:[^()\n]|\([^()\n]*\))*)\)")
OPERATORS = [
    (re.compile(r" (<=) "), "<"), (re.compile(r" (<) "), "<="),
    (re.compile(r" (>=) "), ">"), (re.compile(r" (>) "), ">="),
    (re.compile(r" (==) "), "!="), (re.compile(r" (!=) "), "=="),
    (re.compile(r" (&&) "), "||"), (re.compile(r" (\|\|)[ \n]"), "&&"),
    (re.compile(r" (\+) "), "-"), (re.compile(r" (-) "), "+"),
    (re.compile(r" (\|) "), "&"), (re.compile(r" (&) "), "|"),
    (re.compile(r" (<<) "), ">>"), (re.compile(r" (>>) "), "<<"),
]
NUMBER = re.compile(r"(?<![\w.\"])(\d+)(?![\w.])")
RETURN = re.compile(r"\breturn (true|false);")
SWAP = re.compile(r"\b([a-z]\w*)\(([\w>.\-]+), ([\w>.\-]+)\)")


@dataclasses.dataclass(frozen=True)
class Mutant:
    file: str
    start: int
    end: int
    after: str
    line: int
    before: str
    text: str  # of the line
    function: str

    @property
    def where(self):
        return f"{self.file}:{self.line}"


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def code_only(text):
    """Same length, without comments, strings and directives."""
    for pattern in (COMMENT, STRING, DIRECTIVE, LOG):
        text = pattern.sub(blank, text)
    return text


def bodies(code):
    """(start, end, name) of what is inside functions: from { to } in column 0."""
    for match in re.finditer(r"^\{\n.*?^\}", code, re.M | re.S):
        head = code[:match.start()].rsplit("\n\n", 1)[-1]
        name = re.search(r"(\w+)\(", head)
        yield match.start(), match.end(), name.group(1) if name else "?"


def changes(code):
    """(start, end, replacement) of each place where the code can be changed."""
    for m in CALL.finditer(code):
        if not m.group(2).startswith(("return", "sizeof")):
            yield m.start(2), m.end(2), ""
    for m in ASSIGNMENT.finditer(code):
        yield m.start(2), m.end(2), ""
    for m in CONDITION.finditer(code):
        yield m.start(2), m.end(2), f"!({m.group(2)})"
    for pattern, other in OPERATORS:
        for m in pattern.finditer(code):
            yield m.start(1), m.end(1), other
    for m in NUMBER.finditer(code):
        yield m.start(1), m.end(1), str(int(m.group(1)) + 1)
    for m in RETURN.finditer(code):
        other = "false" if m.group(1) == "true" else "true"
        yield m.start(1), m.end(1), other
    for m in SWAP.finditer(code):
        if m.group(2) != m.group(3):
            yield (m.start(2), m.end(3), f"{m.group(3)}, {m.group(2)}")


def mutants_of(name, text):
    code = code_only(text)
    inside = list(bodies(code))
    lines = text.splitlines()
    for start, end, after in sorted(set(changes(code))):
        for a, b, function in inside:
            if a < start and end < b:
                line = text.count("\n", 0, start) + 1
                yield Mutant(name, start, end, after, line, text[start:end],
                             lines[line - 1].strip(), function)


def find_mutants(root, names):
    found = {}
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix not in (".c", ".inc", ".h"):
                continue
            found[name] = [m for m in mutants_of(name, path.read_text())
                           if not names or name in names or m.where in names]
    return {name: mutants for name, mutants in found.items() if mutants}


def in_order(found, seed):
    """Evenly over the files: as many of each hundred lines."""
    shuffled = []
    for name, mutants in sorted(found.items()):
        rng = random.Random(f"{seed} {name}")
        rng.shuffle(mutants)
        shuffled += [((i + rng.random()) / len(mutants), m.file, m)
                     for i, m in enumerate(mutants)]
    shuffled.sort(key=lambda item: item[:2])
    return [m for _, _, m in shuffled]


# ---- who runs which line -----------------------------------------------------

class Coverage:
    """For each line of the library, the programs that run it, quickest first."""

    def __init__(self, root, where):
        built = trial.Build.of_copy(root, where, ["-Db_coverage=true",
                                                  "-Doptimization=0"])
        self.programs = [p for p in built.programs() if "-" not in p]
        always = [p for p in ALWAYS if p in built.programs()]
        built.compile(self.programs + always)
        self.lines = collections.defaultdict(set)
        self.seconds = {}
        for program in self.programs + always:
            self._one(built, program)

    def _one(self, built, program):
        for data in built.folder.rglob("*.gcda"):
            data.unlink()
        started = time.monotonic()
        problem = built.run(program, 300).problem
        self.seconds[program] = time.monotonic() - started
        if problem:
            raise trial.Broken(f"{program} fails as it is: {problem}")
        objects = [p for p in built.folder.rglob("*.gcda")
                   if "libuiommu.a.p" in str(p)]
        if not objects:
            return
        out = subprocess.run(
            ["gcov", "-t", *map(str, objects)], cwd=built.folder,
            capture_output=True, text=True, check=False).stdout
        self._read(out, program)

    def _read(self, text, program):
        file = None
        for line in text.splitlines():
            count, _, rest = line.partition(":")
            number, _, source = rest.partition(":")
            if number.strip() == "0" and source.startswith("Source:"):
                name = source.removeprefix("Source:").lstrip("./")
                file = name if name.startswith(FOLDERS) else None
            elif file and count.strip()[:1].isdigit():
                self.lines[file, int(number)].add(program)

    def patience(self, program):
        return max(TIMEOUT_S, TIMES * self.seconds[program])

    def of(self, mutant):
        found = set()
        for line in range(mutant.line, mutant.line + 3):
            found |= self.lines[mutant.file, line]
        return sorted(found - set(ALWAYS), key=lambda p: self.seconds[p])


# ---- running -----------------------------------------------------------------

class Box:
    def __init__(self, coverage, always, explained, deadline):
        self.coverage = coverage
        self.always = always
        self.pristine = {}
        self.explained = explained
        self.deadline = deadline
        self.lock = threading.Lock()
        self.count = collections.Counter()
        self.unexplained = []

    def one(self, copy, mutant):
        if time.monotonic() > self.deadline:
            self.count["left"] += 1
            return
        programs = self.coverage.of(mutant)
        programs += [p for p in self.always if p not in programs]
        try:
            verdict = self.attempt(copy, mutant, programs)
        except trial.Broken:
            self.note("does not compile")
            return
        if verdict is None:
            self.note("same code")
        elif verdict.program:
            self.note("killed")
            if verdict.run.hung:
                self.note("by the clock")
        else:
            self.survived(mutant, not self.coverage.of(mutant))

    def attempt(self, copy, mutant, programs):
        original = (copy.tree / mutant.file).read_text()
        as_it_is = self.code(copy, mutant.file, original)
        text = original[:mutant.start] + mutant.after + original[mutant.end:]
        with copy.changed(mutant.file, text):
            if code_of(copy) == as_it_is:
                return None
            for name in programs:
                patience = self.coverage.patience(name)
                run = copy.run(name, lambda share, s=patience: s)
                if run.problem:
                    return trial.Verdict(name, run, 0)
        return trial.Verdict("", trial.Run(), 0)

    def code(self, copy, file, original):
        if file not in self.pristine:
            with copy.changed(file, original):
                self.pristine[file] = code_of(copy)
        return self.pristine[file]

    def note(self, what):
        with self.lock:
            self.count[what] += 1

    def survived(self, mutant, not_run):
        reason = self.explained.get(key_of(mutant))
        with self.lock:
            self.count["explained" if reason else "unexplained"] += 1
            text = (f"{mutant.where}: {mutant.function}(): "
                    f"'{mutant.before}' -> '{mutant.after}': {mutant.text}")
            if reason:
                print(f"explained   {text}\n            {reason}", flush=True)
            else:
                self.unexplained.append(text)
                print(f"UNEXPLAINED {text}"
                      f"{' (no test runs it)' if not_run else ''}", flush=True)


def code_of(copy):
    """Of the library, what the changed file is in."""
    objects = copy.changed_objects(
        name for name in copy.built.commands if name.startswith(LIBRARY))
    return {name: hashlib.sha256(file.read_bytes()).digest()
            for name, file in objects.items()}


def key_of(mutant):
    return (mutant.file, mutant.function, mutant.before, mutant.after,
            mutant.text)


def load_explained(root):
    """Also a list of those that are about no mutant any more."""
    path = root / "tests" / "seeded" / "equivalent.toml"
    if not path.exists():
        return {}, []
    rows = tomllib.loads(path.read_text()).get("mutant", [])
    explained = {(m["file"], m["function"], m["before"], m["after"], m["line"]):
                 m["reason"] for m in rows}
    there = {key_of(m) for found in find_mutants(root, []).values()
             for m in found}
    return explained, [key for key in explained if key not in there]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", default="1")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--root", type=pathlib.Path, default=trial.ROOT)
    parser.add_argument("files", nargs="*", metavar="FILE[:LINE]")
    args = parser.parse_args()
    mutants = in_order(find_mutants(args.root, args.files), args.seed)
    explained, outlived = load_explained(args.root)
    for key in outlived:
        print(f"equivalent.toml: there is no such mutant: {', '.join(key)}")
    if outlived:
        return 1
    if args.list or not mutants:
        for m in mutants:
            print(f"{m.where}: '{m.before}' -> '{m.after}'")
        print(f"{len(mutants)} mutants")
        return 0 if mutants else 1
    with trial.folder() as top:
        coverage = Coverage(args.root, top / "coverage")
    started = time.monotonic()
    with trial.folder() as top:
        copies = trial.Copies(args.root, top, min(args.jobs, len(mutants)))
        programs = copies.built.programs()
        copies.built.compile(programs)
        box = Box(coverage, [p for p in ALWAYS if p in programs], explained,
                  started + args.seconds)
        copies.share(mutants, box.one)
    seconds = time.monotonic() - started
    n = box.count
    tried = n["killed"] + n["explained"] + n["unexplained"]
    print(f"{tried} mutants of {len(mutants)} in {seconds:.0f} s "
          f"({60 * tried / seconds:.0f} a minute): {n['killed']} killed, "
          f"{n['by the clock']} of them by the clock, {n['explained']} explained, "
          f"{n['unexplained']} unexplained; "
          f"{n['does not compile']} did not compile, "
          f"{n['same code']} were the same code")
    return 1 if box.unexplained or tried == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
