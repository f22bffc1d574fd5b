#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The test runner must be able to fail: each way a suite can go wrong.

UIOMMU_SAMPLE is the program that tests/checks/sample.c makes.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

import tap  # noqa: E402

SAMPLE = os.environ.get("UIOMMU_SAMPLE", "")


class Runner(unittest.TestCase):
    def run_tests(self, *tests, ci="", names=()):
        with tempfile.TemporaryDirectory() as build:
            info = pathlib.Path(build, "meson-info")
            info.mkdir()
            info.joinpath("intro-tests.json").write_text(json.dumps(tests))
            env = dict(os.environ, CI=ci)
            self.results = None
            done = subprocess.run(
                [sys.executable, TESTS / "run.py", build, *names], env=env,
                capture_output=True, text=True, timeout=300, check=False)
            results = pathlib.Path(build, "results.json")
            if results.exists():
                self.results = json.loads(results.read_text())
        lines = done.stdout.splitlines()
        return done.returncode, lines[-1] if lines else done.stderr, done.stdout

    def sample(self, what, **more):
        return dict({"name": what, "cmd": [SAMPLE, what], "protocol": "tap",
                     "env": {"CMOCKA_MESSAGE_OUTPUT": "TAP"}}, **more)

    def shell(self, script, **more):
        return dict({"name": "shell", "cmd": ["sh", "-c", script],
                     "protocol": "tap"}, **more)

    def check(self, status, last, *tests, **kwargs):
        got, line, output = self.run_tests(*tests, **kwargs)
        self.assertEqual((got, line), (status, last), output)
        return output

    def test_pass(self):
        output = self.check(
            0, "2 passed, 0 failed, 0 skipped, 0 not applicable",
            self.sample("passes"))
        self.assertRegex(output, r"(?m)^ +\d+\.\d s  passes: 2 passed")

    def test_what_passed_shows_what_it_asks_for(self):
        output = self.check(
            0, "1 passed, 0 failed, 0 skipped, 0 not applicable",
            self.shell("echo 1..1; echo '# shown: 5 rounds'; echo '# more'; echo ok 1"))
        self.assertIn("    | # shown: 5 rounds\n", output)
        self.assertNotIn("more", output)

    def test_results_are_kept(self):
        self.run_tests(self.sample("passes"), self.sample("fails"),
                       self.shell("echo 1..1; echo ok 1 - a; echo NA: a: b"))
        self.assertEqual(self.results["fails"], {})
        self.assertEqual(set(self.results["passes"].values()), {"passed"})
        self.assertEqual(self.results["shell"],
                         {"a": "not applicable: b"})

    def test_failure(self):
        output = self.check(
            1, "1 passed, 1 failed, 0 skipped, 0 not applicable",
            self.sample("fails"))
        self.assertIn("0x1 != 0x2", output)
        self.assertIn("FAILED: fails: varies", output)

    def test_skip(self):
        self.check(0, "1 passed, 0 failed, 1 skipped, 0 not applicable",
                   self.sample("skips"))

    def test_skip_is_failure_in_ci(self):
        self.check(1, "1 passed, 1 failed, 0 skipped, 0 not applicable",
                   self.sample("skips"), ci="true")

    def test_not_applicable(self):
        self.check(0, "1 passed, 0 failed, 0 skipped, 1 not applicable",
                   self.sample("not-applicable"), ci="true")

    def test_not_applicable_of_unknown_test(self):
        self.check(1, "1 passed, 1 failed, 0 skipped, 0 not applicable",
                   self.shell("echo 1..1; echo NA: b: no; echo ok 1 - a"))

    def test_not_applicable_does_not_hide_a_failure(self):
        self.check(1, "0 passed, 2 failed, 0 skipped, 0 not applicable",
                   self.shell("echo 1..1; echo NA: a: no; echo not ok 1 - a"))

    def test_killed(self):
        output = self.check(1, "1 passed, 1 failed, 0 skipped, 0 not applicable",
                            self.sample("aborts"))
        self.assertIn("killed by SIGABRT", output)

    def test_leaves_in_the_middle(self):
        status, last, output = self.run_tests(self.sample("leaves"))
        self.assertEqual(status, 1, output)
        self.assertIn(" 1 failed", last)

    def test_time_out(self):
        output = self.check(1, "1 passed, 1 failed, 0 skipped, 0 not applicable",
                            self.sample("hangs", timeout=1))
        self.assertIn("did not end within 1 s", output)

    def test_time_out_ends_children(self):
        with tempfile.TemporaryDirectory() as folder:
            mark = pathlib.Path(folder, "mark")
            self.run_tests(self.shell(
                f"(sleep 2; touch {mark}) & sleep 60", timeout=1))
            subprocess.run(["sleep", "2"], check=True)
            self.assertFalse(mark.exists())

    def test_group_setup_fails(self):
        status, _, output = self.run_tests(self.sample("setup-fails"))
        self.assertEqual(status, 1, output)

    def test_group_teardown_fails(self):
        status, _, output = self.run_tests(self.sample("teardown-fails"))
        self.assertEqual(status, 1, output)

    def test_no_tests(self):
        output = self.check(1, "0 passed, 1 failed, 0 skipped, 0 not applicable",
                            self.sample("empty"))
        self.assertIn("ran no test", output)

    def test_fewer_than_planned(self):
        output = self.check(1, "1 passed, 1 failed, 0 skipped, 0 not applicable",
                            self.shell("echo 1..2; echo ok 1 - a"))
        self.assertIn("planned 2 tests, reported 1", output)

    def test_results_without_plan(self):
        self.check(1, "1 passed, 1 failed, 0 skipped, 0 not applicable",
                   self.shell("echo ok 1 - a"))

    def test_exit_status_without_failed_test(self):
        output = self.check(1, "1 passed, 1 failed, 0 skipped, 0 not applicable",
                            self.shell("echo 1..1; echo ok 1 - a; exit 3"))
        self.assertIn("exit status 3", output)

    def test_program_is_not_there(self):
        self.check(1, "0 passed, 1 failed, 0 skipped, 0 not applicable",
                   {"name": "gone", "cmd": ["/nowhere/at/all"]})

    def test_plain_program(self):
        self.check(0, "1 passed, 0 failed, 0 skipped, 0 not applicable",
                   self.shell("true", protocol="exitcode"))
        self.check(1, "0 passed, 1 failed, 0 skipped, 0 not applicable",
                   self.shell("exit 1", protocol="exitcode"))
        self.check(1, "0 passed, 1 failed, 0 skipped, 0 not applicable",
                   self.shell("kill -SEGV $$", protocol="exitcode"))
        self.check(0, "0 passed, 0 failed, 1 skipped, 0 not applicable",
                   self.shell("exit 77", protocol="exitcode"))
        self.check(1, "0 passed, 1 failed, 0 skipped, 0 not applicable",
                   self.shell("exit 77", protocol="exitcode"), ci="true")

    def test_several_suites_add_up(self):
        self.check(1, "5 passed, 1 failed, 0 skipped, 0 not applicable",
                   self.sample("passes"), self.sample("fails"),
                   self.sample("passes", is_parallel=False))

    def test_names(self):
        self.check(0, "2 passed, 0 failed, 0 skipped, 0 not applicable",
                   self.sample("passes"), self.sample("fails"),
                   names=["pass"])
        self.check(1, "0 passed, 1 failed, 0 skipped, 0 not applicable",
                   self.sample("passes"), names=["nothing"])

    def test_targets_are_what_the_named_suites_need(self):
        with tempfile.TemporaryDirectory() as build:
            info = pathlib.Path(build, "meson-info")
            info.mkdir()
            info.joinpath("intro-tests.json").write_text(json.dumps([
                self.sample("one", depends=["a", "lib"]),
                self.sample("two", depends=["b"])]))
            info.joinpath("intro-targets.json").write_text(json.dumps([
                {"id": "a", "filename": [f"{build}/tests/a"]},
                {"id": "b", "filename": [f"{build}/tests/b"]},
                {"id": "lib", "filename": [f"{build}/lib.so"]}]))
            done = subprocess.run(
                [sys.executable, TESTS / "run.py", "--targets", build, "one"],
                capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "lib.so\ntests/a\n")

    def test_no_suite_at_all(self):
        self.check(1, "0 passed, 1 failed, 0 skipped, 0 not applicable")


class Tap(unittest.TestCase):
    def test_python_suites_can_fail(self):
        with tempfile.TemporaryDirectory() as folder:
            script = pathlib.Path(folder, "x_test.py")
            script.write_text(
                f"import sys, unittest\nsys.path.insert(0, {str(TESTS)!r})\n"
                "import tap\nclass T(unittest.TestCase):\n"
                "    def test_good(self): pass\n"
                "    def test_wrong(self): self.assertEqual(1, 2)\n"
                "    def test_error(self): 1 / 0\n"
                "    def test_parts(self):\n"
                "        with self.subTest(n=1): self.fail()\n"
                "tap.main()\n")
            done = subprocess.run([sys.executable, script], text=True,
                                  capture_output=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stdout.startswith("1..4\n"))
        self.assertEqual(done.stdout.count("\nnot ok "), 3, done.stdout)
        self.assertEqual(done.stdout.count("\nok "), 1)


if __name__ == "__main__":
    tap.main()
