#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""peers.py - the other side dies, lies, or is reached through a real ssh."""
import os
import pathlib
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from protocol import HELLO, accept, garbage, request, serve
from rig import (CHUNK, HOST, Skip, case, cases, check, check_error, descendants, digest, main,
                 same, server_of, wait_for)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'tools'))
from sshd import Sshd, Unavailable  # noqa: E402

FABRICS = ['tcp', 'tcp;ofi_rxm', 'ofi:tcp', 'sockets', 'shm']


def begin(rig, way, provider):
    """As stays_open, onto an old file."""
    if way == 'push':
        rig.file('old', 10)
    return rig.stays_open(way, '--fabric', provider, dst='old')


def no_debris(rig):
    names = os.listdir(rig.dir)
    check(names in (['old'], ['src']), f'the directory: {names}')
    check('old' not in names or rig.path('old').stat().st_size == 10, 'the old target')


def without_shell(stderr):
    """What a shell between the two says about a process that was killed is not ours."""
    return stderr.removeprefix(b'Killed\n')


def shared(pid, since):
    """What a process left in shared memory; numbers come back, so older things are not its."""
    return [name for name in os.listdir('/dev/shm') if name.startswith(f'{pid}:') and
            os.stat(f'/dev/shm/{name}').st_mtime >= since]


@cases([f'{provider}, {way}' for provider in FABRICS for way in ('push', 'pull')])
def server_is_killed(rig, name):
    provider, way = name.split(', ')
    since = time.time() - 1
    child, server = begin(rig, way, provider)
    began = time.monotonic()
    os.kill(server, signal.SIGKILL)
    check_error(5, [HOST], child.wait(30), without_shell(child.stderr.read()))
    check(time.monotonic() - began < 6, 'it took its time')
    no_debris(rig)
    same(shared(child.pid, since), [], 'shared memory')
    child.stdin.close()


@cases([f'{provider}, {way}' for provider in FABRICS for way in ('push', 'pull')])
def client_is_killed(rig, name):
    provider, way = name.split(', ')
    since = time.time() - 1
    child, server = begin(rig, way, provider)
    child.kill()
    child.wait()
    wait_for(lambda: not os.path.exists(f'/proc/{server}'), 'the end of the server', 6)
    no_debris(rig)
    same(child.stderr.read(), b'', 'what the server says')
    same(shared(server, since), [], 'shared memory')
    child.stdin.close()


@case('the server is killed while the client waits for it')
def killed_early(rig):
    rig.file('src', 100)
    child = rig.start(rig.path('src'), f'{HOST}:{rig.path("dst")}')
    server = server_of(child)
    os.kill(server, signal.SIGKILL)
    check_error(5, [HOST, 'ended'], child.wait(30), without_shell(child.stderr.read()))


@case('a client that goes when all is sent and nothing has arrived')
def short_pull(rig):
    """The whole file fits into what was granted; the server only waits for its writes."""
    rig.file('src', 5000)
    rig.path('dir').mkdir()
    for _ in range(3):
        child = rig.start('--fabric', 'tcp;ofi_rxm', f'{HOST}:{rig.path("src")}', 'dir/no/dst')
        server = server_of(child)
        same(child.wait(30), 4, 'exit code')
        wait_for(lambda pid=server: not os.path.exists(f'/proc/{pid}'), 'the end of it', 6)


@case('where every file has a name, a draft leaves no debris either')
def named_draft(rig):
    how = [rig.helper('deny'), 'tmpfile']
    rig.file('src', 100001)
    rig.file('dst', 10)
    rig.good('src', 'dst', how=how)
    rig.good('src', f'{HOST}:new', how=how)
    same(digest(rig.path('dst')), digest(rig.path('src')), 'the copy')
    for target in ('dst', f'{HOST}:{rig.path("dst")}'):
        child = rig.start('-', target, stdin=-1, how=how)
        wait_for(lambda: len(os.listdir(rig.dir)) == 4, 'the draft')
        child.terminate()
        same(child.wait(20), 130, 'exit code')
        wait_for(lambda: len(os.listdir(rig.dir)) == 3, 'the end of the draft')
        child.stdin.close()
    same(digest(rig.path('dst')), digest(rig.path('src')), 'the old target')
    rig.bad(3, ['reset'], '-', 'dst', how=how, stdin=reset_socket(rig))


def reset_socket(rig):
    """A socket with a few bytes in it and then a reset."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        rig.undo.append(client.close)
        server = listener.accept()[0]
        server.sendall(b'x' * 1000)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        server.close()
        return client


@cases(['tcp', 'ofi:tcp'])
def client_vanishes_before_it_connects(rig, name):
    fabric = name.encode()
    server, path = serve(rig), os.fsencode(rig.path('dst'))
    server.stdin.write(HELLO + request(path, fabric=fabric) + accept(b''))
    server.stdin.flush()
    while select.select([server.stdout], [], [], 2)[0]:
        check(os.read(server.stdout.fileno(), 65536), 'the server ended')
    server.stdin.close()
    began = time.monotonic()
    server.wait(40)
    check(time.monotonic() - began < 6, f'{time.monotonic() - began:.0f} s')
    same(os.listdir(rig.dir), [], 'the directory')


GARBAGE = garbage(lambda path, **more: HELLO + request(path, **more)) | {
    'nothing': b'',
    'half a message': HELLO + request(b'x')[:50],
    'an unknown provider': HELLO + request(b'dst', fabric=b'\xff\n%s'),
    'no rails': HELLO + request(b'dst', rails=0),
    'more rails than there may be': HELLO + request(b'dst', rails=9),
    'fewer addresses than rails': HELLO + request(b'dst', rails=2) + accept(b''),
    'a timeout of 2^40': HELLO + request(b'dst', timeout=1 << 40),
    'an address that is none': HELLO + request(b'dst', fabric=b'tcp;ofi_rxm') +
                               accept(b'\xff' * 200),
}


@cases(GARBAGE)
def server_gets(rig, name):
    server = subprocess.run([rig.decant, 'serve', '--stdio'], input=GARBAGE[name], timeout=20,
                            cwd=rig.dir, capture_output=True, check=False)
    check(server.returncode in (2, 4, 5, 7), f'exit code {server.returncode}')
    same(server.stderr, b'', 'standard error')
    same(os.listdir(rig.dir), [], 'the directory')


TAMPERING = {'bit': 6, 'tag': 6, 'replay': 6, 'swap': 6, 'last': 6, 'len': 6, 'past': 5}


@cases([f'{what}, {way}' for what in TAMPERING for way in ('push', 'pull')])
def tampering(rig, name):
    if rig.sanitized:
        raise Skip('preloading does not go with sanitizers')
    what, way = name.split(', ')
    rig.file('src', 5 * 4096 + 1)
    rig.file('dst', 10)
    src, dst = (str(rig.path(name)) for name in ('src', 'dst'))
    env = dict(os.environ, LD_PRELOAD=rig.helper('tamper'), DECANT_TAMPER=what)
    reason = 'not authentic' if TAMPERING[what] == 6 else 'makes no sense'
    # Notes are changed where libfabric takes them.
    rig.bad(TAMPERING[what], [reason], '--chunk', '4K', '--fabric', 'tcp;ofi_rxm',
            f'{HOST}:{src}' if way == 'pull' else src,
            f'{HOST}:{dst}' if way == 'push' else dst, env=env)
    same(rig.path('dst').stat().st_size, 10, 'the old target')
    env['DECANT_TAMPER'] = 'nothing'
    if what == 'bit':
        rig.good(src, f'{HOST}:{dst}', env=env)


@case('ssh may ask on the terminal; an interrupt there ends both sides')
def terminal(rig):
    rig.path('rsh').write_text(f'#!/bin/sh\nread answer </dev/tty\nexec {rig.rsh} "$@"\n')
    rig.path('rsh').chmod(0o755)
    rig.file('src', 5000)
    args = ['--quiet', '--rsh', rig.path('rsh'), '--remote-decant', rig.decant]
    pid, master = pty.fork()
    if not pid:
        os.execv(rig.decant, rig.command(*args, rig.path('src'), f'h:{rig.path("dst")}'))
    rig.undo.append(lambda: os.close(master))
    time.sleep(0.5)
    os.write(master, b'password\n')
    end, status = time.monotonic() + 20, (0, 0)
    while not status[0] and time.monotonic() < end:
        status = os.waitpid(pid, os.WNOHANG)
        time.sleep(0.05)
    if not status[0]:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    same(status[1], 0, 'status')
    check(status[0], 'it was stopped')
    same(digest(rig.path('dst')), digest(rig.path('src')), 'the copy')


def start_sshd(rig):
    try:
        server = Sshd(rig.dir)
    except Unavailable as reason:
        raise Skip(str(reason)) from reason
    rig.undo.append(server.stop)
    return server


@case('a name in shared memory that a killed process of the same number left')
def left_name(rig):
    left = pathlib.Path('/dev/shm/1:0:0')
    how = ['unshare', '--pid', '--fork']
    if os.geteuid() or subprocess.run([*how, 'true'], stderr=-3, check=False).returncode:
        raise Skip('needs root and name spaces')
    target = f'{HOST}:{rig.path("dst")}'
    child = rig.start('--fabric', 'shm', '-', target, how=how, stdin=-1, stdout=-1)
    rig.undo.append(child.stdin.close)
    rig.undo.append(lambda: left.unlink(missing_ok=True))
    child.stdin.write(bytes(3 * CHUNK))
    child.stdin.flush()
    os.kill(next(descendants(child.pid)), signal.SIGKILL)
    child.wait()
    check(left.exists(), 'it was killed and left nothing')
    rig.file('src', 10)
    # Somebody else's may not even be opened.
    for user, name in (([], 'dst'), (rig.as_nobody(), 'dst2')):
        rig.good('--fabric', 'shm', rig.path('src'), f'{HOST}:{rig.path(name)}',
                 how=[*how, *user])
        same(digest(rig.path(name)), digest(rig.path('src')), 'the copy')


@case('through a real ssh, both ways')
def real_ssh(rig):
    server = start_sshd(rig)
    probe = subprocess.run([*server.ssh(), server.host, rig.decant, '--version'],
                           capture_output=True, check=False)
    if probe.returncode:
        raise Skip('ssh does not get in: ' + probe.stderr.decode()[-100:].strip())
    host, rsh = server.host, ' '.join(server.ssh())
    options = ['--rsh', rsh, '--remote-decant', rig.decant]
    rig.file('src', 3 * CHUNK + 5)
    rig.good(*options, rig.path('src'), f'{host}:{rig.path("dst $x")}')
    rig.good(*options, f'{host}:{rig.path("dst $x")}', rig.path('back'))
    same(digest(rig.path('back')), digest(rig.path('src')), 'what came back')
    rig.bad(3, [rig.path('none'), host, 'No such file'], *options,
            f'{host}:{rig.path("none")}', 'x')


if __name__ == '__main__':
    main()
