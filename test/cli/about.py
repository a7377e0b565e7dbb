#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""about.py - what the command says about itself: statistics, progress, limits, help."""
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import time
from rig import HOST, case, cases, check, check_error, main, same, wait_for

SIDE = {'io', 'file', 'operations', 'submissions', 'elements', 'merged', 'direct_bytes',
        'staged_bytes', 'buffered_bytes', 'resumed', 'stages'}
STAGES = {'local': ({'read', 'write'}, None),
          'push': ({'read', 'seal', 'fabric write'}, {'open', 'write'}),
          'pull': ({'open', 'write'}, {'read', 'seal', 'fabric write'})}
SIZE = 5 * 65536 + 3


def copy(rig, way, *options):
    rig.file('src', SIZE)
    src, dst = rig.path('src'), rig.path('dst')
    return rig.good('--chunk', '64K', *options, f'{HOST}:{src}' if way == 'pull' else src,
                    f'{HOST}:{dst}' if way == 'push' else dst)


def check_side(side, names):
    same(set(side), SIDE, 'fields of a side')
    same({stage['name'] for stage in side['stages']}, names, 'stages')
    for stage in side['stages']:
        same((stage['bytes'], stage['chunks']), (SIZE, 6), f'stage {stage["name"]}')
        check(stage['busy_seconds'] >= 0, 'busy_seconds')
    check(re.match(r'io_uring$|threads \(.+\)$', side['io']), side['io'])


@cases(STAGES)
def statistics_in_json(rig, way):
    stats = json.loads(copy(rig, way, '--stats=json').stdout)
    same(stats['bytes'], SIZE, 'bytes')
    check(0 < stats['transfer_seconds'] < stats['seconds'] < 60,
          f'seconds: {stats["transfer_seconds"]} of {stats["seconds"]}')
    here, there = STAGES[way]
    check_side(stats['here'], here)
    same('there' in stats, there is not None, 'the other side')
    sides = [stats['here']] + ([stats['there']] if there else [])
    if there:
        check_side(stats['there'], there)
        check(stats['fabric'], 'no fabric')
    for field in ('elements', 'merged', 'staged_bytes'):
        same(stats[field], sum(side[field] for side in sides), field)


@cases(STAGES)
def statistics_in_text(rig, way):
    text = copy(rig, way, '--stats').stdout.decode()
    for word in (f'({SIZE} bytes)', 'MiB/s', 'stage', 'elements', 'merged', 'staged', 'here: ',
                 *STAGES[way][0], *(STAGES[way][1] or ())):
        check(word in text, f'no {word!r} in {text}')


@case('statistics go to standard error if the copy goes to standard output')
def statistics_aside(rig):
    data = rig.file('src', 5000).read_bytes()
    done = rig.run('--stats=json', 'src', '-')
    same(done.stdout, data, 'the copy')
    same(json.loads(done.stderr)['bytes'], 5000, 'bytes')


@case('threads that were asked for need no reason')
def threads(rig):
    stats = json.loads(copy(rig, 'local', '--stats=json', '--io=threads').stdout)
    check(stats['here']['io'].startswith('threads'), stats['here']['io'])


def on_terminal(rig, *options):
    """What a copy shows on a terminal while it has to wait for its source."""
    master, slave = pty.openpty()
    child = subprocess.Popen(rig.command(*options, '-', rig.path('dst')), stdin=-1,
                             stderr=slave)
    os.close(slave)
    shown = b''
    for _ in range(8):
        child.stdin.write(bytes(1 << 20))
        child.stdin.flush()
        time.sleep(0.1)
    child.stdin.close()
    same(child.wait(20), 0, 'exit code')
    while select.select([master], [], [], 0)[0]:
        try:
            shown += os.read(master, 65536)
        except OSError:
            break
    os.close(master)
    return shown


@case('progress on a terminal, and nothing of it is left')
def progress(rig):
    shown = on_terminal(rig)
    check(b'MiB/s' in shown, shown)
    check(shown.endswith(b'\r\x1b[K'), shown)


@case('no progress with --quiet')
def quiet(rig):
    same(on_terminal(rig, '--quiet'), b'', '--quiet')
    same(on_terminal(rig, '-q'), b'', '-q')


def decant(rig, *args):
    return subprocess.run([rig.decant, *map(str, args)], capture_output=True, check=False,
                          timeout=60, stdin=-3)


@case('limits of a file')
def file_limits(rig):
    path = rig.file('a "b"\n', 5000)
    limits = json.loads(decant(rig, 'limits', '--json', path).stdout)
    same(limits['file'], str(path), 'file')
    for field in ('addr_align', 'len_align', 'offset_align', 'max_elements', 'max_bytes'):
        check(isinstance(limits[field], int) and limits[field] > 0, field)
    same(json.loads(decant(rig, 'limits', '--json', f'file:{path}').stdout), limits, 'file:PATH')
    text = decant(rig, 'limits', path).stdout.decode()
    for word in ('direct I/O', 'memory', 'position', 'elements', 'bytes'):
        check(word in text, f'no {word!r} in {text}')


@case('limits of the fabric')
def fabric_limits(rig):
    providers = json.loads(decant(rig, 'limits', 'fabric', '--json').stdout)['providers']
    check(providers, 'there is no provider')
    text = decant(rig, 'limits', 'fabric').stdout.decode()
    for provider in providers:
        check(provider['provider'] in text, provider['provider'])
        check(provider['max_elements'] >= 1, 'max_elements')
    name = providers[0]['provider']
    one = json.loads(decant(rig, 'limits', f'fabric:{name}', '--json').stdout)['providers']
    same({provider['provider'] for provider in one}, {name}, 'only that one')


LIMITS_ERRORS = {
    'no such file': (3, ['nofile', 'No such file'], ['nofile']),
    'a directory': (3, ['/', 'directory'], ['/']),
    'no such provider': (5, ['fabric:none', 'provider'], ['fabric:none']),
    'no such provider in JSON': (5, ['fabric:none', 'provider'], ['--json', 'fabric:none']),
    'nothing': (2, ['expected'], []),
    'two files': (2, ['b'], ['a', 'b']),
    'an unknown option': (2, ['--frob'], ['--frob', 'x']),
}


@cases(LIMITS_ERRORS)
def limits_errors(rig, name):
    code, words, args = LIMITS_ERRORS[name]
    done = decant(rig, 'limits', *args)
    check_error(code, words, done.returncode, done.stderr)
    same(done.stdout, b'', 'standard output')


@case('libfabric is loaded when there is need, as it takes long')
def not_loaded(rig):
    rig.file('src', 5000)
    done = rig.run('src', 'dst', env={**os.environ, 'LD_DEBUG': 'files'})
    same(done.returncode, 0, 'exit code')
    check(b'libdecant-ofi' in done.stderr, 'no libraries at all')
    check(b'libfabric' not in done.stderr, 'it is loaded')


@case('and it is said if it is not there')
def no_libfabric(rig):
    rig.path('libfabric.so.1').write_bytes(b'')
    paths = os.environ.get('LD_LIBRARY_PATH', '').split(':')
    env = {**os.environ, 'LD_LIBRARY_PATH': ':'.join([str(rig.dir), *filter(None, paths)])}
    rig.file('src', 5000)
    done = rig.run('--fabric', 'ofi:tcp', 'src', f"{HOST}:{rig.path('dst')}", env=env)
    check_error(5, ['tcp', 'libfabric.so.1', 'libfabric1'], done.returncode, done.stderr)
    # What needs none takes none, also where the choice is ours.
    done = rig.good('--stats=json', 'src', f"{HOST}:{rig.path('dst')}", env=env)
    same(json.loads(done.stdout)['fabric'], 'tcp', 'the fabric')


@cases([[], ['--help'], ['-h'], ['help'], ['copy', '--help'], ['copy', '-h'],
        ['copy', '--chunk', '0', '--help'], ['limits', '--help'], ['limits', '-h'],
        ['explain', '--help'], ['explain', '-h'],
        ['serve', '--help'], ['serve', '-h'], ['keygen', '--help'], ['keygen', '-h']])
def help_is_there(rig, args):
    done = decant(rig, *args)
    same((done.returncode, done.stderr), (0, b''), 'help')
    check(done.stdout.startswith(b'usage: decant'), done.stdout)
    check(all(len(line) <= 80 for line in done.stdout.decode().splitlines()), 'wide lines')


@case('the version')
def version(rig):
    check(re.fullmatch(rb'decant \d+\.\d+\.\d+\n', decant(rig, '--version').stdout), 'version')


@cases([['frob'], ['--frob'], ['serve'], ['serve', '--frob'], ['serve', '--stdio', 'x'],
        ['keygen', '--frob'], ['keygen', 'a', 'b']])
def wrong_command(rig, args):
    done = decant(rig, *args)
    check_error(2, ['--help'], done.returncode, done.stderr)


# A list: the option, and what it does not go without.
ARGUMENTS = {'encrypt': ['--encrypt', '--passphrase-file=phrase'],
             'decrypt': ['--decrypt', '--decrypt-with=key', '--passphrase-file=phrase'],
             'encrypt-to': ['--encrypt-to', 'RECIPIENT'], 'decrypt-with': ['--decrypt-with=key'],
             'passphrase-file': ['--encrypt', '--passphrase-file', 'phrase'],
             'armor': ['--armor', '--encrypt-to', 'RECIPIENT'], 'threads': '2',
             'chunk': '8K', 'depth': '2', 'direct': 'never', 'io': 'threads',
             'fabric': 'tcp', 'rails': '2', 'timeout': '9', 'seal': 'none', 'rsh': 'x',
             'key-file': 'none', 'remote-decant': 'x', 'stats': None, 'trace': 'trace.json',
             'quiet': None, 'help': None}


@case('each option that is documented is accepted')
def documented(rig):
    text = decant(rig, 'copy', '--help').stdout.decode()
    found = set(re.findall(r'^ +(?:-\w, )?--([a-z-]+)', text, re.M))
    same(found, set(ARGUMENTS), 'options in the help text')
    rig.file('plain', 10)
    rig.path('phrase').write_text('one two\n')
    recipient = decant(rig, 'keygen', rig.path('key')).stdout.decode().strip()
    rig.good('--encrypt-to', recipient, 'plain', 'sealed')
    for name, value in ARGUMENTS.items():
        args = value if isinstance(value, list) else [f'--{name}', *([value] if value else [])]
        rig.run(*(recipient if arg == 'RECIPIENT' else arg for arg in args),
                'sealed' if 'decrypt' in name else 'plain', 'dst').check_returncode()


TOP = pathlib.Path(__file__).resolve().parents[2]
TABLES = {'copy': 'options.c', 'explain': 'explain/explain_options.c', 'keygen': 'keygen.c',
          'limits': 'limits/limits.c', 'serve': 'serve/serve_options.c'}
SYSTEMD = {'create', 'now'}


def accepted(command):
    """What a command's table has, and what all have."""
    rows = re.findall(r'\{"([a-z-]+)", (?:no|required|optional)_argument',
                      (TOP / 'cli' / TABLES[command]).read_text())
    check(rows, f'no table of {command}')
    return {*rows, 'help'}


def named(text):
    return set(re.findall(r'--([a-z][a-z-]*)', text))


@cases(TABLES)
def what_is_accepted_is_documented(rig, command):
    """The table of options, the help text and the manual have the same; what else these speak
    of are options of other commands."""
    known, all_known = accepted(command), SYSTEMD.union(*map(accepted, TABLES))
    text = decant(rig, command, '--help').stdout.decode()
    first = set(re.findall(r'^ +(?:-\w, )?--([a-z-]+)', text, re.M))
    check(first <= known, f'listed, but not accepted: {first - known}')
    manual = (TOP / f'docs/man/decant-{command}.1').read_text().replace('\\-', '-')
    for place, found in (('help', named(text)), ('manual', named(manual))):
        check(known <= found, f'not in the {place}: {known - found}')
        check(found <= all_known, f'only in the {place}: {found - all_known}')


@case('each exit code is documented')
def exit_codes(rig):
    text = decant(rig, 'copy', '--help').stdout.decode()
    codes = set(map(int, re.findall(r'(\d+) [a-z]', text[text.index('Exit status'):])))
    same(codes, {0, 2, 3, 4, 5, 6, 7, 8, 9, 130}, 'codes')


@case('a hang-up while it waits')
def hangs_up(rig):
    child = rig.start('-', 'dst', stdin=-1)
    time.sleep(0.4)
    child.send_signal(signal.SIGHUP)
    wait_for(lambda: child.poll() is not None, 'the end')
    same((child.returncode, os.listdir(rig.dir)), (130, []), 'how it ended')
    child.stdin.close()


if __name__ == '__main__':
    main()
