#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""style.py - the style of this tree, as a test (TAP). Findings are FILE:LINE: what."""
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

C_SUFFIXES = {'.c', '.h', '.def'}
SCRIPT_SUFFIXES = {'.py', '.sh'}
FILE_LINES = 600
FUNCTION_LINES = 60
C_COLUMNS = 90
SCRIPT_COLUMNS = 100
UNFINISHED = re.compile(r'\b(TO' + r'DO|FIX' + r'ME|X' + r'XX|HA' + r'CK)\b')


def git_files():
    """What git knows or would add; None where there is no git, or no repository."""
    if not shutil.which('git'):
        return None
    out = subprocess.run(['git', 'ls-files', '-z', '--cached', '--others',
                          '--exclude-standard'], check=False, capture_output=True, text=True)
    return None if out.returncode else set(out.stdout.split('\0'))


def tree_files():
    """The files to look at; without git, all but what a build leaves."""
    known = git_files()
    if known is None:
        paths = [path for path in sorted(pathlib.Path().rglob('*'))
                 if not re.match(r'build|run$|\.git$|__pycache__', path.parts[0])]
    else:
        paths = [pathlib.Path(name) for name in sorted(known) if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def is_script(path, lines):
    return path.suffix in SCRIPT_SUFFIXES or path.name == 'meson.build' or \
        bool(lines) and lines[0].startswith('#!')


def check_text(lines, columns):
    if not any('SPDX-License-Identifier: MIT' in line for line in lines[:2]):
        yield 1, 'no SPDX line at the top'
    if len(lines) > FILE_LINES:
        yield len(lines), f'{len(lines)} lines, more than {FILE_LINES}'
    for nr, line in enumerate(lines, 1):
        width = len(line.expandtabs(8))
        if width > columns:
            yield nr, f'{width} columns, more than {columns}'
        if line != line.rstrip():
            yield nr, 'blanks at the end of the line'
        if match := UNFINISHED.search(line):
            yield nr, f'unfinished: {match[0]}'


def signature_start(lines, brace):
    """The line where the declaration begins whose body opens at index brace."""
    start = brace
    while start and lines[start - 1] and lines[start - 1][0] not in '#}/* ':
        if lines[start - 1].rstrip().endswith((';', '*/')):
            break
        start -= 1
    return start


def functions(lines):
    """(first, last) line indices: in this tree a body's braces stand in column 0."""
    brace = None
    for i, line in enumerate(lines):
        if line == '{':
            brace = i
        elif line.startswith('}') and brace is not None:
            yield signature_start(lines, brace), i
            brace = None


def macros(lines):
    """(line number, text) of every #define with its continuation lines joined."""
    i = 0
    while i < len(lines):
        start, text = i, lines[i]
        while text.endswith('\\') and i + 1 < len(lines):
            i += 1
            text = text[:-1] + lines[i]
        if re.match(r'\s*#\s*define\b', text):
            yield start + 1, text
        i += 1


def check_c(lines, lengths):
    for first, last in functions(lines):
        lengths.append(last - first + 1)
        if lengths[-1] > FUNCTION_LINES:
            yield first + 1, f'function of {lengths[-1]} lines, more than {FUNCTION_LINES}'
        for i in range(first, last):
            if re.match(r'\s*#\s*if', lines[i]):
                yield i + 1, '#if inside a function'
    for nr, text in macros(lines):
        code = re.sub(r'"(\\.|[^"\\])*"|/\*.*?\*/', '', text)
        if re.search(r'\b(return|goto)\b', code):
            yield nr, 'a macro that hides return or goto'


def check_file(path, lengths):
    try:
        lines = path.read_text().split('\n')
    except UnicodeDecodeError:
        return
    if lines and not lines[-1]:
        lines.pop()
    if path.suffix in C_SUFFIXES:
        yield from check_text(lines, C_COLUMNS)
        yield from check_c(lines, [] if path.parts[0] == 'test' else lengths)
    elif is_script(path, lines):
        yield from check_text(lines, SCRIPT_COLUMNS)


def main():
    os.chdir(pathlib.Path(__file__).resolve().parents[1])
    lengths, found = [], 0
    print('1..1')
    for path in tree_files():
        for nr, what in check_file(path, lengths):
            print(f'# {path}:{nr}: {what}')
            found += 1
    if lengths:
        print(f'# functions outside test/: {len(lengths)}, median '
              f'{statistics.median(lengths):g} lines, longest {max(lengths)}')
    print(f"{'not ' if found else ''}ok 1 - style")
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
