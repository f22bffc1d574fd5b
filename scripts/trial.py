# SPDX-License-Identifier: MIT
"""The code broken on purpose, in a private copy of the tree.

A Build is of the code as it is, and stays so. A Trial is a copy of the sources.
attempt() applies a change there, compiles the files that it reaches, links them in
front of the libraries of the build, runs test programs until one notices, and takes
the change back. Seconds are given to each test, not to a program, so that what hangs
is noticed before long. Most changes are noticed on whatever machine, so a trial may
begin with a share of the machines (UIOMMU_SHARE, tests/README.md).
"""

import contextlib
import dataclasses
import functools
import json
import math
import os
import pathlib
import queue
import re
import select
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIMEOUT_S = 60

# Instead of the build's: a change may leave something unused, but has to be C.
C_ERRORS = ["-Werror=incompatible-pointer-types", "-Werror=int-conversion", "-g0",
            "-fdiagnostics-color=never"]

POINT = re.compile(r"(not )?ok \d+\b(?: - )?(.*)")  # a test, in TAP

# Programs that need more than this tree, or that look at the tree itself.
NOT_HERE = {"qtest_test", "scenario_test", "irq_test", "bridge_test", "abi_test",
            "spec_test", "fw_test", "match_test"}


class Broken(Exception):
    """The trial cannot be made; the text says why."""


@dataclasses.dataclass
class Change:
    file: str
    text: str
    replacement: str

    def applied_to(self, source):
        found = source.count(self.text)
        if found != 1:
            raise Broken(f"{self.file}: the text is there {found} times")
        return source.replace(self.text, self.replacement)


@dataclasses.dataclass
class Run:
    """What became of a program, up to its first failure."""
    problem: str = ""
    hung: bool = False
    share: int = 1  # of its machines
    passed: list = dataclasses.field(default_factory=list)  # seconds of each


@dataclasses.dataclass
class Verdict:
    program: str  # that noticed; "" if none did
    run: Run
    seconds: float


def files_of(root):
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-coz", "--exclude-standard"],
        capture_output=True, check=True).stdout.decode()
    return [name for name in listed.split("\0")
            if name and (root / name).is_file()]


def copy_tree(root, to):
    for name in files_of(root):
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target)


def call(command, where):
    done = subprocess.run(command, cwd=where, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-12:])
        raise Broken(f"does not build:\n{tail}")
    return done.stdout


def words_without(command, *options):
    """Of a command, without these options and what follows each."""
    words = iter(shlex.split(command))
    for word in words:
        if word in options:
            next(words)
        else:
            yield word


def linker():
    """Gold takes half the time, and the build's data for debuggers none."""
    quick = ["-fuse-ld=gold"] if shutil.which("ld.gold") else []
    return [*quick, "-Wl,-S"]


class Build:
    """Of the code as it is: a folder that ninja builds in, directly in its tree."""

    def __init__(self, folder):
        self.folder = folder.resolve()
        self.tree = self.folder.parent
        if not (self.folder / "build.ninja").is_file():
            raise Broken(f"{folder}: meson was not set up there")
        listed = json.loads(self._ninja("-t", "compdb", "-x"))
        self.commands = {rule["output"]: rule["command"] for rule in listed}
        self.users = {}

    @classmethod
    def of_copy(cls, root, where, setup=()):
        copy_tree(root, where)
        call(["meson", "setup", where / "build", where, "-Dtests=true",
              "-Doptimization=1", "-Ddebug=false", *setup], where)
        return cls(where / "build")

    def _ninja(self, *args):
        return call(["ninja", "-C", self.folder, "--quiet", *args], self.tree)

    def programs(self):
        """Names of the C test programs that can run in a trial."""
        found = (name.removeprefix("tests/") for name in self.commands
                 if re.fullmatch(r"tests/\w+_test(-\w+)?", name))
        return sorted(n for n in found if n.split("-")[0] not in NOT_HERE)

    def compile(self, programs):
        if programs:
            self._ninja(*(f"tests/{name}" for name in programs))
        self.users = self._users()

    def _users(self):
        """For each file of the tree, the objects that were made from it."""
        users, name = {}, None
        for line in self._ninja("-t", "deps").splitlines():
            if not line.startswith(" "):
                name = line.split(":")[0]
            elif line.startswith("    ../"):
                users.setdefault(line[len("    ../"):], set()).add(name)
        return users

    @functools.cache
    def objects(self, program):
        """All that it may be linked from."""
        found = set()
        for word in self.commands[f"tests/{program}"].split():
            inside = self.commands.get(word, "").split() if word.endswith(
                ".a") else [word]
            found.update(name for name in inside if name.endswith(".o"))
        return found

    def run(self, program, timeout=TIMEOUT_S, share=1, enough=None):
        return run(self.folder / "tests" / program, self.tree, timeout, share,
                   enough)

    @functools.cache
    def limit(self, program, timeout, share):
        """Many times what the longest test takes."""
        passed = self.run(program, timeout, share).passed
        return min(timeout, math.ceil(1 + 10 * max(passed, default=0)))


class Trial:
    """A copy of the sources, of which one file at a time is not what was built."""

    def __init__(self, root, where, built, quick):
        self.tree = where
        self.made = where / "build"
        self.built = built
        self.quick = quick
        self.file, self.objects = None, {}
        copy_tree(root, where)
        self.made.mkdir()

    def compile(self, name):
        """An object of the build, from these sources; where it is."""
        to = self.made / name.replace("/", "+")
        words = words_without(self.built.commands[name], "-o", "-MQ", "-MF")
        # Run a few times, it takes longer to optimize than to run.
        options = ["-O0"] if self.quick else []
        call([*(w for w in words if not w.startswith(("-MD", "-W"))), *C_ERRORS,
              *options, "-o", to], self.made)
        return to

    def link(self, program, objects):
        """The program of the build, but with these objects, {name: file}."""
        to = self.made / program
        words = [str(objects.get(word, word)) for word in words_without(
            self.built.commands[f"tests/{program}"], "-o")]
        first = next((i for i, w in enumerate(words) if w.endswith(".a")),
                     len(words))
        words[first:first] = [str(file) for file in objects.values()
                              if str(file) not in words]
        call([*words, *linker(), "-o", to], self.built.folder)
        return to

    @contextlib.contextmanager
    def changed(self, file, text):
        """Inside, the file has this text."""
        path = self.tree / file
        original = path.read_text()
        self.file, self.objects = file, {}
        try:
            path.write_text(text)
            yield
        finally:
            path.write_text(original)

    def changed_objects(self, among):
        """{name: file}: those that the changed file is in, compiled once."""
        wanted = self.built.users.get(self.file, set()).intersection(among)
        for name in sorted(wanted.difference(self.objects)):
            self.objects[name] = self.compile(name)
        return {name: self.objects[name] for name in sorted(wanted)}

    def run(self, program, limit=lambda share: TIMEOUT_S, shares=(1,)):
        """What became of it in the first share that notices, or in the last, each
        within its limit."""
        objects = self.changed_objects(self.built.objects(program))
        if not objects:  # it is what was built
            return Run()
        linked = self.link(program, objects)
        for share in shares:
            became = run(linked, self.tree, limit(share), share)
            if became.problem:
                break
        return became

    def attempt(self, change, programs, limit=lambda share: TIMEOUT_S,
                shares=(1,)):
        """Applies the change, runs the programs in turn, takes it back."""
        path = self.tree / change.file
        if not path.is_file():
            raise Broken(f"{change.file}: there is no such file")
        started = time.monotonic()
        with self.changed(change.file, change.applied_to(path.read_text())):
            for name in programs:
                became = self.run(name, limit, shares)
                if became.problem:
                    return Verdict(name, became, time.monotonic() - started)
        return Verdict("", Run(), time.monotonic() - started)


def run(program, tree, timeout=TIMEOUT_S, share=1, enough=None):
    """Runs it until a test fails, or `enough` passed."""
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", UIOMMU_SHARE=str(share))
    child = subprocess.Popen(
        [program], cwd=tree, env=env, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True)
    became = Run(share=share)
    try:
        follow(child, timeout, enough, became)
    except (TimeoutError, subprocess.TimeoutExpired):
        became.problem = f"did not end within {timeout:g} s"
        became.hung = True
    finally:
        kill(child)
        child.stdout.close()
        child.wait()
    return became


def output(child, deadline):
    """What it prints next; b"" at the end."""
    left = max(0, deadline - time.monotonic())
    if not select.select([child.stdout], [], [], left)[0]:
        raise TimeoutError
    return os.read(child.stdout.fileno(), 1 << 16)


def follow(child, timeout, enough, became):
    """Reads its TAP into `became`."""
    since, rest = time.monotonic(), b""
    while data := output(child, since + timeout):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            point = POINT.match(line.decode(errors="replace").strip())
            if not point:
                continue
            if point[1] and "# SKIP" not in point[2]:
                became.problem = point[2]
                return
            became.passed.append(time.monotonic() - since)
            since = time.monotonic()
            if len(became.passed) == enough:
                return
    status = child.wait(timeout)
    if status != 0:
        became.problem = f"exit status {status}"


def kill(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="uiommu-trial-") as top:
        yield pathlib.Path(top)


class Copies:
    """Several copies of the tree, to work in at once, and what all link with."""

    def __init__(self, root, top, n, folder=None, quick=False):
        self.built = (Build(folder) if folder
                      else Build.of_copy(root, top / "tree"))
        self.trials = [Trial(root, top / str(i), self.built, quick)
                       for i in range(n)]

    def share(self, items, work):
        """work(trial, item) for every item."""
        waiting, problems = queue.Queue(), []
        for item in items:
            waiting.put(item)
        threads = [threading.Thread(target=work_off,
                                    args=(t, waiting, work, problems))
                   for t in self.trials]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if problems:
            raise problems[0]


def work_off(copy, waiting, work, problems):
    try:
        while True:
            work(copy, waiting.get_nowait())
    except queue.Empty:
        pass
    except BaseException as error:  # shown by the main thread
        problems.append(error)
