# SPDX-License-Identifier: MIT
"""A private copy of the tree in which the code is broken on purpose.

A Trial is a copy with a build of its own. attempt() applies a change, builds what
it needs, runs test programs until one notices, and takes the change back. Seconds are
given to each test, not to a program, so that what hangs is noticed before long.
"""

import contextlib
import dataclasses
import os
import pathlib
import queue
import re
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIMEOUT_S = 20

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


class Trial:
    def __init__(self, root, where, setup=()):
        self.tree = where
        self.build = where / "build"
        copy_tree(root, where)
        self._run(["meson", "setup", self.build, where, "-Dtests=true",
                   "-Doptimization=1", "-Ddebug=false",
                   "-Dc_args=-Werror=incompatible-pointer-types "
                   "-Werror=int-conversion", *setup])

    def twin(self, where):
        """A copy of the copy, with what is built."""
        other = object.__new__(Trial)
        other.tree = where
        other.build = where / "build"
        shutil.copytree(self.tree, where, symlinks=True)
        return other

    def _run(self, command):
        done = subprocess.run(command, cwd=self.tree, text=True, check=False,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode != 0:
            tail = "\n".join(done.stdout.splitlines()[-12:])
            raise Broken(f"does not build:\n{tail}")

    def programs(self):
        """Names of the C test programs that can run here."""
        listed = subprocess.run(
            ["ninja", "-C", self.build, "-t", "targets", "all"],
            capture_output=True, text=True, check=True).stdout
        found = [line.split(":")[0].removeprefix("tests/")
                 for line in listed.splitlines()
                 if line.startswith("tests/") and "LINKER" in line
                 and line.split(":")[0].rsplit("-", 1)[0].endswith("_test")
                 or line.startswith("tests/") and "LINKER" in line
                 and line.split(":")[0].endswith("_test")]
        return sorted(name for name in found
                      if name.split("-")[0] not in NOT_HERE)

    def compile_target(self, *targets):
        self._run(["ninja", "-C", self.build, "--quiet", *targets])

    def compile(self, programs):
        if programs:
            self.compile_target(*(f"tests/{name}" for name in programs))

    def run(self, program, timeout=TIMEOUT_S, enough=None):
        """Runs it until a test fails, or `enough` passed."""
        env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
        child = subprocess.Popen(
            [self.build / "tests" / program], cwd=self.tree, env=env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True)
        run = Run()
        try:
            follow(child, timeout, enough, run)
        except (TimeoutError, subprocess.TimeoutExpired):
            run.problem = f"did not end within {timeout:g} s"
            run.hung = True
        finally:
            kill(child)
            child.stdout.close()
            child.wait()
        return run

    def fails(self, program, timeout=TIMEOUT_S):
        """The test of the program that failed first, or None."""
        return self.run(program, timeout).problem or None

    def attempt(self, change, programs, timeout=TIMEOUT_S):
        """Applies the change, runs the programs in turn, takes it back."""
        path = self.tree / change.file
        if not path.is_file():
            raise Broken(f"{change.file}: there is no such file")
        original = path.read_text()
        broken = change.applied_to(original)
        started = time.monotonic()
        try:
            path.write_text(broken)
            for name in programs:
                self.compile([name])
                run = self.run(name, timeout)
                if run.problem:
                    return Verdict(name, run, time.monotonic() - started)
        finally:
            path.write_text(original)
        return Verdict("", Run(), time.monotonic() - started)


def output(child, deadline):
    """What it prints next; b"" at the end."""
    left = max(0, deadline - time.monotonic())
    if not select.select([child.stdout], [], [], left)[0]:
        raise TimeoutError
    return os.read(child.stdout.fileno(), 1 << 16)


def follow(child, timeout, enough, run):
    """Reads its TAP into `run`."""
    since, rest = time.monotonic(), b""
    while data := output(child, since + timeout):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            point = POINT.match(line.decode(errors="replace").strip())
            if not point:
                continue
            if point[1] and "# SKIP" not in point[2]:
                run.problem = point[2]
                return
            run.passed.append(time.monotonic() - since)
            since = time.monotonic()
            if len(run.passed) == enough:
                return
    status = child.wait(timeout)
    if status != 0:
        run.problem = f"exit status {status}"


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
    """Several copies of the tree, to work in at once."""

    def __init__(self, root, top, n, programs=()):
        """The programs are built once, for all copies."""
        first = Trial(root, top / "0")
        known = set(first.programs())
        first.compile(sorted(known.intersection(programs)))
        self.trials = [first] + [first.twin(top / str(i)) for i in range(1, n)]

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
