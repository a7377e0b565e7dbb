#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""readme.py - what the README shows works: its C example compiles and runs, its files exist; and
the man pages are correct. TAP."""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]


def case(nr, name, problems):
    for problem in problems:
        print(f'# {problem}')
    print(f"{'not ' if problems else ''}ok {nr} - {name}", flush=True)
    return not problems


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, **more)


def example(lib_dir):
    """The first C block of the README, compiled as a user would, against what was built."""
    text = (TOP / 'README.md').read_text()
    source = re.search(r'```c\n(.*?)```', text, re.S).group(1)
    with tempfile.TemporaryDirectory() as room:
        (pathlib.Path(room) / 'example.c').write_text(source)
        built = run('cc', '-std=c11', '-Wall', '-Wextra', '-Werror', f'-I{TOP}/include',
                    f'{room}/example.c', '-o', f'{room}/example', f'-L{lib_dir}', '-ldecant',
                    f'-Wl,-rpath,{lib_dir}')
        if built.returncode:
            return built.stderr.splitlines()
        ran = run(f'{room}/example')
    return [] if ran.returncode == 0 else [f'exit {ran.returncode}: {ran.stdout}']


def links(page):
    names = re.findall(r'\]\(([^)#:]+)\)', page.read_text())
    return [f'{name}: no such file' for name in names if not (page.parent / name).exists()]


def man_pages(pages):
    problems = []
    for page in pages:
        problems += run('groff', '-man', '-Tutf8', '-ww', '-z', str(page)).stderr.splitlines()
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--lib', required=True)
    args = parser.parse_args()
    print('1..3')
    ok = case(1, "the README's example compiles and runs", example(args.lib))
    ok &= case(2, "the README's links lead somewhere", links(TOP / 'README.md'))
    ok &= case(3, 'the man pages are correct', man_pages((TOP / 'docs/man').glob('*.1')))
    return 0 if ok else 1


if __name__ == '__main__':
    sys.exit(main())
