"""What Markdown pages name: links, paths from the root, and headers, sources and tests in code spans."""
import posixpath
import re

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`\n]+)`")
BRACES = re.compile(r"^(.*?)\{([^{}]*,[^{}]*)\}(.*)$")
# A file of the tree by its ending; examples of users (pools.yaml) have others.
SOURCE = re.compile(r"^[\w./{},*-]+\.(?:h|cc|py|cmake)$")
TEST = re.compile(r"^\w+_test$")
# x_test.cc, snake_case.h: how files are called, not which.
PLACEHOLDER = re.compile(r"[<>…$=\[\]()]|\bNAME\b|\bFILE\b|\bx_test\b|\bsnake_case\b|\bmargay_test\b")


def named(text):
    """(line, name, is_link) of everything in the text that may be a file of the tree; fenced blocks are left out."""
    in_fence = False
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("```"):
            in_fence = not in_fence
        elif not in_fence:
            for match in LINK.finditer(line):
                yield number, match.group(1), True
            for match in SPAN.finditer(line):
                for word in match.group(1).split():
                    yield number, word.rstrip(",;:"), False


def expanded(name):
    """"a_{b,c}.h" as ["a_b.h", "a_c.h"]."""
    match = BRACES.match(name)
    if not match:
        return [name]
    before, middle, after = match.groups()
    return [form for part in middle.split(",") for form in expanded(before + part + after)]


def _matcher(pattern):
    return re.compile(re.escape(pattern).replace(r"\*", "[^/]*") + "$")


class Tree:
    def __init__(self, paths):
        self.files = set(paths)
        self.folders = {""}
        for path in paths:
            while path := posixpath.dirname(path):
                self.folders.add(path)
        self.tops = {folder for folder in self.folders if folder and "/" not in folder}

    def has(self, path):
        path = posixpath.normpath(path)
        if "*" in path:
            return any(map(_matcher(path).match, self.files | self.folders))
        return path in self.files or path in self.folders or path == "."

    def missing(self, page, name, is_link):
        """The forms of the name that stand for no file, as seen from the page."""
        here = posixpath.dirname(page)
        if is_link:
            target = name.partition("#")[0]
            is_elsewhere = not target or ":" in target
            return [] if is_elsewhere or self.has(posixpath.join(here, target)) else [name]
        if name.startswith(("/", "~", "-")) or PLACEHOLDER.search(name):
            return []
        return [form for form in expanded(name) if not self._is_there(here, form)]

    def _is_there(self, here, name):
        if TEST.match(name):
            return self.has(posixpath.join(here, f"{name}.cc")) or any(path.endswith(f"/{name}.cc") for path in self.files)
        is_path = name.partition("/")[0] in self.tops and "/" in name
        if not is_path and not SOURCE.match(name):
            return True
        return self.has(name) or self.has(posixpath.join(here, name))
