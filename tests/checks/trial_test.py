#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaking code on purpose, on a project of two files: what is not noticed, or cannot
be done, is said."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "scripts"))

import mutants  # noqa: E402
import tap  # noqa: E402

PROJECT = {
    "meson.build": """project('small', 'c')
lib = static_library('uiommu', 'src/core/sum.c')
subdir('tests')
""",
    "meson_options.txt": "option('tests', type: 'boolean', value: true)\n",
    "src/core/sum.c": """/* a + b */
int sum(int a, int b);
int untested(int a);

int sum(int a, int b)
{
    return a + b;
}

int untested(int a)
{
    return a - 7;
}
""",
    "tests/meson.build":
        "executable('sum_test', 'sum_test.c', link_with: lib)\n",
    "tests/sum_test.c": """#include <stdio.h>
int sum(int a, int b);
int main(void)
{
    int good = sum(3, 4) == 7;
    printf("1..1\\n%s 1 - adds\\n", good ? "ok" : "not ok");
    return !good;
}
""",
}

FAULT = """[[fault]]
name = "{0}"
file = "src/core/sum.c"
text = '''{1}'''
with = '''{2}'''
"""


class Project(unittest.TestCase):
    def setUp(self):
        self.kept = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.kept.name)
        for name, text in PROJECT.items():
            self.write(name, text)
        subprocess.run(["git", "init", "-q", self.root], check=True)

    def tearDown(self):
        self.kept.cleanup()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def script(self, name, *args):
        done = subprocess.run(
            [sys.executable, ROOT / "scripts" / name, "--root", self.root, "-j1",
             *args], capture_output=True, text=True, timeout=300, check=False,
            env=dict(os.environ, CFLAGS=""))
        return done.returncode, done.stdout + done.stderr


class ThisTree(unittest.TestCase):
    """What is kept under tests/seeded is about code that is there."""

    def test_seeded_faults(self):
        self.listed("seeded-faults.py")

    def test_explained_mutants(self):
        self.listed("mutants.py")

    def listed(self, script):
        done = subprocess.run([sys.executable, ROOT / "scripts" / script, "--list"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class SeededFaults(Project):
    def faults(self, *faults, more="", args=()):
        self.write("tests/seeded/some.toml",
                   "".join(FAULT.format(*fault) for fault in faults) + more)
        return self.script("seeded-faults.py", *args)

    def refused(self, sentence, *faults, more=""):
        status, output = self.faults(*faults, more=more)
        self.assertEqual(status, 1, output)
        self.assertIn(sentence, output)

    def test_caught(self):
        status, output = self.faults(("wrong sum", "return a + b", "return a"))
        self.assertEqual(status, 0, output)
        self.assertRegex(output, r"\d s  wrong sum: sum_test: adds\n")
        self.assertIn("1 faults, 1 caught, 0 missed", output)

    def test_not_noticed(self):
        self.refused("MISSED    quiet: nobody noticed",
                     ("quiet", "a - 7", "a - 8"))

    def test_does_not_compile(self):
        self.refused("does not build", ("bad", "a - 7", "a -"))

    def test_one_of_two_missed(self):
        status, output = self.faults(("loud", "return a + b", "return b"),
                                     ("quiet", "a - 7", "a - 8"))
        self.assertEqual(status, 1)
        self.assertIn("2 faults, 1 caught, 1 missed", output)

    def test_text_is_not_there(self):
        self.refused("the text is there 0 times", ("x", "nowhere", "y"))

    def test_text_is_there_twice(self):
        self.refused("the text is there 2 times", ("x", "int sum(", "y"))

    def test_changes_nothing(self):
        self.refused("changes nothing", ("x", "a - 7", "a - 7"))

    def test_same_name_twice(self):
        self.refused("two of that name", ("x", "a - 7", "a"), ("x", "a - 7", "b"))

    def test_unknown_key(self):
        self.refused("nobody knows 'cach'", ("x", "a - 7", "a"),
                     more="cach = 'sum_test'\n")

    def test_unknown_program(self):
        self.refused("there is no program nobody", ("x", "a - 7", "a"),
                     more="catch = 'nobody'\n")

    def test_a_program_that_fails_anyway_notices_nothing(self):
        self.write("tests/meson.build", PROJECT["tests/meson.build"] +
                   "executable('bad_test', 'bad_test.c', link_with: lib)\n")
        self.write("tests/bad_test.c", "int main(void) { return 1; }\n")
        self.refused("bad_test fails as it is", ("quiet", "a - 7", "a - 8"))

    def test_hang_is_noticed(self):
        status, output = self.faults(
            ("hang", "return a + b", "for (;;) a = *(volatile int *)&b"),
            args=("--timeout", "3"))
        self.assertEqual(status, 0, output)
        self.assertIn("did not end within 3 s", output)


class Mutants(Project):
    def test_places(self):
        found = {(m.line, m.before, m.after) for m in mutants.mutants_of(
            "sum.c", PROJECT["src/core/sum.c"])}
        self.assertEqual(found, {(7, "+", "-"), (12, "-", "+"), (12, "7", "8")})

    def test_not_in_comments_strings_and_sentences(self):
        text = """void f(void)
{
    /* a + b */
    g("a < b", 'c');
    uim_log(u, 1, "x %u", a + b);
#if 1 + 1
#endif
}
"""
        self.assertEqual([m.before for m in mutants.mutants_of("f.c", text)],
                         ["""g("a < b", 'c')"""])

    def test_survivors_are_errors(self):
        status, output = self.script("mutants.py", "--seconds", "60")
        self.assertEqual(status, 1, output)
        self.assertIn("UNEXPLAINED src/core/sum.c:12: untested(): '7' -> '8'", output)
        self.assertIn("(no test runs it)", output)
        self.assertIn("1 killed, 0 of them by the clock, 0 explained, 2 "
                      "unexplained", output)

    def test_explained_survivors(self):
        self.write("tests/seeded/equivalent.toml", "".join(
            "[[mutant]]\nfile = 'src/core/sum.c'\nfunction = 'untested'\n"
            "line = 'return a - 7;'\n"
            f"before = '{before}'\nafter = '{after}'\nreason = 'nobody asks'\n"
            for before, after in (("-", "+"), ("7", "8"))))
        status, output = self.script("mutants.py", "--seconds", "60")
        self.assertEqual(status, 0, output)
        self.assertIn("nobody asks", output)
        self.assertIn("1 killed, 0 of them by the clock, 2 explained", output)

    def test_explanations_do_not_outlive_what_they_explain(self):
        self.write("tests/seeded/equivalent.toml",
                   "[[mutant]]\nfile = 'src/core/sum.c'\nfunction = 'sum'\n"
                   "line = 'return a - 7;'\nbefore = '-'\nafter = '+'\n"
                   "reason = 'nobody asks'\n")
        status, output = self.script("mutants.py", "--seconds", "60")
        self.assertEqual(status, 1, output)
        self.assertIn("there is no such mutant", output)

    def test_no_time_is_an_error(self):
        status, output = self.script("mutants.py", "--seconds", "0")
        self.assertEqual(status, 1, output)
        self.assertIn("0 mutants of 3", output)


if __name__ == "__main__":
    tap.main()
