#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes docs/invariants.md, docs/mission.md, docs/witnesses.md, docs/scenarios.md and the
table of what works in README.md from a test run.

    scripts/catalogues.py BUILD            writes them
    scripts/catalogues.py --check BUILD    fails if they are not what the run shows

What is claimed stands in tests/catalogue/*.toml, one table a row; what the run showed
in BUILD/results.json (tests/run.py). A row names the tests that show it, as
"suite: test", where `*` stands for anything; the machine after [ or / is not part of
a name. Every pattern has to match a test that passed: a catalogue cannot claim what
did not happen. Instead of tests a row may say why there are none.

A row of scenarios.toml has its tests in four manners: on adversarial machines, store by
store (suites ending in -hooked), with calls that fail (-failing), and as programs of the
scheduler (schedule_*). `tests` are those of each of the first three; `adversarial`,
`stores`, `failing` and `schedule` name others, the last without their suite, or say in a
sentence why the manner cannot be had. What looks at stores calls begin() of lookout.h, or
something in its file that does; others that `stores` names are refused.

Of README.md only what is between the two lines that name support.toml is made. There
a row has a column for each way a unit can run; its tests are looked for with that
machine in their names, `{mode}` in a pattern stands for it. A cell is "yes" if one of
them passed; if all say that they do not apply, "not on this unit" and why; and where
there is none, what the row says under the column's name.
"""

import argparse
import collections
import difflib
import fnmatch
import json
import pathlib
import re
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Ways to be without tests, and what the pages say of them.
EXCUSES = {
    "later": "not yet",
    "never": "does not apply",
    "refused": "refused",
    "history": "history",
}

Page = collections.namedtuple("Page", "name ids columns title text")

PAGES = [
    Page("invariants", [f"D-{n:02}" for n in range(1, 100)],
         ("what must not happen again", "shown by"),
         "Invariants",
         "Each row is a defect that some shipped IOMMU stack had, turned into "
         "something to test."),
    Page("mission",
         [f"S{seed}.{n}" for seed, count in enumerate((19, 14, 15, 37, 9))
          for n in range(1, count + 1)],
         ("what was asked for", "shown by"),
         "Mission",
         "What years of debate about IOMMU interfaces asked for: shown by "
         "tests, refused with the reason, history, or not yet."),
    Page("witnesses", None,
         ("claim about hardware", "witnesses"),
         "Witnesses",
         "What uiommu takes hardware to do, and who says so besides the driver. "
         "*Model*: our own software unit, written from the same manual. "
         "*Transcription*: a second transcription of the manual's layouts. "
         "*QEMU*: its unit, which nobody here wrote. *Real process*: Linux has the "
         "memory. The model alone is a weak "
         "witness: it shares our reading of the manual."),
]


Column = collections.namedtuple("Column", "machine mode head")

# As the rig names machines, as tests that are made for one of them do.
COLUMNS = [
    Column("legacy", "legacy", "VT-d, legacy mode"),
    Column("scalable", "scalable", "VT-d, scalable mode"),
    Column("first-stage", "first_stage", "VT-d, first stage"),
    Column("smmuv3-1", "stage1", "SMMUv3, stage 1"),
    Column("smmuv3-2", "stage2", "SMMUv3, stage 2"),
]
# Tests say it, too.
NOT_HERE = "not on this unit: "
BEGIN = "<!-- from tests/catalogue/support.toml and a test run: -->"
END = "<!-- end of support.toml -->"


def witness(test):
    """Who said so, by the name of the suite or of the test."""
    suite, name = test.split(": ", 1)
    if suite.startswith("qtest_") or name.startswith("qemu_"):
        return "QEMU"
    if suite.startswith("process_"):
        return "real process"
    return "transcription" if suite == "spec_test" else "model"


def base_name(test):
    """Without the machine it ran on."""
    return re.split(r"[\[/]", test, maxsplit=1)[0]


def passed_tests(results):
    """{"suite: test"}; suites built a second time count as the first."""
    shown = set()
    for suite, tests in results.items():
        name = re.sub(r"-(hooked|failing)$", "", suite)
        for test, result in tests.items():
            if result == "passed":
                shown.add(f"{name}: {base_name(test)}")
    return shown


def matches(pattern, shown):
    return sorted(t for t in shown if fnmatch.fnmatchcase(t, pattern))


def order(name):
    return [int(part) if part.isdigit() else part
            for part in re.split(r"(\d+)", name)]


def check_row(page, name, row, shown):
    """Sentences about what is wrong with it."""
    where = f"{page.name}.toml: {name}"
    excuses = [key for key in EXCUSES if key in row]
    unknown = set(row) - set(EXCUSES) - {"says", "tests", "source"}
    if unknown:
        yield f"{where}: nobody knows '{sorted(unknown)[0]}'"
    if not row.get("says"):
        yield f"{where}: does not say what it is"
    if bool(row.get("tests")) + len(excuses) != 1:
        yield f"{where}: needs either tests or one of {', '.join(EXCUSES)}"
    for pattern in row.get("tests", []):
        if not matches(pattern, shown):
            yield f"{where}: no test '{pattern}' passed"


def check_ids(page, rows):
    if page.ids is None:
        return
    for name in page.ids:
        if name not in rows:
            yield f"{page.name}.toml: {name} is missing"
    for name in sorted(set(rows) - set(page.ids)):
        yield f"{page.name}.toml: there is no row {name}"


def witnesses_of(row, shown):
    found = {witness(test)
             for pattern in row.get("tests", [])
             for test in matches(pattern, shown)}
    return sorted(found, key=str.lower)


def cell(page, row, shown):
    for key, words in EXCUSES.items():
        if key in row:
            return f"*{words}:* {row[key]}"
    tests = sorted({test for pattern in row["tests"]
                    for test in matches(pattern, shown)})
    who = witnesses_of(row, shown)
    if page.name == "witnesses":
        alone = "**one only:** " if len(who) == 1 else ""
        return f"{alone}{', '.join(who)}"
    names = "; ".join(f"`{test}`" for test in tests)
    return f"{names} ({', '.join(who)})" if page.name == "mission" else names


def render(page, rows, shown):
    head = ("id", *page.columns)
    lines = [f"# {page.title}", "",
             "<!-- Generated by scripts/catalogues.py from a test run and "
             f"tests/catalogue/{page.name}.toml. -->", "", page.text, "",
             f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for name in sorted(rows, key=order):
        row = rows[name]
        says = row["says"]
        if "source" in row:
            says += f" ({row['source']})"
        lines.append(f"| {name} | {says} | {cell(page, row, shown)} |")
    return "\n".join(lines) + "\n"


# ---- what works, in README.md -------------------------------------------------


def machine_of(test):
    """The first word after [ or /, by which the rig and others name machines."""
    found = re.search(r"[\[/]([\w-]+)", test)
    return found.group(1) if found else None


def by_machine(results):
    """{machine: {"suite: test": outcomes}}, and under None all of them."""
    shown = collections.defaultdict(lambda: collections.defaultdict(set))
    for suite, tests in results.items():
        suite = re.sub(r"-(hooked|failing|remapping|snapshots)$", "", suite)
        for test, result in tests.items():
            name = base_name(f"{suite}: {test}")
            for machine in {machine_of(test), None}:
                shown[machine][name].add(result)
    return shown


def outcomes(shown, patterns, column):
    found = set()
    for pattern in patterns:
        machines = [column.machine, column.mode]
        if "{mode}" in pattern:
            pattern = pattern.replace("{mode}", column.mode)
            machines = [None]
        for machine in machines:
            for name, results in shown.get(machine, {}).items():
                if fnmatch.fnmatchcase(name, pattern):
                    found |= results
    return found


def support_cell(name, row, column, shown, problems):
    """What the run says; else what the row says, which then has to."""
    where = f"support.toml: {name}: {column.machine}"
    found = outcomes(shown, row["tests"], column)
    excuse = row.get(column.machine)
    reasons = sorted({r.removeprefix("not applicable: ").removeprefix(NOT_HERE)
                      for r in found} - {"passed"})
    if found and excuse:
        problems.append(f"{where}: says why not, but there are tests")
    if not found and not excuse:
        problems.append(f"{where}: no test, and no reason")
    if "passed" in found:
        return "yes"
    return NOT_HERE + (excuse or "; ".join(reasons))


def check_support_row(name, row):
    known = {"says", "tests", *(c.machine for c in COLUMNS)}
    unknown = sorted(set(row) - known)
    if unknown:
        yield f"support.toml: {name}: nobody knows '{unknown[0]}'"
    if not row.get("says") or not row.get("tests"):
        yield f"support.toml: {name}: needs words and tests"


def render_support(rows, results, problems):
    shown = by_machine(results)
    lines = ["", "", f"| | {' | '.join(c.head for c in COLUMNS)} |",
             "|" + "---|" * (len(COLUMNS) + 1)]
    for name, row in rows.items():
        wrong = list(check_support_row(name, row))
        problems += wrong
        if not wrong:
            cells = [support_cell(name, row, column, shown, problems)
                     for column in COLUMNS]
            lines.append(f"| {row['says']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", ""])


def make_support(root, results, check):
    source = root / "tests" / "catalogue" / "support.toml"
    path = root / "README.md"
    problems = []
    head, begin, rest = path.read_text().partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        return ["README.md: the lines around what is made from support.toml "
                "are missing"]
    try:
        rows = tomllib.loads(source.read_text())
    except tomllib.TOMLDecodeError as error:
        return [f"{source.name}: {error}"]
    text = head + begin + render_support(rows, results, problems) + end + tail
    if problems:
        return problems
    if check:
        return differences(path, text, path.name)
    path.write_text(text)
    return []


# ---- scenarios, in each manner --------------------------------------------------

SCENARIOS = [*(f"C-SC{n}" for n in range(1, 13)), "S0.17", "S3.36"]
MANNERS = {
    "adversarial": "adversarial machines",
    "stores": "store by store",
    "failing": "calls that fail",
    "schedule": "scheduler",
}


def manner_of(suite, test):
    if suite.startswith("schedule_"):
        return "schedule" if suite.endswith("-hooked") else None
    if suite.endswith("-hooked"):
        return "stores"
    if suite.endswith("-failing"):
        return "failing"
    plain = suite.endswith("_test")
    return "adversarial" if plain and "adversarial]" in test else None


def looks_at_stores(root, test):
    """Does it, or what it calls of its own file, look what devices reach?"""
    suite, name = test.split(": ")
    text = "".join(f.read_text() for f in root.glob(f"tests/*/{suite}.c"))
    parts = re.split(r"^(?:#define |\w[^;#\n=]*?\b)?(\w+)\(", text, flags=re.M)
    bodies = dict(zip(parts[1::2], parts[2::2]))
    seen, todo = set(), [name]
    while todo:
        body = bodies.get(todo.pop(), "")
        if re.search(r"\bbegin\(", body):
            return True
        words = set(re.findall(r"\w+", body)) & set(bodies) - seen
        seen |= words
        todo += words
    return False


def by_manner(results):
    """{manner: {"suite: test"}}; of the scheduler "program"."""
    shown = collections.defaultdict(set)
    for suite, tests in results.items():
        name = re.sub(r"-(hooked|failing)$", "", suite)
        for test, result in tests.items():
            manner = manner_of(suite, test)
            if result == "passed":
                test = base_name(test)
                shown[manner].add(test if manner == "schedule"
                                  else f"{name}: {test}")
    return shown


def manner_cell(where, row, manner, shown, problems):
    """The tests; or why there are none."""
    tests = [] if manner == "schedule" else row.get("tests", [])
    claim = row.get(manner, tests)
    if isinstance(claim, str):
        wrong = [t for p in tests for t in matches(p, shown)]
        problems += [f"{where}: says why not {manner}, but there is {t}"
                     for t in wrong[:1]]
        return f"*does not apply:* {claim}"
    if not claim:
        problems.append(f"{where}: neither tests nor a reason for {manner}")
    problems += [f"{where}: no test '{pattern}' passed: {manner}"
                 for pattern in claim if not matches(pattern, shown)]
    return "; ".join(f"`{t}`" for t in sorted({t for p in claim
                                               for t in matches(p, shown)}))


def render_scenarios(root, rows, results, problems):
    shown = by_manner(results)
    shown["stores"] = {t for t in shown["stores"] if looks_at_stores(root, t)}
    lines = ["# Scenarios", "",
             "<!-- Generated by scripts/catalogues.py from a test run and "
             "tests/catalogue/scenarios.toml. -->", "",
             "What machines do whose devices are shared, each in four manners: "
             "on machines that cache and fetch whatever they may, asked at each "
             "store what devices reach, with each call failing first, and in "
             "many orders beside each other.", "",
             f"| id | scenario | {' | '.join(MANNERS.values())} |",
             "|" + "---|" * (2 + len(MANNERS))]
    for name in sorted(rows, key=order):
        where, row = f"scenarios.toml: {name}", rows[name]
        unknown = sorted(set(row) - {"says", "tests", *MANNERS})
        problems += [f"{where}: nobody knows '{key}'" for key in unknown[:1]]
        if not row.get("says"):
            problems.append(f"{where}: does not say what it is")
        cells = [manner_cell(where, row, manner, shown[manner], problems)
                 for manner in MANNERS]
        lines.append(f"| {name} | {row.get('says')} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def make_scenarios(root, results, check):
    page = Page("scenarios", SCENARIOS, None, None, None)
    source = root / "tests" / "catalogue" / "scenarios.toml"
    path = root / "docs" / "scenarios.md"
    try:
        rows = tomllib.loads(source.read_text())
    except tomllib.TOMLDecodeError as error:
        return [f"{source.name}: {error}"]
    problems = list(check_ids(page, rows))
    text = render_scenarios(root, rows, results, problems)
    if problems:
        return problems
    if check:
        return differences(path, text)
    path.write_text(text)
    return []


# ---- all of them --------------------------------------------------------------


def differences(path, text, name=None):
    have = path.read_text() if path.exists() else ""
    lines = list(difflib.unified_diff(have.splitlines(), text.splitlines(),
                                      "committed", "this run", lineterm="",
                                      n=0))
    if lines:
        return [f"{name or f'docs/{path.name}'} is not what this run shows; run "
                "scripts/catalogues.py"] + lines[:20]
    return []


def make(root, shown, check):
    problems = []
    for page in PAGES:
        source = root / "tests" / "catalogue" / f"{page.name}.toml"
        try:
            rows = tomllib.loads(source.read_text())
        except tomllib.TOMLDecodeError as error:
            problems.append(f"{source.name}: {error}")
            continue
        wrong = list(check_ids(page, rows))
        for name, row in rows.items():
            wrong += check_row(page, name, row, shown)
        problems += wrong
        if wrong:
            continue
        path = root / "docs" / f"{page.name}.md"
        text = render(page, rows, shown)
        if check:
            problems += differences(path, text)
        else:
            path.write_text(text)
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--root", type=pathlib.Path, default=ROOT)
    parser.add_argument("build", type=pathlib.Path)
    args = parser.parse_args()
    results = args.build / "results.json"
    if not results.exists():
        print(f"{results}: run tests/run.py first")
        return 1
    results = json.loads(results.read_text())
    problems = make(args.root, passed_tests(results), args.check)
    problems += make_support(args.root, results, args.check)
    problems += make_scenarios(args.root, results, args.check)
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
