#!/usr/bin/env python3
"""Fails when clang-format 14 would change a source file.

usage: format_check.py [ROOT]    exit status 0: nothing to change; 1: something; 77: clang-format-14 is not installed
"""
import os
import shutil
import subprocess
import sys

import tidy

SKIPPED = 77


def main(arguments):
    root = arguments[0] if arguments else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    program = shutil.which("clang-format-14")
    if program is None:
        print("format: skipped: clang-format-14 is not installed (scripts/install-deps test)")
        return SKIPPED
    paths = [path for path in tidy.Tree(root).paths if path.endswith(tidy.CPP)]
    if not paths:
        return 0
    result = subprocess.run([program, "--dry-run", "-Werror", *paths], cwd=root, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return 0
    places = [line for line in result.stderr.splitlines() if "error:" in line]
    print("\n".join(places[:50]) or result.stderr)
    print(f"format: {len(places)} places; clang-format-14 -i puts them right")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
