#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do includes follow the arrows of the design?

    base <- spec <- {pt, walk, pci, fw, explain} <- core <- {drv, user}
    {base, spec, walk} <- model
    everything <- {hosts, tools, bench, fuzz, tests}

Public headers include public headers only. What is freestanding (include, src,
model) includes of the compiler's headers those that a freestanding C11 has, and
names its own by their path from src/ or from the top, so that a build can put
another in front. No file includes a .c file.

src/core serves every unit and names none, nor its firmware table, not even in a
comment: what is one unit's belongs to its driver or to src/fw.

    scripts/check-includes.py [--root DIR]
"""

import argparse
import pathlib
import re
import sys

FREESTANDING = {"limits.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h",
                "stdint.h"}

BELOW = {"base", "spec"}
SIBLINGS = {"pt", "walk", "pci", "fw", "explain"}
CORE = BELOW | SIBLINGS | {"core"}

# What a layer may include beside itself and, but for the models, public headers.
ARROWS = {
    "include": set(),
    "base": {"include"},
    "spec": {"include", "base"},
    **{name: {"include"} | BELOW for name in SIBLINGS},
    "core": {"include"} | BELOW | SIBLINGS,
    "drv": {"include"} | CORE - {"walk"},
    "user": {"include"} | CORE,
    "model": BELOW | {"walk"},
}
# Folders of these stand apart: drv/vtd does not know drv/smmuv3.
APART = {"drv", "model"}
# What stands on top may include all of the above, and of each other:
ON_TOP = {
    "hosts": {"hosts"},
    "bench": {"bench", "hosts"},
    "tools": {"tools", "hosts", "bench"},
    "fuzz": {"fuzz", "hosts", "tools"},
    "tests": {"tests", "hosts", "tools", "bench", "fuzz"},
}
# Examples are embedders: public headers, and machines to run on.
EXAMPLES = {"include", "examples", "hosts"}
TOP = ("include", "src", "model", "examples", *ON_TOP)

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
UNIT = re.compile(r"vt-?d|dmar|drhd|rmrr|andd|smmu|iort|madt|gits|amd-?vi|ivrs|"
                  r"ivhd|ivmd|riscv-iommu|rimt|virtio|viot", re.I)
COMMENT = re.compile(r"/\*.*?\*/", re.S)


def layer_of(name):
    """("drv", "vtd") of src/drv/vtd/qi.c, ("base", "") of src/base/list.h."""
    parts = name.parts
    if parts[0] == "src":
        parts = parts[1:]
    apart = parts[0] in APART and len(parts) > 2
    return parts[0], parts[1] if apart else ""


def resolve(root, name, kind, target):
    """The file of the tree that is meant, relative to root, or None."""
    places = [root / "include", root / "src", root]
    if kind == '"':
        places.insert(0, (root / name).parent)
    for place in places:
        path = (place / target).resolve()
        if path.is_file() and root in path.parents:
            return path.relative_to(root)
    return None


def may(source, target):
    (layer, unit), (other, other_unit) = source, target
    if layer == other:
        return not (unit and other_unit) or unit == other_unit
    if layer in ARROWS:
        return other in ARROWS[layer]
    if layer == "examples":
        return other in EXAMPLES
    return other in ARROWS or other in ON_TOP[layer]


def check_include(root, name, kind, target):
    source = layer_of(name)
    freestanding = source[0] in ARROWS
    found = resolve(root, name, kind, target)
    if found is None:
        if kind == '"':
            return "no such file"
        if freestanding and target not in FREESTANDING:
            return "not a header of freestanding C11"
        return None
    if found.suffix == ".c":
        return "a .c file"
    public = found.parts[0] == "include"
    if public and kind == '"' and freestanding:
        return "public headers are included in <>"
    if not public and freestanding:
        if kind == "<":
            return "only public headers are included in <>"
        if target not in (found.as_posix(),
                          found.as_posix().removeprefix("src/")):
            return "write its path from src/ or from the top"
    other = layer_of(found)
    if not may(source, other):
        return f"{'/'.join(filter(None, source))} may not include " \
               f"{'/'.join(filter(None, other))}"
    return None


def blank_comments(text):
    return COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def check_file(root, path):
    name = path.relative_to(root)
    text = blank_comments(path.read_text(errors="replace"))
    for match in INCLUDE.finditer(text):
        problem = check_include(root, name, *match.groups())
        if problem:
            line = text.count("\n", 0, match.start(1)) + 1
            yield f"{name}:{line}: {match.group().strip()}: {problem}"


def check_names(root, path):
    for number, line in enumerate(path.read_text(errors="replace").split("\n"),
                                  1):
        for match in UNIT.finditer(line):
            yield f"{path.relative_to(root)}:{number}: {match.group()}: " \
                  "src/core names no unit"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).parent.parent)
    root = parser.parse_args().root.resolve()
    problems = []
    for folder in TOP:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".c", ".h", ".inc"):
                problems += check_file(root, path)
                if layer_of(path.relative_to(root))[0] == "core":
                    problems += check_names(root, path)
    for path in sorted((root / "src").iterdir()):
        if path.is_dir() and path.name not in ARROWS:
            problems.append(f"src/{path.name}: the design knows no such layer")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
