#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tours.py - the tours in docs/ hold what they show.

usage: tours.py program PAGE OUT      write the page's program to OUT
       tours.py check PAGE PROGRAM    it ends well and prints what the page says; every name
                                      on the page is one of ours. TAP.
"""
import pathlib
import re
import sys
import tempfile

sys.dont_write_bytecode = True
from readme import TOP, case, links, run  # noqa: E402


def block(page, language):
    return re.search(rf'```{language}\n(.*?)```', page.read_text(), re.S)[1]


def run_program(page, program):
    with tempfile.TemporaryDirectory() as room:
        ran = run(program, cwd=room)
    if ran.returncode:
        yield f'exit {ran.returncode}: {ran.stderr}'
    wanted, got = block(page, 'text').splitlines(), ran.stdout.splitlines()
    if wanted != got:
        yield from (f'the page says: {line}' for line in wanted)
        yield from (f'it printed: {line}' for line in got)


def public_names():
    names = set()
    for top in ('include', 'adapters', 'content'):
        for header in (TOP / top).rglob('*.h'):
            names |= set(re.findall(r'\bdecant_\w+|\bDECANT_\w+', header.read_text()))
    return names


def unknown_names(page):
    used = set(re.findall(r'\bdecant_\w+|\bDECANT_\w+', page.read_text()))
    return [f'{name}: not in a public header' for name in sorted(used - public_names())]


def check(page, program):
    print('1..3')
    good = case(1, 'the program prints what the page says',
                list(run_program(page, program)))
    good &= case(2, 'every name is in a public header', unknown_names(page))
    good &= case(3, 'links lead somewhere', links(page))
    return 0 if good else 1


def main():
    what, page = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    if what == 'check':
        return check(page, str(pathlib.Path(sys.argv[3]).resolve()))
    pathlib.Path(sys.argv[3]).write_text(block(page, 'c'))
    return 0


if __name__ == '__main__':
    sys.exit(main())
