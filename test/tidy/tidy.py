#!/usr/bin/env python3
"""Style as a test: reads every source file of the tree and prints what breaks a rule, as file:line: rule: message.

usage: tidy.py [ROOT]       exit status 0: nothing found; 1: something was; 2: the tree cannot be read
"""
import os
import re
import sys

import cpp_scan
import layers as layering
import named_files
import same_names

FILE_LINES_MAX = 600
HEADER_LINES_MAX = 200
FUNCTION_LINES_MAX = 70
README_LINES_MAX = 60

BANNED_HEADERS = {
    "iostream": "static constructors and locale code; use std::fputs or the logger",
    "regex": "slow and recursive; use re2 where the layering table allows it",
    "ranges": "clang 14 rejects this library's views",
    "coroutine": "this compiler miscompiles some of them",
}
BANNED_IN_HEADERS = {"filesystem": "heavy; include it in the .cc"}

CLOCK = "time is an argument: take it from the loop"
BANNED_CALLS = [
    ("clock", re.compile(r"\b(?:\w*[cC]lock|system_clock)\s*::\s*now\s*\("), CLOCK),
    ("clock", re.compile(r"\b(?:clock_gettime|gettimeofday)\s*\(|(?<![\w.>])time\s*\(\s*(?:nullptr|NULL|0)\s*\)"), CLOCK),
    ("random", re.compile(r"\b(?:s?rand|random)\s*\(\s*\)|\bsrand\s*\(|\brandom_device\b"), "randomness is an argument: base/core/random.h"),
    ("sleep", re.compile(r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\s*\(|(?<![\w.>])sleep\s*\("), "use a timer of the loop"),
    ("shell", re.compile(r"(?<![\w.>])(?:system|popen)\s*\("), "no shell: run a program with its arguments"),
    ("coroutine", re.compile(r"\bco_(?:await|return|yield)\b"), BANNED_HEADERS["coroutine"]),
]
# (rule, path or folder/) -> why it may.
ALLOWED_CALLS = {
    ("clock", "base/loop/asio_loop.cc"): "the one place that turns real time into Loop::now()",
    ("clock", "base/telemetry/wall_clock.cc"): "log lines carry the real time",
    ("clock", "test/bench/"): "benchmarks measure real time",
    ("clock", "test/e2e/real_node_test.cc"): "says how long pods take until they are reached",
    ("clock", "test/support/process.cc"): "waits for real child processes",
    ("sleep", "test/support/process.cc"): "waits for real child processes, which give no event",
}

MARK = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b(?!\(D-\d{3}\))")
CPP = (".h", ".cc")
MARKED_FILES = CPP + (".c", ".py", ".cmake", ".yaml", ".sh", "CMakeLists.txt", "Makefile")
SKIPPED_FOLDERS = {"build", "__pycache__", "testdata"}


class File:
    def __init__(self, root, path):
        self.path = path
        with open(os.path.join(root, path), encoding="utf-8") as stream:
            self.text = stream.read()
        self.lines = self.text.count("\n") + (not self.text.endswith("\n"))
        self.is_cpp = path.endswith(CPP)
        self.is_header = path.endswith(".h")
        self.is_test = path.endswith("_test.cc")
        self.code = cpp_scan.without_literals(self.text) if self.is_cpp else ""
        self.includes = list(cpp_scan.includes(self.text)) if self.is_cpp else []


class Tree:
    def __init__(self, root):
        self.root = root
        self.paths = sorted(_paths_below(root))
        self.files = {path: File(root, path) for path in self.paths if path.endswith(MARKED_FILES)}
        with open(os.path.join(root, "cmake/layers.txt"), encoding="utf-8") as stream:
            self.layers = layering.Layers(stream.read())
        self.findings = []

    def found(self, place, rule, message):
        path, line = place
        self.findings.append((path, line, rule, message))

    def cpp(self):
        return [file for file in self.files.values() if file.is_cpp]


def _paths_below(root):
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in SKIPPED_FOLDERS]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")


def check_table(tree):
    for line, message in tree.layers.errors:
        tree.found(("cmake/layers.txt", line), "layers", message)


def check_includes(tree):
    seen_through = _libraries_by_header(tree)
    for file in tree.cpp():
        folder = tree.layers.folder_of(file.path)
        if folder is None:
            tree.found((file.path, 1), "layers", "its folder is not in cmake/layers.txt")
            continue
        for line, header, is_quoted in file.includes:
            check_include(tree, (file, folder, line), header, is_quoted)
            for library in sorted(seen_through.get(header, ())):
                if not tree.layers.may_use_library(folder, library, file.is_test):
                    tree.found((file.path, line), "heavy-header", f"{header} brings {library} with it, which {folder} may not use")


def check_include(tree, place, header, is_quoted):
    file, folder, line = place
    at = (file.path, line)
    library = layering.library_of(header)
    wanted = tree.layers.folder_of(header)
    if library is not None:
        if not tree.layers.may_use_library(folder, library, file.is_test):
            tree.found(at, "third-party", f"{folder} may not use {library} ({header}): see cmake/layers.txt")
    elif wanted is not None:
        if not tree.layers.may_include_folder(folder, wanted, file.is_test):
            tree.found(at, "layers", f"{folder} may not include {wanted} ({header}): see cmake/layers.txt")
    elif is_quoted:
        tree.found(at, "include", f'"{header}" is no path from the root into a folder of cmake/layers.txt')
    if header in BANNED_HEADERS:
        tree.found(at, "banned-header", f"<{header}>: {BANNED_HEADERS[header]}")
    if file.is_header and header in BANNED_IN_HEADERS:
        tree.found(at, "banned-header", f"<{header}> in a header: {BANNED_IN_HEADERS[header]}")


def _libraries_by_header(tree):
    """header -> third-party libraries that whoever includes it gets to see, directly or through other headers."""
    headers = {file.path: [header for _, header, _ in file.includes] for file in tree.cpp() if file.is_header}
    brought = {}
    for path, included in headers.items():
        own = {layering.library_of(header) for header in included} - {None} - layering.MAY_BE_SEEN_THROUGH_HEADERS
        brought[path] = own
    changed = True
    while changed:
        changed = False
        for path, included in headers.items():
            more = set().union(*(brought.get(header, set()) for header in included))
            if not more <= brought[path]:
                brought[path] |= more
                changed = True
    return brought


def check_sizes(tree):
    for file in tree.cpp():
        limit = HEADER_LINES_MAX if file.is_header else FILE_LINES_MAX
        if file.lines > limit:
            tree.found((file.path, limit), "file-length", f"{file.lines} lines; at most {limit}")
        functions, balanced = cpp_scan.functions(file.code, tables_are_free=file.is_test)
        if not balanced:
            tree.found((file.path, 1), "braces", "tidy cannot follow the braces of this file (do they differ between #if and #else?)")
        for line, length in functions:
            if length > FUNCTION_LINES_MAX:
                tree.found((file.path, line), "function-length", f"{length} lines; at most {FUNCTION_LINES_MAX}")
    for path, file in tree.files.items():
        if path.endswith(".py") and file.lines > FILE_LINES_MAX:
            tree.found((path, FILE_LINES_MAX), "file-length", f"{file.lines} lines; at most {FILE_LINES_MAX}")


def check_headers(tree):
    for file in tree.cpp():
        if not file.is_header:
            continue
        before, once, _ = file.text.partition("\n#pragma once\n")
        if not once or not all(line.startswith("//") for line in before.split("\n")):
            tree.found((file.path, 1), "header-top", "begins with a comment (what it is, contract, thread, units, errors), then #pragma once")
        match = re.search(r"^\s*using\s+namespace\b", file.code, re.MULTILINE)
        if match:
            tree.found((file.path, file.code.count("\n", 0, match.end()) + 1), "using-namespace", "not in a header")


def check_readmes(tree):
    built = {folder for folder in tree.layers.project if f"{folder}/CMakeLists.txt" in tree.files}
    tops = {path.partition("/")[0] for path in tree.paths if "/" in path}
    for folder in sorted(built | tops):
        path = f"{folder}/README.md"
        if path not in tree.paths:
            tree.found((path, 1), "readme", f"{folder} has no README.md")
            continue
        readme = File(tree.root, path)
        if readme.lines > README_LINES_MAX:
            tree.found((path, README_LINES_MAX), "readme", f"{readme.lines} lines; at most {README_LINES_MAX}")
        if not readme.text.startswith(f"# {folder}"):
            tree.found((path, 1), "readme", f"its first line is not `# {folder} – one sentence`")


def check_named_files(tree):
    """A page that names a file which is not there misleads whoever follows it."""
    known = named_files.Tree(tree.paths)
    for path in tree.paths:
        if not path.endswith(".md"):
            continue
        for line, name, is_link in named_files.named(File(tree.root, path).text):
            for form in known.missing(path, name, is_link):
                tree.found((path, line), "named-file", f"{form}: there is no such file or folder")


def check_built(tree):
    """A source that no CMakeLists.txt names is compiled by nobody, and a test there cannot fail."""
    for path in tree.paths:
        if not path.endswith(".cc"):
            continue
        folder = tree.layers.folder_of(path)
        build = tree.files.get(f"{folder}/CMakeLists.txt")
        if build is not None and not _is_named(path[len(folder) + 1 :], build.text):
            tree.found((path, 1), "not-built", f"{folder}/CMakeLists.txt does not name it")


def _is_named(name, text):
    """By its name, or for a fuzz target x_fuzz.cc by margay_fuzz(x)."""
    forms = [r"(?<![\w/])" + re.escape(name) + r"(?!\w)"]
    if name.endswith("_fuzz.cc"):
        forms.append(r"\bmargay_fuzz\(" + re.escape(name.removesuffix("_fuzz.cc")) + r"\b")
    return any(re.search(form, text) for form in forms)


def check_same_names(tree):
    """Sources of one target may be compiled as one, and then see what headers of the folder any of them includes."""
    read = {True: same_names.public_names, False: same_names.private_names}
    names = {file.path: read[file.is_header](file.code) for file in tree.cpp()}
    for path, build in tree.files.items():
        if not path.endswith("/CMakeLists.txt"):
            continue
        for sources in same_names.targets(build.text):
            folder = os.path.dirname(path)
            inside = [os.path.normpath(os.path.join(folder, source)) for source in sources]
            headers = [header for header in names if header.endswith(".h") and os.path.dirname(header) == folder]
            for clash in same_names.clashes([(each, names[each]) for each in headers + inside if each in names]):
                place, line, name, first = clash
                tree.found((place, line), "same-name", f"{name} is also a name of {first}, and they are compiled together")


def check_calls(tree):
    for file in tree.cpp():
        for rule, pattern, advice in BANNED_CALLS:
            if _is_allowed(rule, file.path):
                continue
            for match in pattern.finditer(file.code):
                line = file.code.count("\n", 0, match.start()) + 1
                tree.found((file.path, line), f"banned-{rule}", f"{match.group(0).strip(' (')}: {advice}")


def _is_allowed(rule, path):
    return any(rule == of and (path == place or (place.endswith("/") and path.startswith(place))) for of, place in ALLOWED_CALLS)


def check_marks(tree):
    for file in tree.files.values():
        for number, line in enumerate(file.text.split("\n"), 1):
            if MARK.search(line):
                tree.found((file.path, number), "mark", "name the decision it waits for, as in (D-012), or do it now")


CHECKS = [check_table, check_includes, check_sizes, check_headers, check_readmes, check_named_files, check_built, check_same_names, check_calls, check_marks]


def run(root):
    tree = Tree(root)
    for check in CHECKS:
        check(tree)
    return sorted(tree.findings)


def main(arguments):
    root = arguments[0] if arguments else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    try:
        findings = run(os.path.abspath(root))
    except (OSError, UnicodeDecodeError) as error:
        print(f"tidy: {error}", file=sys.stderr)
        return 2
    for path, line, rule, message in findings:
        print(f"{path}:{line}: {rule}: {message}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
