#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""errors.py - what must end in one clear line, the documented exit code, the old target as it
was and no debris. The other side's death is in peers.py."""
import os
import resource
import shutil
import signal
import subprocess
import time
from rig import (HOST, Skip, case, cases, check, check_error, main, same, server_of, wait_for)

USAGE = {
    'unknown option': (2, ['--frob'], ['--frob', 'src', 'dst']),
    'unknown letter': (2, ['-z'], ['-zq', 'src', 'dst']),
    'no arguments': (2, ['SRC and DST'], []),
    'one argument': (2, ['SRC and DST'], ['src']),
    'three arguments': (2, ['SRC and DST'], ['src', 'dst', 'x']),
    'option without its value': (2, ['--chunk', 'value'], ['src', 'dst', '--chunk']),
    'chunk 0': (2, ['--chunk 0', 'power of two'], ['--chunk', '0', 'src', 'dst']),
    'chunk 3000': (2, ['--chunk 3000', 'power of two'], ['--chunk', '3000', 'src', 'dst']),
    'chunk 2K': (2, ['--chunk 2048', '4096'], ['--chunk', '2K', 'src', 'dst']),
    'chunk of letters': (2, ['--chunk', 'abc'], ['--chunk', 'abc', 'src', 'dst']),
    'chunk -1': (2, ['--chunk -1'], ['--chunk', '-1', 'src', 'dst']),
    'chunk 2^60': (7, ['--chunk 1.0 EiB', 'memory'], ['--chunk', str(1 << 60), 'src', 'dst']),
    'chunk beyond numbers': (2, ['--chunk'], ['--chunk', '16E', 'src', 'dst']),
    'chunk larger than memory': (7, ['--chunk', 'memory'], ['--chunk', '1T', 'src', 'dst']),
    'depth 0': (2, ['--depth 0', '1 to 512'], ['--depth', '0', 'src', 'dst']),
    'depth 99999': (2, ['--depth 99999', '512'], ['--depth', '99999', 'src', 'dst']),
    'depth of letters': (2, ['--depth', 'x'], ['--depth', 'x', 'src', 'dst']),
    'direct maybe': (2, ['--direct=maybe', 'always'], ['--direct=maybe', 'src', 'dst']),
    'io magic': (2, ['--io=magic', 'threads'], ['--io', 'magic', 'src', 'dst']),
    'stats xml': (2, ['--stats=xml', 'json'], ['--stats=xml', 'src', 'dst']),
    'both remote': (2, ['SRC and DST'], ['h:a', 'i:b']),
    'a host like an option': (2, ['-oX'], ['--', '-oX:src', 'dst']),
    'rsh of nothing': (2, ['--rsh'], ['--rsh', ' ', 'src', 'h:dst']),
    'rsh not found': (5, ['--rsh', 'no-such', 'No such file'],
                      ['--rsh', 'no-such-program x', 'src', 'h:dst']),
    'rsh fails': (5, ['h: ', 'ended', 'status 1'], ['--rsh', 'false', 'src', 'h:dst']),
    'rsh says nothing': (5, ['h: ', 'ended', 'status 0'], ['--rsh', 'true', 'src', 'h:dst']),
    'rsh prints something else': (5, ['h: ', 'protocol'],
                                  ['--rsh', 'echo hello', 'src', 'h:dst']),
    'pull, rsh fails': (5, ['h: ', 'ended'], ['--rsh', 'false', 'h:src', 'dst']),
    'fabric that does not exist': (5, ['nonesuch'],
                                   ['--fabric', 'nonesuch', 'src', f'{HOST}:dst']),
    'fabric that does not exist, pull': (5, ['nonesuch'],
                                         ['--fabric', 'nonesuch', f'{HOST}:src', 'dst']),
    'empty source': (3, ['No such file'], ['', 'dst']),
    'empty target': (4, ['No such file'], ['src', '']),
}


@cases(USAGE)
def arguments(rig, name):
    code, words, args = USAGE[name]
    rig.file('src', 5000)
    rig.file('dst', 10)
    began = time.monotonic()
    rig.bad(code, words, *args)
    check(time.monotonic() - began < 10, 'it took its time')
    same(rig.path('dst').stat().st_size, 10, 'the old target')


@case('rsh prints without end')
def endless_rsh(rig):
    rig.file('src', 100)
    rig.path('rsh').write_text('#!/bin/sh\nexec cat /dev/zero\n')
    rig.path('rsh').chmod(0o755)
    rig.bad(5, ['h: ', 'protocol'], '--rsh', rig.path('rsh'), 'src', 'h:dst')


@case('the other decant is not there')
def no_remote_decant(rig):
    rig.file('src', 100)
    done = rig.run('--rsh', rig.rsh, '--remote-decant', '/no/such/decant', 'src', 'h:dst')
    same(done.returncode, 5, 'exit code')
    last = done.stderr.decode().splitlines()[-1]
    check(last.startswith('decant: h: ') and '--remote-decant' in last, last)


def place(way, src, dst):
    return (f'{HOST}:{src}' if way == 'pull' else src, f'{HOST}:{dst}' if way == 'push' else dst)


@cases(['local', 'push', 'pull'])
def missing_source(rig, way):
    rig.file('dst', 10)
    rig.bad(3, [rig.path('nosrc'), 'No such file'],
            *place(way, rig.path('nosrc'), rig.path('dst')))


@cases(['local', 'push', 'pull'])
def directory_as_source(rig, way):
    rig.path('dir').mkdir()
    rig.bad(3, [rig.path('dir'), 'directory'], *place(way, rig.path('dir'), rig.path('dst')))


@cases(['local', 'push', 'pull'])
def target_directory_missing(rig, way):
    rig.file('src', 5000)
    rig.bad(4, [rig.path('no/dst'), 'No such file'],
            *place(way, rig.path('src'), rig.path('no/dst')))


@cases(['local', 'push', 'pull'])
def target_directory_is_a_file(rig, way):
    rig.file('src', 5000)
    rig.bad(4, [rig.path('src'), 'Not a directory'],
            *place(way, rig.path('src'), f"{rig.path('src')}/dst"))


@cases(['local', 'push'])
def target_with_a_slash_is_a_directory(rig, way):
    rig.file('src', 5000)
    rig.bad(4, ['new/', 'directory'], *place(way, rig.path('src'), f"{rig.path('new')}/"))


@cases(['local', 'push', 'pull'])
def long_path(rig, way):
    """The reason is there although the name is longer than a line."""
    name = rig.path('/'.join(['x' * 200] * 18))
    rig.file('src', 5000)
    rig.bad(3, [name, 'No such file'], *place(way, name, rig.path('dst')))
    rig.bad(4, [name, 'No such file'], *place(way, rig.path('src'), name))


@cases(['local', 'push'])
def path_that_is_too_long(rig, way):
    rig.file('src', 5000)
    target = place(way, 'src', 'x/' * 3000 + 'x')[1]
    rig.bad(2 if way == 'push' else 4, ['too long'], 'src', target)


def same_file_cases(rig):
    os.link(rig.path('src'), rig.path('hard'))
    rig.path('soft').symlink_to('src')
    for target in ('src', './src', 'hard', 'soft', '.', f'{rig.dir}/'):
        yield target


@case('source and target are the same file')
def same_file(rig):
    rig.file('src', 5000)
    for target in same_file_cases(rig):
        rig.bad(2, ['same file'], 'src', target)


@cases(['local', 'push', 'pull'])
def unreadable_source(rig, way):
    how = rig.as_nobody()
    rig.file('src', 5000).chmod(0)
    rig.bad(3, [rig.path('src'), 'Permission denied'],
            *place(way, rig.path('src'), rig.path('dst')), how=how)


@cases(['local', 'push', 'pull'])
def target_not_writable(rig, way):
    how = rig.as_nobody()
    rig.file('src', 5000).chmod(0o444)
    rig.file('old', 10).chmod(0o444)
    rig.path('dir').mkdir(mode=0o555)
    for target, word in (('old', 'Permission'), ('dir', 'Permission'), ('dir/x', 'Permission')):
        rig.bad(4, [rig.path(target), word],
                *place(way, rig.path('src'), rig.path(target)), how=how)
    same(rig.path('old').stat().st_size, 10, 'the old target')


def small_tmpfs(rig):
    rig.path('full').mkdir()
    done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', rig.path('full')],
                          capture_output=True, check=False)
    if done.returncode:
        raise Skip('may not mount')
    rig.undo.append(lambda: subprocess.run(['umount', '-l', rig.path('full')], check=False))


def small_ext4(rig):
    with open(rig.path('image'), 'wb') as file:
        file.truncate(8 << 20)
    rig.path('full').mkdir()
    for command in (['mkfs.ext4', '-q', '-m0', rig.path('image')],
                    ['mount', '-o', 'loop', rig.path('image'), rig.path('full')]):
        if not shutil.which(command[0]) or \
                subprocess.run(command, capture_output=True, check=False).returncode:
            raise Skip(f'{command[0]} does not work here')
    rig.undo.append(lambda: subprocess.run(['umount', '-l', rig.path('full')], check=False))


@cases([f'{kind}, {way}' for kind in ('tmpfs', 'ext4') for way in ('local', 'push', 'pull')])
def full(rig, name):
    kind, way = name.split(', ')
    {'tmpfs': small_tmpfs, 'ext4': small_ext4}[kind](rig)
    rig.path('full/old').write_text('old')
    rig.file('src', 20 << 20)
    before = os.listdir(rig.path('full'))
    src, dst = place(way, rig.path('src'), rig.path('full/old'))
    rig.bad(4, [rig.path('full/old'), 'No space left', '20.0 MiB'], src, dst)
    if way != 'pull':
        rig.bad(4, [rig.path('full/old'), 'No space left'], '-', dst,
                input=bytes(20 << 20))
    same(rig.path('full/old').read_text(), 'old', 'the old target')
    same(os.listdir(rig.path('full')), before, 'the directory')


@cases(['known', 'unknown'])
def file_size_limit_size(rig, name):
    rig.file('src', 3 << 20)
    rig.file('dst', 10)
    source = {'known': 'src', 'unknown': '-'}[name]
    rig.bad(4, ['dst', 'too large'], source, 'dst', stdin=open(rig.path('src'), 'rb'),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
    same(rig.path('dst').stat().st_size, 10, 'the old target')


@case('direct I/O is demanded where there is none')
def not_direct(rig):
    file = '/sys/kernel/mm/transparent_hugepage/enabled'
    if not os.path.isfile(file):
        raise Skip(f'no {file}')
    rig.bad(3, [file, '--direct=always'], '--direct=always', file, 'dst')


@case('a full device, and a pipe that nobody reads any more')
def lost_output(rig):
    rig.file('src', 3 << 20)
    rig.bad(4, ['/dev/full', 'No space left'], 'src', '/dev/full')
    child = rig.start('src', '-', stdout=-1)
    child.stdout.read(100000)
    child.stdout.close()
    check_error(4, ['standard output', 'Broken pipe'], child.wait(30), child.stderr.read())


def change(path, how):
    size = path.stat().st_size
    if how == 'it shrank':
        os.truncate(path, size // 2)
    elif how == 'it grew':
        with open(path, 'ab') as file:
            file.write(b'more')
    else:
        with open(path, 'r+b') as file:
            file.seek(size // 2)
            file.write(b'other')
        os.utime(path, ns=(1, 1))


CHANGES = ['it shrank', 'it grew', 'it changed']


@cases([f'{how}, {way}' for how in CHANGES for way in ('local', 'pull')])
def source_changes(rig, name):
    """The target is a pipe that takes no more than it is asked for."""
    how, way = name.split(', ')
    src = rig.file('src', 4 << 20)
    child = rig.start('--depth', '1', '--chunk', '4K', place(way, src, '')[0], '-', stdout=-1)
    same(len(child.stdout.read(4096)), 4096, 'the beginning')
    change(src, how)
    child.stdout.read()
    check_error(3, [src, how], child.wait(30), child.stderr.read())


@cases(CHANGES)
def source_changes_in_a_push(rig, how):
    """The client has opened its file when it starts the server, which is stopped then."""
    src, dst = rig.file('src', 4 << 20), rig.file('dst', 10)
    child = rig.start(src, f'{HOST}:{dst}')
    server = server_of(child)
    os.kill(server, signal.SIGSTOP)
    change(src, how)
    os.kill(server, signal.SIGCONT)
    check_error(3, [src, how], child.wait(30), child.stderr.read())
    wait_for(lambda: not os.path.exists(f'/proc/{server}'), 'the end of the server')
    same((dst.stat().st_size, sorted(os.listdir(rig.dir))), (10, ['dst', 'src']), 'the target')


@case('io_uring is forbidden: threads take over')
def forbidden(rig):
    how = [rig.helper('deny'), 'uring']
    rig.file('src', 300001)
    for target in ('dst', f'{HOST}:{rig.path("dst")}'):
        done = rig.run('--stats', 'src', target, how=how)
        same((done.returncode, done.stderr), (0, b''), 'the copy')
        check(b'threads (io_uring is forbidden here)' in done.stdout, done.stdout)
        same(rig.path('dst').read_bytes() == rig.path('src').read_bytes(), True, 'the copy')
    rig.bad(7, ['--io', 'not permitted'], '--io=uring', 'src', 'dst', how=how)


def interrupted(rig, child, number, quick=5):
    time.sleep(0.3)
    began = time.monotonic()
    child.send_signal(number)
    check_error(130, ['interrupted'], child.wait(30), child.stderr.read())
    check(time.monotonic() - began < quick, 'it took its time')


@cases([f'{number.name}, {way}' for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for way in ('local', 'push', 'pull')])
def interrupted_by(rig, name):
    number, way = name.split(', ')
    if way == 'pull':
        src, dst, old = f'{HOST}:{rig.file("src", 8 << 20)}', '-', None
    else:
        old = rig.file('old', 10)
        src, dst = '-', place(way, '', old)[1]
    child = rig.start(src, dst, stdin=-1, stdout=-1)
    if old:
        child.stdin.write(bytes(3 << 20))
        child.stdin.flush()
    server = None if way == 'local' else server_of(child)
    interrupted(rig, child, getattr(signal, number))
    if server:
        wait_for(lambda: not os.path.exists(f'/proc/{server}'), 'the end of the server')
    same(os.listdir(rig.dir), ['old'] if old else ['src'], 'the directory')
    check(not old or old.stat().st_size == 10, 'the old target is gone')
    child.stdin.close()


@cases(['source', 'target'])
def interrupted_while_a_FIFO_opens(rig, name):
    os.mkfifo(rig.path('fifo'))
    rig.file('src', 10)
    args = ['fifo', 'dst'] if name == 'source' else ['src', 'fifo']
    interrupted(rig, rig.start(*args), signal.SIGINT)


if __name__ == '__main__':
    main()
