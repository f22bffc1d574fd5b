#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The checks of scripts/ must be able to fail: one small wrong tree each."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests"))

import tap  # noqa: E402

SPDX = "/* SPDX-License-Identifier: MIT */\n"
GUARDED = """#ifndef G_{0}
#define G_{0}
{1}
#endif
"""


class Tree(unittest.TestCase):
    """A tree of four files that every check is content with."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        self.write("include/uiommu/a.h", GUARDED.format(
            "A", "#include <stdint.h>\nuint32_t uiommu_a(void);"))
        self.write("src/base/b.h", GUARDED.format("B", "enum { B = 1 };"))
        self.write("src/base/b.c", '#include "base/b.h"\n\n'
                   "#include <uiommu/a.h>\n\n"
                   "uint32_t uiommu_a(void)\n{\n    return B;\n}\n")
        self.write("model/m.c", '#include "base/b.h"\n\n'
                   "int uim_m(void);\n\n"
                   "int uim_m(void)\n{\n    return B;\n}\n")
        self.write("src/sources.txt", "src/base/b.c\n", spdx="")
        self.write("model/sources.txt", "model/m.c\n", spdx="")
        shutil.copy(TOP / ".clang-format", self.root)

    def write(self, name, text, spdx=SPDX):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(spdx + text)

    def append(self, name, text):
        with open(self.root / name, "a") as out:
            out.write(text)

    def run_check(self, script, *args):
        tool = [sys.executable] if script.endswith(".py") else ["bash"]
        done = subprocess.run(
            [*tool, TOP / "scripts" / script, "--root", self.root, *args],
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
            timeout=300, check=False)
        return done.returncode, done.stdout + done.stderr

    def good(self, script, *args):
        status, output = self.run_check(script, *args)
        self.assertEqual((status, output), (0, ""))

    def bad(self, script, *args, says):
        status, output = self.run_check(script, *args)
        self.assertEqual(status, 1, output)
        self.assertIn(says, output)


class Includes(Tree):
    def expect(self, name, line, says):
        self.write(name, line + "\n")
        self.bad("check-includes.py", says=f"{name}:2: {line}: {says}")

    def test_good(self):
        for layer in ("pt", "core", "drv/vtd", "fw"):
            self.write(f"src/{layer}/x.h", '#include "base/b.h"\n')
        self.write("src/core/y.c", '#include "pt/x.h"\n#include "fw/x.h"\n')
        self.write("src/drv/vtd/y.c",
                   '#include "drv/vtd/x.h"\n#include "core/x.h"\n')
        self.write("hosts/sim/h.c", '#include <stdio.h>\n#include "core/x.h"\n')
        self.write("tests/rig/t.h", '#include "drv/vtd/x.h"\n')
        self.write("tests/a/t.c", '#include "tests/rig/t.h"\n')
        self.write("src/base/c.c", '/* #include "core/x.h" */\n')
        self.good("check-includes.py")

    def test_upwards(self):
        self.write("src/core/x.h", "")
        self.expect("src/base/up.c", '#include "core/x.h"',
                    "base may not include core")

    def test_sideways(self):
        self.write("src/walk/x.h", "")
        self.expect("src/pt/side.c", '#include "walk/x.h"',
                    "pt may not include walk")

    def test_template_files_count(self):
        self.write("src/core/x.h", "")
        self.expect("src/pt/walk.inc", '#include "core/x.h"',
                    "pt may not include core")

    def test_driver_of_another(self):
        self.write("src/drv/vtd/x.h", "")
        self.expect("src/drv/smmuv3/y.c", '#include "drv/vtd/x.h"',
                    "drv/smmuv3 may not include drv/vtd")

    def test_core_to_driver(self):
        self.write("src/drv/vtd/x.h", "")
        self.expect("src/core/y.c", '#include "drv/vtd/x.h"',
                    "core may not include drv/vtd")

    def test_core_names_a_unit(self):
        for text, name in (("int vtd_x;", "vtd"),
                           ("/* as VT-d has it */", "VT-d"),
                           ('say("the IORT is wrong");', "IORT"),
                           ("enum { X = SMMUV3_X };", "SMMU")):
            self.write("src/core/y.c", f"int a;\n{text}\n")
            self.bad("check-includes.py",
                     says=f"src/core/y.c:3: {name}: src/core names no unit")
        self.write("src/drv/vtd/y.c", "int vtd_x; /* VT-d */\n")
        self.write("src/core/y.c", "int command, amount;\n")
        self.good("check-includes.py")

    def test_model_to_core(self):
        self.write("src/core/x.h", "")
        self.expect("model/y.c", '#include "core/x.h"',
                    "model may not include core")

    def test_model_to_public(self):
        self.expect("model/y.c", "#include <uiommu/a.h>",
                    "model may not include include")

    def test_library_to_host(self):
        self.write("hosts/machine.h", "")
        self.expect("src/core/y.c", '#include "hosts/machine.h"',
                    "core may not include hosts")

    def test_host_to_test(self):
        self.write("tests/rig/x.h", "")
        self.expect("hosts/sim/y.c", '#include "tests/rig/x.h"',
                    "hosts may not include tests")

    def test_example_to_library(self):
        self.expect("examples/y.c", '#include "base/b.h"',
                    "examples may not include base")

    def test_public_to_private(self):
        self.expect("include/uiommu/y.h", '#include "../../src/base/b.h"',
                    "write its path from src/ or from the top")

    def test_hosted_header(self):
        self.expect("src/base/y.c", "#include <stdio.h>",
                    "not a header of freestanding C11")

    def test_path_that_no_build_can_replace(self):
        self.expect("src/base/y.c", '#include "b.h"',
                    "write its path from src/ or from the top")

    def test_source_file(self):
        self.expect("src/base/y.c", '#include "base/b.c"', "a .c file")

    def test_missing(self):
        self.expect("src/base/y.c", '#include "base/gone.h"', "no such file")

    def test_unknown_layer(self):
        self.write("src/misc/x.h", "")
        self.bad("check-includes.py", says="src/misc: the design knows no such")


class Sources(Tree):
    def test_good(self):
        self.good("check-sources.py")

    def test_missing(self):
        self.write("src/base/c.c", "")
        self.bad("check-sources.py",
                 says="src/sources.txt: src/base/c.c is missing")

    def test_gone(self):
        self.append("src/sources.txt", "src/base/z.c\n")
        self.bad("check-sources.py", says="there is no such file")

    def test_order(self):
        self.write("src/base/a.c", "")
        self.append("src/sources.txt", "src/base/a.c\n")
        self.bad("check-sources.py", says="not sorted")

    def test_fix(self):
        self.write("src/base/a.c", "")
        self.good("check-sources.py", "--fix")
        self.good("check-sources.py")
        self.assertEqual((self.root / "src/sources.txt").read_text(),
                         "src/base/a.c\nsrc/base/b.c\n")

    def test_licence(self):
        self.write("src/base/b.h", "", spdx="")
        self.bad("check-sources.py", says="src/base/b.h: no SPDX")

    def test_format_that_is_not_known(self):
        self.append("src/base/b.c", '/* "%lx" */\n')
        self.good("check-sources.py")
        self.append("src/base/b.c", '/* "0x%08llx: no" */\n')
        self.bad("check-sources.py", says='src/base/b.c:')
        self.bad("check-sources.py", says='"ll" in a format')

    def test_forgotten_folder_of_tests(self):
        self.write("tests/meson.build", "  'x': {},\n", spdx="# " + SPDX)
        self.write("tests/x/a_test.c", "")
        self.good("check-sources.py", "--fix")
        self.good("check-sources.py")
        self.write("tests/y/b_test.c", "")
        self.bad("check-sources.py", says="tests/y: not in tests/meson.build")
        self.bad("check-sources.py",
                 says="tests/y/sources.txt: tests/y/b_test.c is missing")


class Format(Tree):
    def test_good(self):
        self.good("format.py", "--check")

    def test_bad(self):
        self.append("src/base/b.c", "int  x( void ) { return 1 ; }\n")
        self.bad("format.py", "--check",
                 says="src/base/b.c: not formatted at line 10")

    def test_fix(self):
        self.append("src/base/b.c", "int  x( void ) { return 1 ; }\n")
        status, _ = self.run_check("format.py")
        self.assertEqual(status, 0)
        self.good("format.py", "--check")
        self.assertTrue((self.root / "src/base/b.c").read_text().endswith(
            "int x(void)\n{\n    return 1;\n}\n"))

    def test_comment_columns_are_free(self):
        self.append("src/base/b.h",
                    "struct s {\n"
                    "    int a;      /* one                  */\n"
                    "\n"
                    "    long b;     /* two,\n"
                    "                 * in two lines         */\n"
                    "};\n")
        self.good("format.py", "--check")

    def test_comment_columns_are_free_up_to_the_margin(self):
        self.append("src/base/b.h", f"extern int a;{' ' * 60}/* far out */\n")
        self.bad("format.py", "--check", says="src/base/b.h: not formatted")

    def test_code_behind_a_comment_is_not_free(self):
        self.append("src/base/b.h", "/* c */   extern int a;\n")
        self.bad("format.py", "--check", says="src/base/b.h: not formatted")

    def test_comment_lookalike_is_not_free(self):
        self.append("src/base/b.c", 'const char *s   = "/* x */";\n')
        self.bad("format.py", "--check", says="src/base/b.c: not formatted")


class Headers(Tree):
    def test_good(self):
        self.good("check-headers.sh")

    def test_needs_another(self):
        self.write("include/uiommu/b.h", "uint32_t uiommu_b(void);\n")
        self.bad("check-headers.sh",
                 says="<uiommu/b.h>: does not compile alone: gcc -std=c11")

    def test_no_guard(self):
        self.write("include/uiommu/b.h", "struct uiommu_b { int b; };\n")
        self.bad("check-headers.sh", says="<uiommu/b.h>: does not compile")

    def test_not_cxx(self):
        self.write("include/uiommu/b.h", GUARDED.format(
            "X", "int uiommu_b(int class);"))
        self.bad("check-headers.sh", says="<uiommu/b.h>: does not compile "
                 "alone: clang++ -std=c++11")

    def test_private(self):
        self.write("src/base/c.h", "size_t c(void);\n")
        self.bad("check-headers.sh", says='"base/c.h": does not compile')


class Freestanding(Tree):
    def expect(self, code, says, target=("gcc", "x86_64", "-O0")):
        self.append("src/base/b.c", code)
        self.bad("check-freestanding.sh", *target, says=says)

    def test_good(self):
        self.append("src/base/b.c", "struct s { int a[64]; };\n"
                    "struct s s_of(const struct s *s);\n"
                    "struct s s_of(const struct s *s)\n{\n    return *s;\n}\n"
                    "static const char *const names[] = { \"a\", \"b\" };\n"
                    "const char *n(int i);\n"
                    "const char *n(int i)\n{\n    return names[i];\n}\n")
        for compiler in ("gcc", "clang"):
            for arch in ("x86_64", "i386", "aarch64", "riscv64"):
                self.good("check-freestanding.sh", compiler, arch, "-O0")

    def test_undefined(self):
        self.expect("int puts(const char *);\n"
                    "int p(void) { return puts(\"x\"); }\n", "undefined: puts")

    def test_undeclared(self):
        self.expect("int p(void) { return puts(\"x\"); }\n",
                    "gcc x86_64 -O0: not freestanding")

    def test_data(self):
        self.expect("int counter = 1;\n", "writable: counter in .data")

    def test_static_data(self):
        self.expect("int next(void) { static int n; return n++; }\n",
                    "in .bss")

    def test_pointers(self):
        self.expect("const char *name = \"x\";\n", "writable: name in .data")

    def test_tentative(self):
        self.expect("int counter;\n", "writable: counter")

    def test_model_data(self):
        self.append("model/m.c", "int mine = 2;\n")
        self.bad("check-freestanding.sh", "clang", "riscv64", "-O2",
                 says="writable: mine")

    def test_division(self):
        self.expect("unsigned long long d(unsigned long long a, unsigned long "
                    "long b) { return a / b; }\n", "undefined: __udivdi3",
                    target=("gcc", "i386", "-O2"))

    def test_wide_atomic(self):
        self.expect("_Atomic __int128 *w;\n", "__int128",
                    target=("clang", "i386", "-O2"))

    def test_libc_header(self):
        self.write("src/base/b.c", "#include <stdio.h>\n")
        self.bad("check-freestanding.sh", "gcc", "x86_64", "-O2",
                 says="stdio.h")

    def test_two_definitions(self):
        self.append("model/m.c", "int uiommu_a(void) { return 1; }\n")
        self.bad("check-freestanding.sh", "gcc", "aarch64", "-O2",
                 says="multiple definition")


class Install(Tree):
    def test_no_example_in_readme(self):
        self.write("README.md", "no code\n", spdx="")
        self.bad("readme-example.py", says="README.md has no ```c block")

    def test_example(self):
        self.write("README.md", "x\n```c\nint a;\n```\n```c\nint b;\n```\n",
                   spdx="")
        self.assertEqual(self.run_check("readme-example.py"), (0, "int a;\n"))


if __name__ == "__main__":
    tap.main()
