"""Names that only one .cc file knows, and which sources are compiled as one: where two of them meet, batches
(cmake/MargayBatches.cmake) do not compile."""
import re

from cpp_scan import header_only, without_directives

NAMESPACE = re.compile(r"(?:^|\s)namespace\s*([\w:]*)\s*$")
TEST = re.compile(r"(?:TYPED_)?TEST(?:_[FP])?\s*\(\s*(\w+)\s*,\s*(\w+)")
MATCHER = re.compile(r"(?:MATCHER|ACTION)(?:_P\d*)?\s*\(\s*(\w+)")
MACRO = re.compile(r"[A-Z][A-Z0-9_]*\s*\(")
ALIAS = re.compile(r"using\s+(\w+)\s*=")
USING = re.compile(r"using\s+(?!namespace\b)[\w:\s]*?(\w+)$")
TYPE = re.compile(r"(?:class|struct|union|enum(?:\s+(?:class|struct))?)\s+(?:alignas\(\)\s*)?(\w+)\s*(?:final\s*)?(?::|$)")
TEMPLATE = re.compile(r"^template\s+(?:requires\b.*?\)\s*)?")
LAST_NAME = re.compile(r"(?<![\w:~])(\w+)$")
# Directives of using and namespace, assertions, explicit instantiations.
OTHER = re.compile(r"using\b|namespace\b|static_assert\b|(?:extern\s+)?template\s+[^<\s]")
ATTRIBUTE = re.compile(r"\[\[.*?\]\]")


class Name:
    """`text` is the whole declaration of an alias: two equal ones do not hurt each other."""

    def __init__(self, kind, name, text=""):
        self.kind = kind
        self.name = name
        self.text = text


def _declared(head, has_block):
    """What `head` declares: what stands before a `;` or, with has_block, a `{`. None: nothing of interest here."""
    head = head.strip()
    for pattern in (ALIAS, USING):
        match = pattern.match(head)
        if match:
            return Name("alias", match.group(1), " ".join(head.split()))
    match = TEST.match(head)
    if match:
        return Name("test", f"{match.group(1)}.{match.group(2)}")
    match = MATCHER.match(head)
    if match:
        return Name("function", match.group(1))
    if not head or MACRO.match(head) or OTHER.match(head):
        return None
    flat = TEMPLATE.sub("", ATTRIBUTE.sub(" ", header_only(head)))
    match = TYPE.match(flat)
    if match:
        return Name("type", match.group(1)) if has_block else None
    assigned, called = flat.find("="), flat.find("(")
    is_function = called >= 0 and (assigned < 0 or called < assigned)
    before = flat[:called] if is_function else re.sub(r"\[.*$", "", flat[:assigned] if assigned >= 0 else flat)
    match = LAST_NAME.search(before.rstrip())
    if match is None or match.group(1) in ("operator", "operator_"):
        return None
    return Name("function" if is_function else "variable", match.group(1))


def _ends_with_block(head):
    """Whether no `;` follows the `}`: a function has ended, not a type or a list of values."""
    flat = header_only(head)
    return "(" in flat and "=" not in flat and not TYPE.match(TEMPLATE.sub("", flat.strip()))


class _Scan:
    def __init__(self, code, all_names):
        self.text = without_directives(code)
        self.all_names = all_names
        self.namespaces = []
        self.start = 0
        self.found = []  # (line, namespace, Name)

    def run(self):
        blocks, parens, head = 0, 0, ""
        for match in re.finditer(r"[{};()]", self.text):
            at, char = match.start(), match.group(0)
            if blocks > 0:
                blocks += {"{": 1, "}": -1}.get(char, 0)
                if blocks == 0 and _ends_with_block(head):
                    self.start = at + 1
            elif char in "()":
                parens += 1 if char == "(" else -1
            elif char == "{":
                head = self.text[self.start : at]
                if parens > 0 or not self.enter_namespace(head, at):
                    blocks = 1
                    if parens == 0:
                        self.declare(head, True)
            elif char == "}":
                del self.namespaces[-1:]
                self.start = at + 1
            elif parens == 0:
                if "{" not in self.text[self.start : at]:
                    self.declare(self.text[self.start : at], False)
                self.start = at + 1
        return self.found

    def enter_namespace(self, head, at):
        match = NAMESPACE.search(head)
        if match is None:
            return False
        self.namespaces.append(match.group(1))
        self.start = at + 1
        return True

    def declare(self, head, has_block):
        name = _declared(head, has_block)
        is_private = "" in self.namespaces or (name is not None and (name.kind == "alias" or re.match(r"\s*static\b", head)))
        if name is not None and (is_private or self.all_names):
            line = self.text.count("\n", 0, self.start + len(head) - len(head.lstrip())) + 1
            self.found.append((line, "::".join(part for part in self.namespaces if part), name))


def private_names(code):
    """[(line, namespace, Name)] of what a .cc file declares for itself; `code` is without literals."""
    return _Scan(code, False).run()


def public_names(code):
    """The same of what a header declares for all, but functions: those of a file only overload them."""
    return [each for each in _Scan(code, True).run() if each[2].kind != "function"]


SET = re.compile(r"\bset\((\w+)\s+([^)]*)\)")
TARGET = re.compile(r"\bmargay_(?:library|test|executable)\(([^)]*)\)")
SOURCE = re.compile(r"[\w./]+\.cc\b")
KEYWORD = re.compile(r"\b[A-Z]{3,}\b")


def targets(cmake):
    """For each target of a CMakeLists.txt the sources that may be compiled together."""
    cmake = re.sub(r"#[^\n]*", "", cmake)
    lists = {}
    for name, values in SET.findall(cmake):
        lists[name] = " ".join((lists.get(name, ""), values))
    for arguments in TARGET.findall(cmake):
        for name, values in lists.items():
            arguments = arguments.replace("${" + name + "}", values)
        sources = arguments.partition("SOURCES")[2]
        yield SOURCE.findall(KEYWORD.split(sources)[0])


def clashes(files):
    """(path, line, name, path of the first) for names of a .cc file that one before it declares too; `files`: (path, names)."""
    first = {}
    for path, names in files:
        for line, namespace, name in names:
            other_path, other = first.setdefault((namespace, name.name), (path, name))
            is_same_alias = name.kind == other.kind == "alias" and name.text == other.text
            if other_path != path and path.endswith(".cc") and not is_same_alias:
                yield path, line, name.name, other_path
