"""The layering table (cmake/layers.txt) and what each folder may include by it."""
import re

# Third-party libraries by the prefix of their headers. Longer prefixes come first.
THIRD_PARTY_PREFIXES = [
    ("boost/beast", "beast"),
    ("boost/asio", "asio"),
    ("boost/", "boost"),  # parts that Asio and Beast bring; allowed where either is
    ("absl/", "absl"),
    ("nlohmann/", "nlohmann"),
    ("yaml-cpp/", "yaml-cpp"),
    ("simdjson", "simdjson"),
    ("openssl/", "openssl"),
    ("CLI/", "cli11"),
    ("re2/", "re2"),
    ("gtest/", "gtest"),
    ("gmock/", "gtest"),
    ("benchmark/", "benchmark"),
    ("bpf/", "bpf"),
]
# Cheap enough, or confined by other means, to be seen through a project header.
MAY_BE_SEEN_THROUGH_HEADERS = {"absl", "gtest", "benchmark"}

LINE = re.compile(r"^([a-z0-9/_-]+) *:([^|]*)\|(.*)$")


class Layers:
    def __init__(self, text):
        self.project = {}  # folder -> set of folders ("*" kept as it stands)
        self.third_party = {}  # folder -> set of libraries
        self.errors = []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                self._read_line(number, line)

    def _read_line(self, number, line):
        match = LINE.match(line)
        if not match:
            self.errors.append((number, "cannot read: " + line))
            return
        folder, project, third = match.group(1), match.group(2).split(), match.group(3).split()
        for dependency in project:
            if dependency != "*" and dependency not in self.project:
                self.errors.append((number, f"{folder} depends on {dependency}, which stands below it or not at all"))
        known = {library for _, library in THIRD_PARTY_PREFIXES} - {"boost"}
        for library in sorted(set(third) - known):
            self.errors.append((number, f"third-party library {library} has no header prefix in test/tidy/layers.py"))
        self.project[folder] = set(project)
        self.third_party[folder] = set(third)

    def folder_of(self, path):
        """The folder of the table that a path belongs to: the longest that is a prefix of it; None if there is none."""
        parts = path.split("/")[:-1]
        while parts:
            candidate = "/".join(parts)
            if candidate in self.project:
                return candidate
            parts.pop()
        return None

    def may_include_folder(self, folder, wanted, is_test):
        if wanted == folder or wanted in self.project[folder]:
            return True
        if wanted == "test/support":
            return is_test or "*" in self.project[folder]
        return "*" in self.project[folder] and not is_top(wanted)

    def may_use_library(self, folder, library, is_test):
        allowed = self.third_party[folder]
        if library == "boost":
            return bool(allowed & {"asio", "beast"})
        return library in allowed or (is_test and library == "gtest")


def is_top(folder):
    """Programs and tests: nothing may depend on them."""
    return folder.startswith("test/") or folder.endswith("/main") or folder.endswith("/apiserver")


def library_of(header):
    for prefix, library in THIRD_PARTY_PREFIXES:
        if header.startswith(prefix):
            return library
    return None
