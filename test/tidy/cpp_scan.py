"""Enough of C++ to measure it: text without comments and literals, and where functions begin and end."""
import re

# In this order at each place: raw string, line comment, block comment, string, character (but not the separators of
# 1'000'000, which follow a digit).
LITERAL = re.compile(
    r'R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)"'
    r"|//(?:[^\n\\]|\\.|\\\n)*"
    r"|/\*.*?\*/"
    r'|"(?:[^"\\\n]|\\.|\\\n)*"'
    r"|(?<![0-9A-Za-z_])'(?:[^'\\\n]|\\.)+'",
    re.DOTALL,
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", re.MULTILINE)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
BLANK = re.compile(r"[^\n]")


def _blank_literal(match):
    text = match.group(0)
    if text.startswith("/"):
        return BLANK.sub(" ", text)
    quote = text[-1]
    return quote + "\n" * text.count("\n") + quote if "\n" in text else quote + " " * (len(text) - 2) + quote


def without_literals(text):
    """Comments and the contents of literals become blanks; lines stay where they were."""
    return LITERAL.sub(_blank_literal, text)


def without_directives(text):
    return DIRECTIVE.sub(lambda match: "\n" * match.group(0).count("\n"), text)


def includes(text):
    """(line, header, is_quoted) for each #include."""
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.end()) + 1
        yield line, match.group(1) or match.group(2), match.group(1) is not None


ACCESS = re.compile(r"\s*(?:(?:public|private|protected)\s*:)?\s*")
OPERATOR = re.compile(r"\boperator\s*(?:\(\s*\)|\[\s*\]|[^\w\s(]+)")
PARENS = re.compile(r"\([^()]*\)")
ANGLES = re.compile(r"<[^<>]*>")
TYPE_WORD = re.compile(r"\b(?:class|struct|union|enum)\b")
ENDS_LIKE_FUNCTION = re.compile(r"\)\s*(?:(?:const|noexcept|override|final|mutable|&&?|->[^{}]*)\s*)*$")
LAMBDA = re.compile(r"\[[^\[\]]*\]\s*(?:\(|mutable|->|$)")
MEMBER_INIT = re.compile(r"\)[^:]*[^:]:[^:]")


def header_only(header):
    """The header of a block without what stands in parentheses and angle brackets."""
    text = OPERATOR.sub(" operator_ ", header)
    for pattern, filler in ((PARENS, "\x01"), (ANGLES, " ")):
        while True:
            shorter = pattern.sub(filler, text)
            if shorter == text:
                break
            text = shorter
    return text.replace("\x01", "()")


def _kind_of_block(header):
    """namespace, type, function, initialiser, or member (the brace of one member in a constructor's list)."""
    stripped = header.rstrip()
    if stripped.count("(") > stripped.count(")"):  # f(A a = {}) or f([] {…})
        return "function" if stripped.endswith(")") and LAMBDA.search(stripped) else "member"
    reduced = header_only(stripped)
    if re.search(r"\bnamespace\b|\bextern\s*\"", reduced) and "(" not in reduced:
        return "namespace"
    if TYPE_WORD.search(reduced) and not ENDS_LIKE_FUNCTION.search(reduced):
        return "type"
    assigned = reduced.find("=")
    if assigned >= 0:
        return "function" if LAMBDA.search(stripped[stripped.find("=") :]) else "initialiser"
    if "(" not in reduced:
        return "initialiser"
    if MEMBER_INIT.search(reduced) and re.search(r"[\w>]$", stripped):
        return "member"
    return "function"


class _Walk:
    def __init__(self, text, tables_are_free):
        self.text = text
        self.tables_are_free = tables_are_free
        self.stack = []  # (kind, start of header or brace, free lines so far)
        self.header_start = 0
        self.functions = []
        self.free_lines = 0
        self.balanced = True

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def run(self):
        for match in re.finditer(r"[{};]", self.text):
            at, char = match.start(), match.group(0)
            if char == "{":
                self.open(at)
            elif char == "}":
                self.close(at)
            elif not self.stack or self.stack[-1][0] in ("namespace", "type"):
                self.header_start = at + 1
        self.balanced = self.balanced and not self.stack
        return self.functions

    def open(self, at):
        kind = self.kind_here(at)
        start = ACCESS.match(self.text, self.header_start).end() if kind == "function" else at
        if kind == "function":
            self.free_lines = 0
        self.stack.append((kind, start))
        if kind in ("namespace", "type"):
            self.header_start = at + 1

    def kind_here(self, at):
        outer = self.stack[-1][0] if self.stack else "namespace"
        if outer in ("namespace", "type"):
            start = ACCESS.match(self.text, self.header_start).end()
            return _kind_of_block(self.text[start:at])
        before = self.text[max(0, at - 200) : at].rstrip()
        if outer in ("initialiser", "member"):
            is_lambda = before.endswith(")") and LAMBDA.search(before)
            if is_lambda and not any(kind == "function" for kind, _ in self.stack):
                self.header_start = at
                return "function"
            return outer
        if outer in ("inner", "function") and before.endswith("="):
            return "table"
        return "table" if outer == "table" else "inner"

    def close(self, at):
        if not self.stack:
            self.balanced = False
            return
        kind, start = self.stack.pop()
        if kind == "function":
            length = self.line_of(at) - self.line_of(start) + 1 - self.free_lines
            self.functions.append((self.line_of(start), length))
        elif kind == "table" and self.tables_are_free and self.stack[-1][0] != "table":
            self.free_lines += self.text.count("\n", start, at)
        if kind != "member":
            self.header_start = at + 1


def functions(text, tables_are_free=False):
    """([(first line, number of lines)], braces are balanced) of a file's functions; lambdas belong to the function around
    them. With tables_are_free, the lines of `= {…}` inside a function do not count."""
    walk = _Walk(without_directives(text), tables_are_free)
    return walk.run(), walk.balanced
