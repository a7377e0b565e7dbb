#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""serve.py - `decant serve --listen`, and the keys for it."""
import re
import subprocess
from rig import case, cases, check, check_error, main, same

NAME = re.compile(r'[0-9a-f]{16}')
FORM = re.compile(r'# created: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)\n'
                  r'([A-Za-z0-9._@-]{1,64}):([0-9a-f]{64})\n')


def keygen(rig, *args):
    return subprocess.run([rig.decant, 'keygen', '--psk', *map(str, args)],
                          capture_output=True, check=False, cwd=rig.dir)


@case('keygen --psk makes a key that only its owner can read')
def key_file(rig):
    done = keygen(rig, 'key')
    same((done.returncode, done.stderr), (0, b''), 'keygen')
    match = FORM.fullmatch(rig.path('key').read_text())
    check(match, 'its form')
    check(NAME.fullmatch(match[2]), 'a name that was made up')
    same(done.stdout.decode(), match[2] + '\n', 'what it says')
    same(rig.path('key').stat().st_mode & 0o7777, 0o600, 'its mode')
    one, other = (FORM.fullmatch(keygen(rig, *args).stdout.decode()) for args in ([], ['-']))
    check(one and other, 'standard output')
    check(len({found[3] for found in (match, one, other)}) == 3, 'the same key twice')
    check(len({found[2] for found in (match, one, other)}) == 3, 'the same name twice')


@cases(['a', 'host-7.example@x_Y', 'n' * 64])
def key_named(rig, name):
    done = keygen(rig, '--name', name, 'key')
    same((done.returncode, done.stdout), (0, name.encode() + b'\n'), 'keygen')
    same(FORM.fullmatch(rig.path('key').read_text())[2], name, 'the name in it')


@cases(['', 'n' * 65, 'a:b', 'a b', 'a\nb', '\xe4', 'a/b'])
def bad_name(rig, name):
    done = keygen(rig, '--name', name, 'key')
    check_error(2, ['--name', 'letters'], done.returncode, done.stderr)
    check(not rig.path('key').exists(), 'a file')


@case('keygen --psk does not overwrite')
def no_overwriting(rig):
    keygen(rig, 'key')
    before = rig.path('key').read_bytes()
    done = keygen(rig, 'key')
    check_error(4, ['key: ', 'there already'], done.returncode, done.stderr)
    same(rig.path('key').read_bytes(), before, 'the old one')


@case('a name is for a key of --psk only')
def name_alone(rig):
    done = subprocess.run([rig.decant, 'keygen', '--name', 'x', 'key'], capture_output=True,
                          check=False, cwd=rig.dir)
    check_error(2, ['--name', '--psk'], done.returncode, done.stderr)


if __name__ == '__main__':
    main()
