#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The hooked library sees every atomic access: what src/ uses of <stdatomic.h> is in
tests/hook/include/stdatomic.h, too."""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import tap  # noqa: E402

# No access that others see: before there are others, and of the compiler alone.
UNSEEN = {"atomic_init", "atomic_signal_fence"}
OPERATION = re.compile(r"\batomic_(?:load|store|exchange|compare|fetch|thread|signal|"
                       r"init|flag|is_lock)\w*")


def without_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def used(text):
    return set(OPERATION.findall(without_comments(text))) - UNSEEN


def hooked(header):
    """Macros that the header takes away and defines anew."""
    text = without_comments(header)
    return (set(re.findall(r"^#undef (atomic_\w+)", text, re.M))
            & set(re.findall(r"^#define (atomic_\w+)", text, re.M)))


def used_by(folder):
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".c", ".h", ".inc"):
            for name in used(path.read_text()):
                found.setdefault(name, path.name)
    return found


class Atomics(unittest.TestCase):
    def setUp(self):
        self.header = (ROOT / "tests" / "hook" / "include"
                       / "stdatomic.h").read_text()

    def test_the_library_uses_nothing_that_is_not_hooked(self):
        found = used_by(ROOT / "src")
        self.assertTrue(found)
        unseen = {name: where for name, where in found.items()
                  if name not in hooked(self.header)}
        self.assertEqual(unseen, {})

    def test_the_header_hooks_nothing_that_the_library_does_not_use(self):
        helpers = hooked(self.header) - set(used_by(ROOT / "src"))
        self.assertEqual(helpers, set())

    def test_what_is_not_hooked_is_noticed(self):
        sample = ("/* atomic_fetch_xor() */\n"
                  "atomic_init(&a, 0); atomic_load(&a);\n"
                  "x = atomic_fetch_xor_explicit(&a, 1, memory_order_relaxed);\n"
                  "atomic_compare_exchange_weak(&a, &b, 1);\n"
                  "atomic_flag_test_and_set(&f);\n")
        self.assertEqual(used(sample) - hooked(self.header),
                         {"atomic_fetch_xor_explicit",
                          "atomic_compare_exchange_weak",
                          "atomic_flag_test_and_set"})

    def test_a_hook_that_is_gone_is_noticed(self):
        for line in ("#define atomic_exchange(", "#undef atomic_exchange\n"):
            self.assertIn(line, self.header)
            self.assertNotIn("atomic_exchange",
                             hooked(self.header.replace(line, "")))


if __name__ == "__main__":
    tap.main()
