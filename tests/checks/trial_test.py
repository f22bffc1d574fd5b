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

    def test_a_header_is_in_all_that_include_it(self):
        self.write("src/core/seven.h", "#define SEVEN 7\n")
        for file in ("src/core/sum.c", "tests/sum_test.c"):
            text = PROJECT[file].replace("== 7", "== SEVEN").replace(
                "- 7", "- SEVEN")
            self.write(file, '#include "../src/core/seven.h"\n'.replace(
                "../src", "../../src" if "src" in file else "../src") + text)
        self.write("tests/seeded/some.toml", FAULT.format(
            "eight", "7", "8").replace("sum.c", "seven.h"))
        status, output = self.script("seeded-faults.py")
        self.assertEqual(status, 0, output)
        self.assertRegex(output, r"\d s  eight: sum_test: adds\n")

    def test_what_a_program_is_not_made_of_it_does_not_notice(self):
        self.write("src/core/other.c", "int other(void);\n"
                   "int other(void) { return 1; }\n")
        self.write("meson.build", PROJECT["meson.build"] +
                   "static_library('other', 'src/core/other.c')\n")
        self.write("tests/seeded/some.toml", FAULT.format(
            "far", "return 1", "return").replace("sum.c", "other.c") +
            "catch = 'sum_test'\n")
        status, output = self.script("seeded-faults.py")
        self.assertEqual(status, 1, output)
        self.assertIn("MISSED    far: sum_test did not notice", output)

    def files_of(self, folder):
        return {path: (path.stat().st_mtime_ns, path.read_bytes())
                for path in (self.root / folder).rglob("*.[oa]")}

    def test_a_build_that_is_there_stays_as_it_is(self):
        build = self.root / "build"
        subprocess.run(["meson", "setup", "--werror", "-Dwarning_level=3", build,
                        self.root], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["ninja", "-C", build], check=True,
                       stdout=subprocess.DEVNULL)
        before = self.files_of("build")
        status, output = self.faults(
            ("unused", "return a + b", "return a"),
            ("not C", "return a + b", "int *p = a; return *p"),
            args=("--build", build))
        self.assertEqual(status, 1)
        self.assertRegex(output, r"\d s  unused: sum_test: adds\n")
        self.assertIn("MISSED    not C: does not build", output)
        self.assertTrue(before)
        self.assertEqual(before, self.files_of("build"))

    def test_a_build_that_is_not_there(self):
        status, output = self.faults(("x", "return a + b", "return a"),
                                     args=("--build", self.root / "nowhere"))
        self.assertEqual(status, 1, output)
        self.assertIn("nowhere: meson was not set up there", output)

    def other_program(self, main):
        self.write("tests/meson.build", PROJECT["tests/meson.build"] +
                   "executable('a_test', 'a_test.c', link_with: lib)\n")
        self.write("tests/a_test.c", f"""#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int sum(int a, int b);
int main(void)
{{
    {main}
}}
""")

    def test_a_program_that_fails_anyway_notices_nothing(self):
        self.other_program("return 1;")
        self.refused("a_test fails as it is: exit status 1",
                     ("quiet", "a - 7", "a - 8"))

    def test_what_passes_before_it_fails_anyway_notices(self):
        self.other_program("""puts(sum(3, 4) == 7 ? "ok 1" : "not ok 1 - seven");
    puts("not ok 2 - never");
    return 1;""")
        status, output = self.faults(("wrong sum", "return a + b", "return a"),
                                     ("quiet", "a - 7", "a - 8"))
        self.assertEqual(status, 1)
        self.assertRegex(output, r"\d s  wrong sum: a_test: seven\n")
        self.assertIn("quiet: a_test fails as it is: never", output)
        self.assertIn("2 faults, 1 caught, 1 missed", output)

    def in_a_share(self, condition):
        self.other_program(f"""int share = atoi(getenv("UIOMMU_SHARE"));
    printf("%s - %d\\n", {condition} ? "ok 1" : "not ok 1", share);
    return 0;""")
        return self.faults(("wrong sum", "return a + b", "return a"),
                           more="catch = 'a_test'\n")

    def test_a_share_notices(self):
        status, output = self.in_a_share("sum(3, 4) == 7")
        self.assertEqual(status, 0, output)
        self.assertIn("a_test: 8", output)

    def test_what_no_share_notices_all_machines_may(self):
        status, output = self.in_a_share("share > 1 || sum(3, 4) == 7")
        self.assertEqual(status, 0, output)
        self.assertIn("a_test: 1", output)

    def test_a_share_that_fails_anyway_notices_nothing(self):
        status, output = self.in_a_share("share != 4")
        self.assertEqual(status, 1, output)
        self.assertIn("a_test fails as it is: 4", output)

    def test_only_the_program_named_may_notice(self):
        fault = ("wrong sum", "return a + b", "return a")
        self.other_program("puts(\"ok 1\"); return 0;")
        self.refused("wrong sum: a_test did not notice", fault,
                     more="catch = 'a_test'\n")
        status, output = self.faults(fault, more="catch = 'a_test'\n",
                                     args=("--search",))
        self.assertEqual(status, 0, output)
        self.assertRegex(output, r"\d s  wrong sum: sum_test: adds\n")

    def hang(self, more="", timeout=3):
        return self.faults(
            ("hang", "return a + b", "for (;;) a = *(volatile int *)&b"),
            args=("--timeout", str(timeout)), more=more)

    def test_a_hang_has_to_be_expected(self):
        status, output = self.hang()
        self.assertEqual(status, 1, output)
        self.assertIn("MISSED    hang: sum_test: did not end within 3 s, which "
                      "says nothing about why", output)

    def test_hang_is_noticed(self):
        status, output = self.hang("hangs = true\n")
        self.assertEqual(status, 0, output)
        self.assertIn("did not end within 3 s", output)

    def test_who_hangs_has_many_times_what_it_takes(self):
        status, output = self.hang("hangs = true\ncatch = 'sum_test'\n", timeout=60)
        self.assertEqual(status, 0, output)
        self.assertRegex(output, r"did not end within \d s")

    def test_what_always_takes_as_long_does_not_hang(self):
        self.other_program("""sleep(sum(3, 4) == 7 ? 3 : 0);
    puts("ok 1");
    return 0;""")
        status, output = self.hang("hangs = true\ncatch = 'a_test'\n", timeout=5)
        self.assertEqual(status, 1, output)
        self.assertIn("hang: a_test takes as long as it is", output)

    def test_the_time_is_that_of_the_share(self):
        self.other_program("""if (atoi(getenv("UIOMMU_SHARE")) == 1)
        sleep(3);
    else if (sum(3, 4) == 7)
        puts("# it is as it was");
    puts("ok 1");
    return 0;""")
        status, output = self.faults(
            ("wrong sum", "return a + b", "return a"),
            more="hangs = true\ncatch = 'a_test'\n")
        self.assertEqual(status, 1, output)
        self.assertIn("MISSED    wrong sum: a_test did not notice", output)

    def test_each_test_has_the_time(self):
        self.other_program("""for (int t = 1; t <= 3; t++) {
        sleep(2);
        printf("ok %d\\n", t);
        fflush(stdout);
    }
    return sum(3, 4) != 7;""")
        status, output = self.faults(
            ("wrong sum", "return a + b", "return a"),
            args=("--timeout", "5"), more="catch = 'a_test'\n")
        self.assertEqual(status, 0, output)
        self.assertIn("a_test: exit status 1", output)


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
