# SPDX-License-Identifier: MIT
"""A private copy of the tree in which the code is broken on purpose.

A Trial is a copy with a build of its own. attempt() applies a change, builds what
it needs, runs test programs until one notices, and takes the change back.
"""

import contextlib
import dataclasses
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIMEOUT_S = 60

# Programs that need more than this tree, or that look at the tree itself.
NOT_HERE = {"qtest_test", "scenario_test", "irq_test", "abi_test", "spec_test",
            "fw_test", "match_test"}


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
class Verdict:
    program: str  # that noticed; "" if none did
    test: str
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
        self.compile_target(*(f"tests/{name}" for name in programs))

    def fails(self, program, timeout=TIMEOUT_S):
        """The test of the program that failed first, or None."""
        env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
        child = subprocess.Popen(
            [self.build / "tests" / program], cwd=self.tree, env=env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True)
        timer = threading.Timer(timeout, kill, (child,))
        timer.start()
        try:
            for raw in child.stdout:
                line = raw.decode(errors="replace").strip()
                if line.startswith("not ok") and "# SKIP" not in line:
                    return line.split(" - ", 1)[-1]
            status = child.wait()
        finally:
            timed_out = not timer.is_alive()
            timer.cancel()
            kill(child)
            child.stdout.close()
            child.wait()
        if timed_out:
            return f"did not end within {timeout:g} s"
        return f"exit status {status}" if status != 0 else None

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
                test = self.fails(name, timeout)
                if test:
                    return Verdict(name, test, time.monotonic() - started)
        finally:
            path.write_text(original)
        return Verdict("", "", time.monotonic() - started)


def kill(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="uiommu-trial-") as top:
        yield pathlib.Path(top)


def share(root, jobs, items, work, prepare=None):
    """work(trial, item) for every item, in `jobs` copies of the tree at once;
    prepare(trial) before the first."""
    waiting = queue.Queue()
    for item in items:
        waiting.put(item)
    problems = []

    def worker(where):
        try:
            trial = Trial(root, where)
            if prepare:
                prepare(trial)
            while True:
                work(trial, waiting.get_nowait())
        except queue.Empty:
            pass
        except BaseException as error:  # shown by the main thread
            problems.append(error)

    with folder() as top:
        threads = [threading.Thread(target=worker, args=(top / str(i),))
                   for i in range(min(jobs, max(1, len(items))))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if problems:
        raise problems[0]
