#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Are the lists of sources complete?

Each sources.txt names every .c file of its folder and below, one per line,
sorted; builds by hand and by Meson read them. Every folder of tests is mentioned
in tests/meson.build. Every file of code says its licence in its first lines. Sentences
of freestanding code are made by base/text.h, which knows no "ll".

    scripts/check-sources.py [--fix] [--root DIR]
"""

import argparse
import pathlib
import re
import sys

LISTS = ["src", "model", "hosts/embed", "hosts/process", "hosts/qtest",
         "hosts/sim", "hosts/sva", "tools", "bench"]
NO_LIST = ["tests/checks", "tests/corpus"]
CODE = {".c", ".h", ".inc", ".py", ".sh", ".build"}
FOLDERS = ("include", "src", "model", "hosts", "tools", "tests", "bench",
           "fuzz", "examples", "scripts", ".ci")
FREESTANDING = ("src", "model")
NO_LICENCE = ("tests/corpus/",)


def sources(root, folder):
    found = (root / folder).rglob("*.c")
    return sorted(p.relative_to(root).as_posix() for p in found)


def check_list(root, folder, fix):
    path = root / folder / "sources.txt"
    if not path.parent.is_dir():
        return []
    want = sources(root, folder)
    have = path.read_text().split("\n")[:-1] if path.exists() else []
    if path.exists() and want == have:
        return []
    if fix:
        path.write_text("".join(line + "\n" for line in want))
        return []
    name = path.relative_to(root)
    problems = [f"{name}: {line} is missing" for line in want
                if line not in have]
    problems += [f"{name}: {line} is listed, but there is no such file"
                 for line in have if line not in want]
    return problems or [f"{name}: not sorted, or a line occurs twice"]


def test_folders(root):
    names = {p.parent.relative_to(root).as_posix()
             for p in (root / "tests").glob("*/*.c")}
    return sorted(names.difference(NO_LIST))


def check_tests(root):
    table = root / "tests" / "meson.build"
    text = table.read_text() if table.exists() else ""
    folders = {p.parent.name for p in (root / "tests").glob("*/*_test.*")}
    return [f"tests/{name}: not in tests/meson.build"
            for name in sorted(folders) if not re.search(
                rf"^  '{name}(/|')", text, re.M)]


def check_licences(root):
    problems = []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            code = path.suffix in CODE or name == ".ci/run"
            if not code or not path.is_file() or name.startswith(NO_LICENCE):
                continue
            head = path.read_text(errors="replace").split("\n")[:3]
            if not any("SPDX-License-Identifier: MIT" in x for x in head):
                problems.append(f"{name}: no SPDX-License-Identifier at its top")
    return problems


def check_formats(root):
    problems = []
    for folder in FREESTANDING:
        for path in sorted((root / folder).rglob("*.[chi]*")):
            name = path.relative_to(root).as_posix()
            for n, line in enumerate(path.read_text().split("\n"), 1):
                if re.search(r'".*%[0-9]*ll[a-z].*"', line):
                    problems.append(f"{name}:{n}: \"ll\" in a format: %lu and "
                                    "%lx take an uint64_t")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    args = parser.parse_args()
    problems = []
    if not args.fix:
        problems = (check_licences(args.root) + check_tests(args.root) +
                    check_formats(args.root))
    for folder in LISTS + test_folders(args.root):
        problems += check_list(args.root, folder, args.fix)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
