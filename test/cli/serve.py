#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""serve.py - `decant serve --listen`, and the keys for it. What is done to the connection is in
hostile.py."""
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
from rig import (CHUNK, HOST, Skip, case, cases, check, check_error, digest, main, same,
                 same_contents)
from service import Service

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


SIZES = [0, 1, 4096, 4097, 3 * CHUNK, 5 * CHUNK + 4097]
FABRICS = {'tcp': SIZES, 'ofi': [4097, 3 * CHUNK], 'auto': [4097]}


@cases([f'{way}, {fabric}, {size}' for way in ('push', 'pull') for fabric, sizes in FABRICS.items()
        for size in sizes])
def copy_of(rig, name):
    way, fabric, size = name.split(', ')
    service = Service(rig)
    here, there = rig.path('here'), service.root / 'there'
    source, target = (here, there) if way == 'push' else (there, here)
    rig.file(source, int(size)).chmod(0o640)
    os.utime(source, (10 ** 9, 10 ** 9 + 1))
    args = [here, service.url('there')]
    rig.good(*service.options('--fabric', fabric, '--quiet'),
             *(args if way == 'push' else reversed(args)))
    same(digest(target), digest(source), 'the copy')
    same((target.stat().st_mode & 0o7777, target.stat().st_mtime), (0o640, 10 ** 9 + 1),
         'mode and time')
    service.logged('(tester)', 'took' if way == 'push' else 'gave', 'there', f'{size} bytes')
    service.stop()
    same(os.listdir(service.root), ['there'], 'the root')


@cases(['push', 'pull'])
def a_gibibyte_and_a_byte(rig, way):
    src, dst = rig.gibibyte_and_a_byte()
    service = Service(rig, root=src.parent if way == 'pull' else dst.parent)
    ends = [service.url(src.name), dst] if way == 'pull' else [src, service.url(dst.name)]
    rig.good(*service.options(), '--direct', 'never', *ends)
    same_contents(dst, src)


@case('nothing in the clear, but any number of rails')
def plain(rig):
    service = Service(rig)
    rig.file('src', 5 * CHUNK)
    rig.bad(2, ['--seal none', 'listens'], *service.options(), '--seal', 'none', 'src',
            service.url('0'))
    rig.good(*service.options(), '--fabric', 'tcp', '--rails', '3', 'src', service.url('0'))
    same(digest(service.root / '0'), digest(rig.path('src')), 'the copy')
    service.stop()


@cases(['alone', 'over 3 rails', '3 at a time', 'encrypted'])
def io_by_threads(rig, how):
    """Files and connections alike, as io_uring is forbidden: what the thread sanitizer sees."""
    denied = [rig.helper('deny'), 'uring']
    service = Service(rig, how=denied)
    here, nr, push, pull = rig.file('here', 3 * CHUNK + 1), 1, [], []
    if how == 'over 3 rails':
        push = pull = ['--rails', '3']
    elif how == '3 at a time':
        nr = 3
    elif how == 'encrypted':
        recipient = subprocess.run([rig.decant, 'keygen', rig.path('age')], check=True,
                                   capture_output=True, text=True).stdout.strip()
        push, pull = ['--encrypt-to', recipient], ['--decrypt-with', rig.path('age')]
    there, back = ([name(i) for i in range(nr)] for name in
                   (lambda i: service.url(f'there{i}'), lambda i: str(rig.path(f'back{i}'))))
    for more, sources, targets in ((push, [here] * nr, there), (pull, there, back)):
        children = [rig.start(*service.options(), '--chunk', '64K', *more, *ends, how=denied)
                    for ends in zip(sources, targets)]
        for child in children:
            same((child.wait(120), child.stderr.read()), (0, b''), 'a copy')
    for name in back:
        same(digest(name), digest(here), name)
    service.stop()


@case('several copies, one after the other and at a time')
def several(rig):
    service = Service(rig, '--max-connections', '3')
    rig.file('src', 2 * CHUNK + 1)
    rig.good(*service.options(), 'src', service.url('0'))
    children = [rig.start(*service.options(), rig.path('src'), service.url(f'{i}'))
                for i in range(1, 4)]
    for child in children:
        same((child.wait(60), child.stderr.read()), (0, b''), 'a copy')
    for i in range(4):
        same(digest(service.root / str(i)), digest(rig.path('src')), f'copy {i}')
    service.idle()


@case('into a directory, over an old file, from and to a pipe')
def kinds_of_target(rig):
    service = Service(rig)
    rig.file('src', 70001)
    (service.root / 'dir').mkdir()
    (service.root / 'old').write_text('old')
    rig.good(*service.options(), 'src', service.url(''))
    rig.good(*service.options(), 'src', service.url('dir'))
    rig.good(*service.options(), 'src', service.url('dir/'))
    rig.good(*service.options(), 'src', service.url('old'))
    rig.good(*service.options(), '-', service.url('dir/piped'), input=b'x' * 100)
    for name in ('src', 'dir/src', 'old'):
        same(digest(service.root / name), digest(rig.path('src')), name)
    same((service.root / 'dir/piped').read_bytes(), b'x' * 100, 'from the pipe')
    done = rig.good(*service.options(), service.url('src'), '-')
    same(done.stdout, rig.path('src').read_bytes(), 'to the pipe')


@cases(['push', 'pull'])
def what_is_under_way_finishes(rig, way):
    service = Service(rig)
    child = service.stays_open(way)
    service.process.send_signal(signal.SIGTERM)
    service.logged('stopping')
    with socket.socket() as late:
        check(late.connect_ex(('127.0.0.1', service.port)), 'it still listens')
    if way == 'push':
        child.stdin.write(b'end')
        child.stdin.close()
    else:
        same(1000 + len(child.stdout.read()), 40 * CHUNK, 'what came')
    same((child.wait(30), child.stderr.read()), (0, b''), 'the copy')
    same(service.process.wait(30), 0, 'exit code')
    if way == 'push':
        same((service.root / 'file').stat().st_size, 2 * CHUNK + 3, 'the file')


@cases([f'{way}, {how}' for way in ('push', 'pull') for how in ('no time', 'a second signal')])
def what_does_not_finish_is_rolled_back(rig, name):
    way, how = name.split(', ')
    service = Service(rig, '--grace', '0' if how == 'no time' else '600')
    child = service.stays_open(way)
    service.process.send_signal(signal.SIGTERM)
    if how != 'no time':
        service.logged('stopping')
        service.process.send_signal(signal.SIGTERM)
    same(service.process.wait(30), 0, 'exit code')
    if way == 'pull':
        child.stdout.read()
    check_error(5, ['127.0.0.1', 'the server was stopped'], child.wait(30), child.stderr.read())
    same(os.listdir(service.root), ['file'] if way == 'pull' else [], 'the root')
    child.stdin.close()


@case('a client that is stopped gives its place to others')
def stopped_client(rig):
    service = Service(rig, '--max-connections', '1', '--timeout', '1')
    child = service.stays_open('push', '--timeout', '600')
    child.send_signal(signal.SIGSTOP)
    service.logged('(tester)', 'push of file', 'no sign of life for 1 s')
    service.idle()
    rig.file('src', 10)
    rig.good(*service.options(), 'src', service.url('x'))
    same(os.listdir(service.root), ['x'], 'the root')
    child.send_signal(signal.SIGCONT)
    child.stdin.close()
    check_error(5, ['127.0.0.1', 'no sign of life'], child.wait(30), child.stderr.read())


@cases(['before anything', 'push', 'pull'])
def stopped_server(rig, when):
    service = Service(rig, '--timeout', '2')
    if when == 'before anything':
        os.kill(service.process.pid, signal.SIGSTOP)
        rig.file('src', 10)
        done = rig.run(*service.options(), '--timeout', '1', 'src', service.url('x'))
        check_error(5, ['127.0.0.1', 'handshake in time'], done.returncode, done.stderr)
        return
    # The server's patience is the client's, too.
    child = service.stays_open(when)
    for pid in service.children():
        os.kill(pid, signal.SIGSTOP)
    if when == 'pull':
        child.stdout.read()
    check_error(5, ['127.0.0.1', 'no sign of life for 2 s'], child.wait(30), child.stderr.read())
    child.stdin.close()
    for pid in service.children():
        os.kill(pid, signal.SIGCONT)
    service.idle()
    same(os.listdir(service.root), ['file'] if when == 'pull' else [], 'the root')


def free_ports(nr):
    """The first of so many free ones in a row."""
    for low in range(41000, 60000, 7):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(low, low + nr):
                    stack.enter_context(socket.create_server(('127.0.0.1', port)))
                return low
            except OSError:
                pass
    raise Skip('no free ports')


def ranged(rig, nr, *options):
    low = free_ports(nr)
    service = Service(rig, '--data-ports', f'{low}-{low + nr - 1}' if nr > 1 else str(low),
                      *options)
    return service, set(range(low, low + nr))


@cases([f'{fabric}, {way}' for fabric in ('tcp', 'ofi:tcp', 'auto')
        for way in ('push', 'pull')])
def data_ports(rig, name):
    """The server has the control connection and these, while a copy goes on and before."""
    fabric, way = name.split(', ')
    service, ports = ranged(rig, 2, '--read-only' if way == 'pull' else '--grace=1')
    # Or auto takes shared memory.
    child = service.stays_open(way, *(['--rails', '2'] if fabric == 'tcp' else []),
                       fabric=fabric)
    seen = service.ports()
    check(seen <= ports | {service.port}, f'{seen}, not {ports}')
    check(seen & ports or fabric == 'auto', 'no connection for the data')
    child.stdin.close()
    if way == 'pull':
        child.stdout.read()
    same((child.wait(60), child.stderr.read()), (0, b''), 'the copy')
    service.idle()


@case('one port for the data of many')
def one_port(rig):
    service, _ = ranged(rig, 1)
    rig.file('src', 2 * CHUNK + 1)
    long = service.stays_open('push')
    children = [rig.start(*service.options(), rig.path('src'), service.url(f'{i}'))
                for i in range(6)]
    for i, child in enumerate(children):
        same((child.wait(60), child.stderr.read()), (0, b''), 'a copy')
        same(digest(service.root / str(i)), digest(rig.path('src')), f'copy {i}')
    long.stdin.close()
    same(long.wait(60), 0, 'the first')


@case('ports that are all taken, or too few, and fabrics that take any')
def no_port(rig):
    service, ports = ranged(rig, 1)
    rig.file('src', 10)
    done = rig.run(*service.options(), '--rails', '2', 'src', service.url('x'))
    check_error(5, ['--rails 2', 'only 1'], done.returncode, done.stderr)
    for fabric in ('sockets', 'tcp;ofi_rxm', 'net'):
        done = rig.run(*service.options('--fabric', fabric), 'src', service.url('x'))
        check_error(5, ['--data-ports', 'tcp can'], done.returncode, done.stderr)
    with socket.create_server(('127.0.0.1', *ports)):
        done = rig.run(*service.options(), 'src', service.url('x'))
        check_error(7, [f'--data-ports {min(ports)}', 'taken'], done.returncode, done.stderr)
    rig.good(*service.options(), 'src', service.url('y'))
    same(os.listdir(service.root), ['y'], 'the root')


def two_hosts(rig):
    """Two hosts on a wire; the server's firewall lets in what is given. How to run on each."""
    names = [f'decant-{os.getpid()}-{side}' for side in ('server', 'client')]
    def ip(*args):
        done = subprocess.run(['ip', *args], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Skip(f'ip {args[0]}: {done.stderr.strip()}')
    if os.geteuid() or not shutil.which('ip') or not shutil.which('nft'):
        raise Skip('needs root, ip and nft')
    for name in names:
        ip('netns', 'add', name)
        rig.undo.append(lambda name=name: ip('netns', 'del', name))
    ip('-n', names[0], 'link', 'add', 'wire', 'type', 'veth', 'peer', 'wire', 'netns', names[1])
    for i, name in enumerate(names, 1):
        ip('-n', name, 'addr', 'add', f'192.0.2.{i}/24', 'dev', 'wire')
        ip('-n', name, 'link', 'set', 'wire', 'up')
        ip('-n', name, 'link', 'set', 'lo', 'up')
    return [['ip', 'netns', 'exec', name] for name in names]


def firewall(host, incoming):
    done = subprocess.run([*host, 'nft', '-f', '-'], text=True, check=False, capture_output=True,
                          input='flush ruleset\ntable inet t {\nchain c {\ntype filter hook '
                                'input priority 0; policy drop;\niif lo accept\n'
                                f'ct state established accept\n{incoming}\n}}\n}}\n')
    if done.returncode:
        raise Skip(f'nft: {done.stderr.strip()}')


@case('through a firewall')
def through_a_firewall(rig):
    server, client = two_hosts(rig)
    firewall(server, 'tcp dport { 7326, 7400-7401 } accept')
    firewall(client, '')
    service = Service(rig, '--listen', '192.0.2.1:7326', '--data-ports', '7400-7401', how=server)
    rig.file('src', 3 * CHUNK + 1)
    options = ['--key-file', service.key, '--quiet']
    for more in (['--fabric', 'tcp', '--rails', '2'], ['--fabric', 'ofi:tcp']):
        rig.good(*options, *more, 'src', 'decant://192.0.2.1/dst', how=client)
        same(digest(service.root / 'dst'), digest(rig.path('src')), 'the copy there')
        rig.good(*options, *more, 'decant://192.0.2.1/dst', 'back', how=client)
        same(digest(rig.path('back')), digest(rig.path('src')), 'the copy back')
    for verdict in ('drop', 'reject with tcp reset', 'reject'):
        firewall(server, f'tcp dport 7326 accept\ntcp dport 7400-7401 {verdict}')
        done = rig.run(*options, '--timeout', '1', '--fabric', 'tcp', 'src',
                       'decant://192.0.2.1/x', how=client)
        check_error(5, ['192.0.2.1 740', 'firewall', '--data-ports'], done.returncode, done.stderr)
        service.idle()
    same(len(re.findall(r'push of x failed: .*192\.0\.2\.1 740[01]: .*has gone', service.log())),
         3, f'where nobody came, in {service.log()}')


@case('the same ports behind a remote shell')
def shell_ports(rig):
    options = rig.forced('--data-ports', str(free_ports(1)))
    rig.file('src', 10)
    rig.good(*options, '--fabric', 'tcp', 'src', f'{HOST}:{rig.path("dst")}')
    rig.bad(5, ['--data-ports', 'tcp can'], *options, '--fabric', 'sockets', 'src',
            f'{HOST}:{rig.path("x")}')


if __name__ == '__main__':
    main()
