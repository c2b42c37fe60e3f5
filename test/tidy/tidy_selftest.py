#!/usr/bin/env python3
"""Each rule of tidy.py must be able to fail: small trees that break one rule each, and code that is hard to scan."""
import contextlib
import io
import os
import sys
import tempfile
import unittest

import cpp_scan
import same_names
import tidy

LAYERS = """# comment
base/core : | absl
base/json : base/core | nlohmann
base/loop : base/core | asio
agent/main : base/core base/json |
test/support : * | gtest
test/bench : * |
"""
# Names files in every way there is; all of them are there.
NAMING = """# base/core – things, see [layers](../../cmake/layers.txt) and [the net](https://example.org/x#y), [below](#x)
- `a.h`, `a.{h,cc}`, `*_test.cc`, `a_test`, `base/json/value.h`, `base/core/`, `/etc/x.h`, `pools.yaml`
```
base/frob/b.h
```
"""
HEADER = "// Thing: a thing.\n#pragma once\n\n"


def good_tree():
    return {
        "cmake/layers.txt": LAYERS,
        "base/core/CMakeLists.txt": "margay_library(SOURCES a.cc)\nmargay_test(SOURCES a_test.cc)\n",
        "base/README.md": "# base – things\n",
        "cmake/README.md": "# cmake – things\n",
        "test/README.md": "# test – things\n",
        "base/core/README.md": NAMING,
        "base/core/a.h": HEADER + '#include <sys/socket.h>\n\n#include "absl/base/x.h"\nint a();\n',
        "base/core/a.cc": '#include "base/core/a.h"\n\nint a() { return 1; }\n',
        "base/core/a_test.cc": '#include "base/core/a.h"\n#include "gtest/gtest.h"\n#include "test/support/fake.h"\n',
        "test/support/fake.h": HEADER + '#include "base/json/value.h"\n#include "gmock/gmock.h"\n',
        "base/json/value.h": HEADER + '#include "base/core/a.h"\n',
        "base/json/value.cc": '#include <nlohmann/json.hpp>\n\n#include "base/json/value.h"\n',
        "build/dev/generated.cc": "int rand();\n#include <iostream>\n",
        "base/core/testdata/odd.cc": "#include <iostream>\n",
    }


def findings(changes, removed=()):
    tree = {**good_tree(), **changes}
    with tempfile.TemporaryDirectory() as root:
        for path, text in tree.items():
            if path in removed:
                continue
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as stream:
                stream.write(text)
        return [(path, line, rule) for path, line, rule, _ in tidy.run(root)]


def lines(count, line="  x();\n"):
    return line * count


class GoodTree(unittest.TestCase):
    def test_nothing_is_found(self):
        self.assertEqual(findings({}), [])

    def test_exit_status_tells(self):
        with tempfile.TemporaryDirectory() as root, contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertEqual(tidy.main([root]), 2)
            self.assertIn("layers.txt", said.getvalue())


# (what breaks, {path: text}, where it must be found, rule)
BAD = [
    ("upward include", {"base/core/a.cc": '#include "base/json/value.h"\n'}, ("base/core/a.cc", 1), "layers"),
    ("sideways include", {"base/loop/l.cc": '\n#include "base/json/value.h"\n'}, ("base/loop/l.cc", 2), "layers"),
    ("nothing is inherited", {"test/support/x.cc": "", "agent/main/m.cc": '#include "base/loop/l.h"\n'}, ("agent/main/m.cc", 1), "layers"),
    ("production code uses test support", {"base/core/a.cc": '#include "test/support/fake.h"\n'}, ("base/core/a.cc", 1), "layers"),
    ("a star does not reach programs", {"test/bench/b.cc": '#include "agent/main/m.h"\n'}, ("test/bench/b.cc", 1), "layers"),
    ("folder not in the table", {"odd/a.cc": ""}, ("odd/a.cc", 1), "layers"),
    ("table names a folder below", {"cmake/layers.txt": "base/core : base/json | absl\n" + LAYERS}, ("cmake/layers.txt", 1), "layers"),
    ("table cannot be read", {"cmake/layers.txt": LAYERS + "nonsense\n"}, ("cmake/layers.txt", 8), "layers"),
    ("table names an unknown library", {"cmake/layers.txt": LAYERS + "base/x : | qt\n"}, ("cmake/layers.txt", 8), "layers"),
    ("relative include", {"base/core/a.cc": '#include "a.h"\n'}, ("base/core/a.cc", 1), "include"),
    ("library not in the folder's line", {"base/core/a.cc": "#include <nlohmann/json.hpp>\n"}, ("base/core/a.cc", 1), "third-party"),
    ("asio outside its folder", {"base/core/a.cc": "#include <boost/asio.hpp>\n"}, ("base/core/a.cc", 1), "third-party"),
    ("boost's parts likewise", {"base/core/a.cc": "#include <boost/system/error_code.hpp>\n"}, ("base/core/a.cc", 1), "third-party"),
    ("gtest outside tests", {"base/core/a.cc": '#include "gtest/gtest.h"\n'}, ("base/core/a.cc", 1), "third-party"),
    (
        "a header brings a heavy library to another folder",
        {"base/json/value.h": HEADER + "#include <nlohmann/json.hpp>\n", "agent/main/m.cc": '#include "base/json/value.h"\n'},
        ("agent/main/m.cc", 1),
        "heavy-header",
    ),
    (
        "even through a second header",
        {
            "base/json/impl.h": HEADER + "#include <nlohmann/json.hpp>\n",
            "base/json/value.h": HEADER + '#include "base/json/impl.h"\n',
            "agent/main/m.cc": '#include "base/json/value.h"\n',
        },
        ("agent/main/m.cc", 1),
        "heavy-header",
    ),
    ("iostream", {"base/core/a.cc": "#include <iostream>\n"}, ("base/core/a.cc", 1), "banned-header"),
    ("regex", {"base/core/a.cc": "#include <regex>\n"}, ("base/core/a.cc", 1), "banned-header"),
    ("ranges", {"base/core/a_test.cc": "#include <ranges>\n"}, ("base/core/a_test.cc", 1), "banned-header"),
    ("filesystem in a header", {"base/core/a.h": HEADER + "#include <filesystem>\n"}, ("base/core/a.h", 4), "banned-header"),
    ("long file", {"base/core/a.cc": lines(601, "int x;\n")}, ("base/core/a.cc", 600), "file-length"),
    ("long header", {"base/core/a.h": HEADER + lines(198, "int x;\n")}, ("base/core/a.h", 200), "file-length"),
    ("long script", {"test/x.py": lines(601, "x = 1\n")}, ("test/x.py", 600), "file-length"),
    ("long function", {"base/core/a.cc": "\nint a() {\n" + lines(69) + "}\n"}, ("base/core/a.cc", 2), "function-length"),
    ("braces", {"base/core/a.cc": "int a() {\n"}, ("base/core/a.cc", 1), "braces"),
    ("header without comment", {"base/core/a.h": "#pragma once\n"}, ("base/core/a.h", 1), "header-top"),
    ("header without once", {"base/core/a.h": "// a\nint a();\n"}, ("base/core/a.h", 1), "header-top"),
    ("code before once", {"base/core/a.h": "// a\nint b;\n#pragma once\n"}, ("base/core/a.h", 1), "header-top"),
    ("using namespace in a header", {"base/core/a.h": HEADER + "using namespace std;\n"}, ("base/core/a.h", 4), "using-namespace"),
    ("long readme", {"base/core/README.md": "# base/core\n" + lines(60, "x\n")}, ("base/core/README.md", 60), "readme"),
    ("readme of something else", {"base/core/README.md": "# other\n"}, ("base/core/README.md", 1), "readme"),
    ("no readme at the top", {"tools/x.py": ""}, ("tools/README.md", 1), "readme"),
    ("header that is not there", {"base/core/README.md": "# base/core\n- `a.h`, `b.h`\n"}, ("base/core/README.md", 2), "named-file"),
    ("one form of several", {"base/core/README.md": "# base/core\n`a.{h,c}.h`\n"}, ("base/core/README.md", 2), "named-file"),
    ("test that is not there", {"base/core/README.md": "# base/core\n`b_test`\n"}, ("base/core/README.md", 2), "named-file"),
    ("path that is not there", {"X.md": "`base/frob/`\n"}, ("X.md", 1), "named-file"),
    ("no such files", {"X.md": "`base/core/*_fuzz.cc`\n"}, ("X.md", 1), "named-file"),
    ("link to nowhere", {"X.md": "\n[x](base/core/b.md#y)\n"}, ("X.md", 2), "named-file"),
    ("source that is not built", {"base/core/b_test.cc": ""}, ("base/core/b_test.cc", 1), "not-built"),
    ("part of another's name", {"base/core/_test.cc": ""}, ("base/core/_test.cc", 1), "not-built"),
    ("mark without decision", {"base/core/a.cc": "// TO" "DO: later\n"}, ("base/core/a.cc", 1), "mark"),
    ("mark in CMake", {"base/core/x.cmake": "# FIX" "ME\n"}, ("base/core/x.cmake", 1), "mark"),
]
CALLS = [
    ("clock", "auto t = std::chrono::steady_clock::now();"),
    ("clock", "auto t = SteadyClock :: now ();"),
    ("clock", "clock_gettime(CLOCK_MONOTONIC, &t);"),
    ("clock", "auto t = ::time(nullptr);"),
    ("random", "int x = rand() % 6;"),
    ("random", "std::random_device seed;"),
    ("sleep", "std::this_thread::sleep_for(1ms);"),
    ("sleep", "usleep(100);"),
    ("sleep", "::sleep(1);"),
    ("shell", 'int x = std::system("ip link");'),
    ("shell", 'FILE* f = popen("ls", "r");'),
    ("coroutine", "co_return 1;"),
]
INNOCENT = [
    "auto t = loop.now();",
    "TimePoint SimLoop::now() const { return t; }",
    "// std::chrono::steady_clock::now() is banned",
    'const char* text = "rand()";',
    "network.system(1);",
    "Duration holding_time(int); auto x = wall_time(0);",
    "int operand(); int brand() { return 1; }",
]


class EachRule(unittest.TestCase):
    def test_can_fail(self):
        for why, changes, place, rule in BAD:
            with self.subTest(why):
                self.assertIn((*place, rule), findings(changes))

    def test_finds_banned_calls(self):
        for rule, code in CALLS:
            with self.subTest(code):
                self.assertEqual(findings({"base/core/a.cc": "\n" + code + "\n"}), [("base/core/a.cc", 2, "banned-" + rule)])

    def test_leaves_the_innocent_alone(self):
        for code in INNOCENT:
            with self.subTest(code):
                self.assertEqual(findings({"base/core/a.cc": code + "\n"}), [])

    def test_allow_list_is_by_file(self):
        code = "auto t = std::chrono::steady_clock::now();\n"
        self.assertEqual(findings({"base/loop/asio_loop.cc": code, "test/bench/b.cc": code}), [])
        self.assertEqual(findings({"base/loop/other.cc": code}), [("base/loop/other.cc", 1, "banned-clock")])

    def test_folder_without_readme(self):
        self.assertEqual(findings({}, removed=["base/core/README.md"]), [("base/core/README.md", 1, "readme")])

    def test_fuzz_targets_are_named_by_their_stem(self):
        tree = {"test/bench/CMakeLists.txt": "margay_fuzz(json)\n", "test/bench/README.md": "# test/bench\n"}
        sources = {"test/bench/json_fuzz.cc": "", "test/bench/js_fuzz.cc": ""}
        self.assertEqual(findings({**tree, **sources}), [("test/bench/js_fuzz.cc", 1, "not-built")])

    def test_mark_with_decision_is_fine(self):
        self.assertEqual(findings({"base/core/a.cc": "// TO" "DO(D-012): later\n"}), [])

    def test_a_function_of_the_limit_is_fine(self):
        self.assertEqual(findings({"base/core/a.cc": "int a() {\n" + lines(68) + "}\n"}), [])


BODY = "{\n" + lines(10) + "}\n"
# (what is hard about it, code, lengths of its functions)
SHAPES = [
    ("plain", "int a() " + BODY, [12]),
    ("signature counts", "int a(int b,\n      int c) " + BODY, [13]),
    ("in namespaces", "namespace a::b {\nnamespace {\nint f() " + BODY + "}\n}\n", [12]),
    ("methods of a class", "class A : public B<int(char)> {\n public:\n  A() {}\n  int f() const noexcept " + BODY + "};\n", [1, 12]),
    ("template with requires", "template <class T>\n  requires(sizeof(T) > 1)\nint f(T t) " + BODY, [14]),
    ("template class", "template <class T = std::less<int>>\nclass [[nodiscard]] A final {\n  int f() { return 1; }\n};\n", [1]),
    ("member initialisers in braces", "A::A(int b) : b_{b}, c_{{1, 2}}, d_(3) " + BODY, [12]),
    ("last initialiser in braces", "A::A(int b)\n    : b_{b},\n      c_{2} " + BODY, [14]),
    ("default arguments", "void f(int a = 3, B b = {}) " + BODY, [12]),
    ("lambda as an argument", "const int a = f([](int x) " + BODY + ");\n", [12]),
    ("operators", "bool operator==(A a, A b) { return x; }\nA& operator=(A&& a) { return x; }\nint operator()(int a) " + BODY, [1, 1, 12]),
    ("arrow return type", "auto f(int a) -> std::vector<int> " + BODY, [12]),
    ("lambdas count with their function", "int f() {\n  auto g = [&](int x) " + BODY + "  return g(1);\n}\n", [15]),
    ("lambda at namespace level", "const auto f = [](int x) " + BODY + ";\n", [12]),
    ("table", "const Case kCases[] = {\n" + lines(100, '  {"a", {1, 2}},\n') + "};\nint f() { return 1; }\n", [1]),
    ("table without an equals sign", "const std::vector<Case> kCases{\n" + lines(100, "  {1, 2},\n") + "};\n", []),
    ("lambdas in a table", "const Case kCases[] = {\n  {1, [](int x) " + BODY + "  },\n};\n", [12]),
    ("enum and struct", "enum class A : int {\n" + lines(80, "  kB,\n") + "};\nstruct B {\n  int a = 1;\n  std::map<int, int> b = {{1, 2}};\n};\n", []),
    ("test macro", "TEST(A, B) " + BODY, [12]),
    ("braces in strings", 'int f() {\n  g("}}{{", \'{\', 1\'000\'000, "\\"}");\n}\nint h() { return 1; }\n', [3, 1]),
    ("raw string", 'int f() {\n  g(R"x({\n{\n)" })x");\n}\n', [5]),
    ("comments", "int f() {  // }\n  /* }\n */\n}\n", [4]),
    ("preprocessor", "#define A(x) \\\n  {           \\\n    x\nint f() { return 1; }\n", [1]),
    ("control flow inside", "int f() {\n  for (int i = 0; i < 3; ++i) {\n    if (i) { x(); } else { y(); }\n  }\n}\n", [5]),
    ("concept", "template <class T>\nconcept C = requires(T t) {\n  t.x();\n};\nint f() { return 1; }\n", [1]),
    ("extern C", 'extern "C" {\nint f() { return 1; }\n}\n', [1]),
    ("function returning a struct", "struct stat f() {\n  if (x) { y(); }\n}\n", [3]),
]


class Scanner(unittest.TestCase):
    def test_measures_functions(self):
        for why, code, expected in SHAPES:
            with self.subTest(why):
                functions, balanced = cpp_scan.functions(cpp_scan.without_literals(code))
                self.assertTrue(balanced)
                self.assertEqual([length for _, length in functions], expected)

    def test_tables_in_tests_are_free(self):
        code = "TEST(A, B) {\n  const Case cases[] = {\n" + lines(100, "    {1, {2}},\n") + "  };\n  x();\n}\n"
        for free, expected in ((True, 4), (False, 105)):
            functions, _ = cpp_scan.functions(code, tables_are_free=free)
            self.assertEqual([length for _, length in functions], [expected])

    def test_keeps_lines_in_place(self):
        code = 'a\n/* b\n c */ "d" R"(e\nf)" // g\nh\n'
        cleaned = cpp_scan.without_literals(code)
        self.assertEqual(cleaned.count("\n"), code.count("\n"))
        self.assertEqual(cleaned.split("\n")[4], "h")
        for hidden in "bcdefg":
            self.assertNotIn(hidden, cleaned)

    def test_finds_unbalanced_braces(self):
        for code in ("}", "int f() {", "int f() {}}"):
            self.assertFalse(cpp_scan.functions(code)[1])


# (what is hard about it, code, the names that are its file's own)
PRIVATE = [
    ("functions", "int f(int a = g({1})) { return h(); }\nA::B k() { return {}; }\nint later(int);", ["f", "k", "later"]),
    ("values", "constexpr int kA = 1;\nconst B kB{1, {2}};\nint c[] = {1};\nstd::map<int, int> d;\nauto e = [](int x) { return x; };", ["kA", "kB", "c", "d", "e"]),
    ("types", "struct A { int b; void c() {} };\nenum class D : int { kE };\nclass F final : public G<int(char)> { int h; };\nstruct I;", ["A", "D", "F"]),
    ("a type and a value of it", "const struct A { int b; } c = {1};\nint d;", ["A", "c", "d"]),
    ("templates", "template <class T, class U = std::less<T>>\nU f(T t) { return t; }\ntemplate <class T>\n  requires(sizeof(T) > 1)\nint g(T t) { return 1; }\ntemplate <class T>\nstruct H { T t; };", ["f", "g", "H"]),
    ("aliases", "using A = std::vector<int>;\nusing b::C;\nusing namespace d;\nnamespace e = f;", ["A", "C"]),
    ("tests", "TEST(A, B) { int c; }\nTEST_F(D, E) {}\nMATCHER_P(Is, x, \"\") { return x; }\nINSTANTIATE_TEST_SUITE_P(F, G, H);", ["A.B", "D.E", "Is"]),
    ("no names", "bool operator==(A a, B b) { return c; }\nint D::e() { return 1; }\nint D::f = 1;\nstatic_assert(1 + 1 == 2);\ntemplate void g<int>(int);", []),
    ("attributes and methods behind names", "[[nodiscard]] const A& f() const noexcept { return a; }\nauto g() -> std::pair<int, int> { return {}; }", ["f", "g"]),
]


class SameNames(unittest.TestCase):
    def names(self, code):
        return [name.name for _, _, name in same_names.private_names(cpp_scan.without_literals(code))]

    def test_reads_what_a_file_declares(self):
        for why, code, expected in PRIVATE:
            with self.subTest(why):
                self.assertEqual(self.names("namespace a::b {\nnamespace {\n" + code + "\n}\n}\n"), expected)

    def test_what_a_header_declares_is_not_the_files_own(self):
        self.assertEqual(self.names("namespace a {\nint f() { return 1; }\nstatic int g() { return 1; }\nusing b::C;\n}\n"), ["g", "C"])

    def found(self, a, b, build=None):
        changes = {"base/core/a.cc": a, "base/core/b.cc": b, "base/core/CMakeLists.txt": build or "margay_library(SOURCES a.cc b.cc)\n"}
        return [each for each in findings(changes) if each[2] == "same-name"]

    def test_clashes_are_found(self):
        code = "namespace a {\nnamespace {\nint f(%s) { return 1; }\n}\n}\n"
        clash = [("base/core/b.cc", 3, "same-name")]
        self.assertEqual(self.found(code % "int x", code % "char y"), clash)
        self.assertEqual(self.found(code % "", "\nnamespace a {\nusing b::f;\n}\n"), clash)
        lists = "set(more b.cc)\nmargay_test(NAME x SOURCES a.cc ${more} LABELS unit)\n"
        self.assertEqual(self.found(code % "", code % "", lists), clash)

    def test_what_does_not_clash(self):
        code = "namespace a%s {\nnamespace {\nint f() { return 1; }\n}\n}\n"
        self.assertEqual(self.found(code % "", code % "::b"), [])
        self.assertEqual(self.found(code % "", code % "", "margay_library(SOURCES a.cc)\nmargay_test(SOURCES b.cc)\n"), [])
        self.assertEqual(self.found(code % "", code % "", "margay_library(SOURCES a.cc ALONE b.cc)\n"), [])
        self.assertEqual(self.found("using A = b::C;\nusing d::E;\n", "using A =\n  b::C;\nusing d::E;\n"), [])


if __name__ == "__main__":
    sys.exit(unittest.main())
