#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fabrics.py - copies over every fabric and over several connections; peers that stand still."""
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time
from protocol import (ERROR, HELLO, READY, accept, frame, message, offer, offered_addresses,
                      receive, request, serve, words)
from rig import (CHUNK, HOST, Skip, case, cases, check, check_error, digest, main, same,
                 same_contents, wait_for)
from service import links_of

FABRICS = ['tcp', 'ofi:tcp', 'tcp;ofi_rxm', 'net', 'sockets', 'shm']
SIZES = [0, 1, 4097, 5 * CHUNK + 3]


def quiet_leaks(fabric):
    """libfabric's net provider leaks what it connects with."""
    return dict(os.environ, ASAN_OPTIONS='detect_leaks=0') if fabric == 'net' else None


def ends(rig, way, src='src', dst='dst'):
    return (f'{HOST}:{rig.path(src)}' if way == 'pull' else rig.path(src),
            f'{HOST}:{rig.path(dst)}' if way == 'push' else rig.path(dst))


def copied(rig, way, *options, **more):
    done = rig.good(*options, *ends(rig, way), **more)
    same(digest(rig.path('dst')), digest(rig.path('src')), f'{way} {options}')
    rig.path('dst').unlink()
    return done


@cases([f'{fabric}, {way}' for fabric in FABRICS for way in ('push', 'pull')])
def fabric(rig, name):
    fabric, way = name.split(', ')
    for size in SIZES[1:] if rig.sanitized else SIZES:
        rig.file('src', size)
        copied(rig, way, '--fabric', fabric, env=quiet_leaks(fabric))


@cases([f'{fabric}, {way}' for fabric in FABRICS for way in ('push', 'pull')])
def not_sealed(rig, name):
    fabric, way = name.split(', ')
    for size, chunk, depth in ((5 * 4096 + 1, '4K', 3), (9 * CHUNK + 5, '1M', 8)):
        rig.file('src', size)
        done = copied(rig, way, '--seal', 'none', '--chunk', chunk, '--depth', depth, '--fabric',
                      fabric, '--stats=json', env=quiet_leaks(fabric))
        same(json.loads(done.stdout)['sealed'], False, 'sealed')


@cases([f'{fabric}, {way}' for fabric in FABRICS for way in ('push', 'pull')])
def a_gibibyte_and_a_byte(rig, name):
    fabric, way = name.split(', ')
    src, dst = rig.gibibyte_and_a_byte()
    rig.good('--fabric', fabric, '--direct', 'never', *ends(rig, way, src, dst))
    same_contents(dst, src)


@cases([f'{fabric}, {rails} rails, {way}' for fabric in ('tcp', 'ofi:tcp', 'tcp;ofi_rxm', 'shm')
        for rails, way in ((2, 'push'), (8, 'pull'))])
def rails(rig, name):
    fabric, rails, way = name.replace(' rails', '').split(', ')
    rig.file('src', 40 * 65536 + 1)
    for seal in ('aes-256-gcm', 'none'):
        done = copied(rig, way, '--fabric', fabric, '--rails', rails, '--chunk', '64K', '--seal',
                      seal, '--stats=json')
        same(json.loads(done.stdout)['rails'], int(rails), 'rails')


@case('rails of several kinds take turns')
def mixed_rails(rig):
    rig.file('src', 9 * 65536 + 1)
    done = copied(rig, 'push', '--fabric', 'tcp,tcp;ofi_rxm,shm', '--rails', '4', '--chunk', '64K',
                  '--stats=json')
    same(json.loads(done.stdout)['fabric'], 'tcp,ofi:tcp;ofi_rxm,ofi:shm', 'the fabric')


@case('auto says what it took and why')
def auto(rig):
    rig.file('src', 5000)
    done = rig.run('--fabric', 'auto', '--stats=json', *ends(rig, 'push'))
    same(done.returncode, 0, 'exit code')
    stats = json.loads(done.stdout)
    check(stats['fabric_why'], 'no reason')
    same(done.stderr.decode(), f"decant: fabric {stats['fabric']}: {stats['fabric_why']}\n",
         'standard error')
    same(rig.good('--fabric', 'auto', '-q', *ends(rig, 'push')).stderr, b'', 'with --quiet')
    # Who did not ask is told in the statistics only.
    done = rig.good('--stats=json', *ends(rig, 'push'))
    same(json.loads(done.stdout)['fabric_why'], stats['fabric_why'], 'the same reason')


@case('auto takes shared memory only from the same user of the same machine')
def auto_elsewhere(rig):
    if os.geteuid():
        raise Skip('needs root')
    rig.file('src', 5000)
    rig.path('rsh').write_text(f'#!/bin/sh\nshift\nexec unshare --pid --fork sh -c "$*"\n')
    rig.path('rsh').chmod(0o755)
    done = rig.good('--rsh', rig.path('rsh'), '--remote-decant', rig.decant, '--stats=json',
                    *ends(rig, 'push'))
    same(json.loads(done.stdout)['fabric'], 'tcp', 'the fabric')


@case('auto takes no shared memory where none can be made')
def auto_without_memory(rig):
    how = ['unshare', '--mount', 'sh', '-c',
           'mount -t tmpfs -o mode=755 none /dev/shm && exec "$@"', 'sh', *rig.as_nobody()]
    if os.geteuid():
        raise Skip('needs root')
    if subprocess.run([*how, 'true'], stderr=-3, check=False).returncode:
        raise Skip('may not mount')
    rig.file('src', 5000)
    done = rig.good('--stats=json', *ends(rig, 'push'), how=how)
    same(json.loads(done.stdout)['fabric'], 'tcp', 'the fabric')


REFUSED = {
    'verbs:nonesuch': (5, ['verbs:nonesuch', 'RDMA device nonesuch']),
    'tcp:eth0': (5, ["tcp has no device 'eth0'"]),
    'ofi:nonesuch': (5, ['nonesuch', '"shm" (rdm)']),
}


@cases(REFUSED)
def no_such_fabric(rig, name):
    rig.file('src', 10)
    for way in ('push', 'pull'):
        rig.bad(REFUSED[name][0], REFUSED[name][1], '--fabric', name, *ends(rig, way))


@cases(['tcp, push', 'tcp;ofi_rxm, pull', 'shm, push'])
def the_server_is_stopped(rig, name):
    fabric, way = name.split(', ')
    child, server = rig.stays_open(way, '--fabric', fabric, '--timeout', '1')
    os.kill(server, signal.SIGSTOP)
    # Progress of a pull ends where the pipe is full: drain it.
    if way == 'pull':
        threading.Thread(target=lambda: child.stdout.read(), daemon=True).start()
    code = child.wait(60)
    os.kill(server, signal.SIGKILL)
    text = child.stderr.read().decode()
    same(code, 5, f'exit code, with {text!r}')
    check('no sign of life for 1 s' in text, text)
    check(not rig.path('dst').exists(), 'there is a target')


@cases(['tcp', 'shm'])
def the_client_is_stopped(rig, fabric):
    child, server = rig.stays_open('push', '--fabric', fabric, '--timeout', '1')
    child.send_signal(signal.SIGSTOP)
    wait_for(lambda: not os.path.exists(f'/proc/{server}'), 'the end of the server', 30)
    child.send_signal(signal.SIGCONT)
    child.stdin.close()
    check_error(5, [HOST, 'no sign of life'], child.wait(60), child.stderr.read())
    check(not rig.path('dst').exists(), 'there is a target')


@case('whoever is slow but alive is waited for')
def slow_source(rig):
    child = rig.start('--timeout', '1', '--fabric', 'tcp', '-', f'{HOST}:{rig.path("dst")}',
                      stdin=-1)
    child.stdin.write(b'a')
    child.stdin.flush()
    time.sleep(3)
    child.stdin.write(b'b')
    child.stdin.close()
    same(child.wait(60), 0, 'exit code')
    same(rig.path('dst').read_bytes(), b'ab', 'what arrived')


def reach(rig):
    """A server that waits for its connection: it, where it listens, and its token."""
    server = serve(rig)
    server.stdin.write(HELLO + request(os.fsencode(rig.path('dst')), fabric=b'tcp'))
    server.stdin.flush()
    receive(server, 1)
    address = offered_addresses(receive(server, 3))[0]
    host, port = address[32:-1].decode().split(' ')
    server.stdin.write(accept(b''))
    server.stdin.flush()
    return server, (host, int(port)), address[:32]


def stranger(at, data):
    with socket.create_connection(at) as other:
        try:
            other.sendall(data)
            other.shutdown(socket.SHUT_WR)
            same(other.recv(1), b'', 'what a stranger gets')
        except OSError:
            pass


@case('who connects and does not know the token is sent away')
def strangers(rig):
    server, at, token = reach(rig)
    silent = [socket.create_connection(at) for _ in range(50)]
    for data in (b'', token[:31], bytes(32), token[:31] + bytes([token[31] ^ 1]), bytes(100000)):
        stranger(at, data)
    with socket.create_connection(at) as friend:
        friend.sendall(token[:7])
        server.stdin.write(message(READY))  # it overtakes the rest
        server.stdin.flush()
        time.sleep(0.7)
        friend.sendall(token[7:])
        receive(server, READY)
    for other in silent:
        other.close()
    server.stdin.close()
    server.wait(30)
    same(os.listdir(rig.dir), [], 'the directory')


@case('a server that is told to end while it waits for its connection ends')
def ended_early(rig):
    server, _, _ = reach(rig)
    time.sleep(0.3)
    server.terminate()
    same(server.wait(10), 130, 'exit code')
    receive(server, ERROR)
    same(os.listdir(rig.dir), [], 'the directory')


def deaf(rig):
    """A port where connections are begun, and nobody answers."""
    listener = socket.create_server(('127.0.0.1', 0), backlog=0)
    ends = [listener] + [socket.socket() for _ in range(3)]
    rig.undo.extend(end.close for end in ends)
    for end in ends[1:]:
        end.setblocking(False)
        end.connect_ex(listener.getsockname())
    return listener.getsockname()[1]


def connects(pid, port):
    """Whether the process waits for an answer from there."""
    inodes = {link[8:-1] for link in links_of(pid) if link.startswith('socket:[')}
    with open('/proc/net/tcp', encoding='ascii') as file:
        return any(line[2].endswith(f':{port:04X}') and line[3] == '02' and line[9] in inodes
                   for line in map(str.split, file))


def connecting(rig, fabric, **more):
    """A copy that waits for a connection that is never answered, and the port of it."""
    port = deaf(rig)
    address = {'tcp': bytes(32) + f'127.0.0.1 {port}'.encode() + b'\0',
               'ofi:tcp': struct.pack('=H', socket.AF_INET) + struct.pack('!H4s8x', port,
                                                                         b'\x7f\0\0\1')}
    rig.path('said').write_bytes(HELLO + offer(address[fabric]))
    rig.path('rsh').write_text(f"#!/bin/sh\ncat {rig.path('said')}\nexec cat >/dev/null\n")
    rig.path('rsh').chmod(0o755)
    rig.file('src', 100)
    child = rig.start('--rsh', rig.path('rsh'), '--fabric', fabric, 'src', f'{HOST}:dst', **more)
    return child, port


def ends_interrupted(child):
    """Long before the connection would be given up."""
    check_error(130, ['interrupted by signal 2'], child.wait(15), child.stderr.read())


@cases(['tcp', 'ofi:tcp'])
def interrupted_while_it_connects(rig, fabric):
    child, port = connecting(rig, fabric)
    wait_for(lambda: connects(child.pid, port), 'the connection')
    child.send_signal(signal.SIGINT)
    ends_interrupted(child)


@cases(['tcp', 'ofi:tcp'])
def stopped_while_it_connects(rig, fabric):
    child, port = connecting(rig, fabric)
    for _ in range(3):
        wait_for(lambda: connects(child.pid, port), 'the connection')
        time.sleep(0.2)
        child.send_signal(signal.SIGSTOP)
        child.send_signal(signal.SIGCONT)
    wait_for(lambda: connects(child.pid, port), 'the connection')
    same(child.poll(), None, 'exit code')
    child.send_signal(signal.SIGINT)
    ends_interrupted(child)


@case('a signal that comes just before the wait for a connection is not lost')
def interrupted_early(rig):
    child, _ = connecting(rig, 'tcp', env=dict(os.environ, LD_PRELOAD=rig.helper('late')))
    ends_interrupted(child)


NOTE = struct.pack('<QQQQ', 1, 0, 100, 1)
FRAMES = {
    'an unknown kind': frame(3, 0, b'x'),
    'nothing': frame(2, 0, b''),
    'a write past the slots': frame(2, 8192, b'x'),
    'a write that reaches past the slots': frame(2, 8000, bytes(193)),
    'a write before the slots': frame(2, (1 << 64) - 1, b'xx'),
    'a write of 2^63 bytes': frame(2, 0, b'', 1 << 63),
    'a message that is too long': frame(1, 0, bytes(33)),
    'a message of 2^63 bytes': frame(1, 0, b'', 1 << 63),
    'a note of an unknown type': frame(1, 0, words(7, 0, 100, 1)),
    'a note of a chunk that is too long': frame(1, 0, words(1, 0, 4097, 1)),
    'a note of a chunk that has no slot': frame(1, 0, words(1, 1, 100, 1)),
    'a note twice': frame(1, 0, words(1, 0, 4096, 0)) * 2,
    'a credit to the receiver': frame(1, 0, words(2, 0, 0, 0)),
    'half a header': frame(2, 0, b'x')[:10],
    'a chunk that nobody sealed': frame(2, 0, bytes(116)) + frame(1, 0, NOTE),
}


@cases(FRAMES)
def the_server_gets(rig, name):
    server, at, token = reach(rig)
    with socket.create_connection(at) as other:
        other.sendall(token)
        receive(server, READY)
        server.stdin.write(message(READY))
        server.stdin.flush()
        other.sendall(FRAMES[name])
        if 'half' in name:
            other.shutdown(socket.SHUT_WR)
        code = server.wait(30)
    same(code, 6 if 'sealed' in name else 5, 'exit code')
    receive(server, ERROR)
    same(server.stderr.read(), b'', 'standard error')
    same(os.listdir(rig.dir), [], 'the directory')


if __name__ == '__main__':
    main()
