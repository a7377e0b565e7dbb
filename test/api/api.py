#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""api.py - the public interface is whole: each header stands alone in C11 and C++17; each
exported symbol has a docstring with Since, a man page, and a test that uses it. TAP."""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / 'tools'))
sys.dont_write_bytecode = True
import man  # noqa: E402

STRICT = ['-Wall', '-Wextra', '-Werror', '-fsyntax-only']
COMPILERS = [
    ('gcc', 'C11', ['-x', 'c', '-std=c11', '-pedantic']),
    ('clang', 'C11', ['-x', 'c', '-std=c11', '-pedantic']),
    ('g++', 'C++17', ['-x', 'c++', '-std=c++17']),
    ('clang++', 'C++17', ['-x', 'c++', '-std=c++17']),
]


class Tap:
    def __init__(self):
        self.nr = 0
        self.failed = False

    def case(self, name, problems):
        """A case is fine if there are no problems."""
        self.nr += 1
        for problem in problems:
            print(f'# {problem}')
        print(f"{'not ' if problems else ''}ok {self.nr} - {name}", flush=True)
        self.failed |= bool(problems)

    def skip(self, name, reason):
        self.nr += 1
        print(f'ok {self.nr} - {name} # SKIP {reason}')


def include_name(header):
    return 'decant/' + header.name


def compile_alone(tap, header, include_dirs):
    """Twice in one unit, so that a missing include guard shows, too."""
    source = f'#include <{include_name(header)}>\n' * 2
    flags = [f'-I{path}' for path in include_dirs]
    for compiler, language, options in COMPILERS:
        name = f'{include_name(header)} alone in {language} ({compiler})'
        if not shutil.which(compiler):
            tap.skip(name, f'no {compiler}')
            continue
        done = subprocess.run([compiler, *options, *STRICT, *flags, '-'], input=source,
                              capture_output=True, text=True)
        tap.case(name, done.stderr.splitlines() if done.returncode else [])


def exported(library):
    out = subprocess.run(['nm', '-D', '--defined-only', library], check=True,
                         capture_output=True, text=True).stdout
    symbols = {line.split()[-1].split('@')[0] for line in out.splitlines()
               if line.split()[-2] != 'A'}
    return sorted(symbols)


def test_words():
    """Every identifier that a test uses."""
    words = set()
    for path in (TOP / 'test').rglob('*'):
        if path.suffix in {'.c', '.h', '.py', '.sh'} and path.parent.name != 'api':
            words |= set(re.findall(r'\bdecant_\w+', path.read_text(errors='replace')))
    return words


def check_library(tap, library, docs, man_dir, used):
    name, symbols = library.name, exported(library)
    tap.case(f'{name}: exports only decant_*',
             [s for s in symbols if not s.startswith('decant_')])
    tap.case(f'{name}: every symbol has a docstring',
             [s for s in symbols if s not in docs])
    tap.case(f'{name}: every symbol says since when',
             [s for s in symbols if s in docs and not docs[s].since])
    tap.case(f'{name}: every symbol has a man page',
             [s for s in symbols if not (man_dir / f'{s}.3').is_file()])
    tap.case(f'{name}: every symbol is used by a test',
             [s for s in symbols if s not in used])


def undocumented_params(doc):
    """Parameters in the declaration and in the docstring are the same."""
    flat = re.sub(r'\s+', ' ', doc.declaration)
    flat = re.sub(r'\(\*(\w+)\)\([^()]*\)', r'\1', flat)
    names = re.findall(r'(\w+)(?:\[\w*\])?\s*[,)]', flat[flat.index('('):])
    wanted, got = [n for n in names if n != 'void'], [p for p, _ in doc.params]
    if wanted != got:
        yield f'{doc.name}: parameters {wanted}, documented {got}'


def check_docs(tap, docs, symbols):
    functions = [doc for doc in docs.values() if doc.kind == 'function']
    tap.case('every documented function is exported',
             [doc.name for doc in functions if doc.name not in symbols])
    tap.case('every parameter is documented',
             [problem for doc in functions for problem in undocumented_params(doc)])
    tap.case('every docstring says since when',
             [doc.name for doc in docs.values() if not doc.since])


def check_roff(tap, man_dir):
    name, pages = 'man pages format without a warning', sorted(man_dir.glob('*.3'))
    if not shutil.which('groff'):
        tap.skip(name, 'no groff')
        return
    done = subprocess.run(['groff', '-man', '-Tascii', '-ww', '-z', *pages],
                          capture_output=True, text=True)
    tap.case(name, done.stderr.splitlines() if pages else ['there are no pages'])


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument('--man', type=pathlib.Path, required=True)
    parser.add_argument('--libs', type=pathlib.Path, nargs='+', required=True)
    parser.add_argument('--headers', type=pathlib.Path, nargs='+', required=True)
    return parser.parse_args()


def main():
    args, tap = arguments(), Tap()
    include_dirs = sorted({header.parent.parent for header in args.headers})
    docs = {doc.name: doc for header in args.headers for doc in man.read_docs(header)}
    used, symbols = test_words(), set()
    for header in sorted(args.headers):
        compile_alone(tap, header, include_dirs)
    for library in args.libs:
        symbols |= set(exported(library))
        check_library(tap, library, docs, args.man, used)
    check_docs(tap, docs, symbols)
    check_roff(tap, args.man)
    print(f'1..{tap.nr}')
    return 1 if tap.failed else 0


if __name__ == '__main__':
    sys.exit(main())
