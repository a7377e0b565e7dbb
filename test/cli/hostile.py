#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hostile.py - `decant serve --listen` among people who have no key, the wrong one, a hand on
the network, or the right key and bad intentions."""
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from protocol import HELLO, garbage, message, request
from rig import Skip, case, cases, check, check_error, digest, main, same
from service import Proxy, Service, cutter, flipper, recorder

OTHER_KEY = 'ab' * 32


def tester_key(service):
    return re.search(r'tester:(\w+)', service.key.read_text())[1]


def key_file(rig, name, text, mode=0o600):
    path = rig.path(name)
    path.write_text(text)
    path.chmod(mode)
    return path


def push(rig, service, port=None, key=None, **more):
    return rig.run('--key-file', key or service.key, '--fabric', 'tcp', 'src',
                   service.url('dst', port), **more)


def fails(rig, service, code, words, **how):
    """A push is refused, and there is nothing of it."""
    before = sorted(os.listdir(service.root))
    done = push(rig, service, **how)
    check_error(code, words, done.returncode, done.stderr)
    service.idle()
    same(sorted(os.listdir(service.root)), before, 'the root')
    return done


@cases(['another key of this name', 'another name', 'the name of another key'])
def wrong_key(rig, what):
    service = Service(rig)
    rig.file('src', 100)
    name = 'somebody' if what == 'another name' else 'tester'
    key = tester_key(service) if what == 'another name' else OTHER_KEY
    fails(rig, service, 8, ['127.0.0.1', 'not the same key', name],
          key=key_file(rig, 'wrong', f'{name}:{key}\n'))
    service.logged('refused', 'not the same key', *(['tester'] if name == 'tester' else []))
    same(push(rig, service).returncode, 0, 'with the right key')


@case('a server with several keys')
def several_keys(rig):
    lines = [f'{name}:{digit * 64}' for name, digit in (('ann', '1'), ('bob', '2'))]
    rig.file('src', 100)
    key_file(rig, 'key', '# two\n\n' + '\r\n'.join(lines) + '\n')
    service = Service(rig)
    for line in lines:
        key = key_file(rig, 'one', line)
        same(push(rig, service, key=key).returncode, 0, line)
        service.logged(f'({line[:3]})', 'took')
    fails(rig, service, 8, ['same key'], key=key_file(rig, 'no', f'ann:{"2" * 64}'))


@cases(['0640', '0604', '0620', '0602', '0644'])
def key_file_of_all(rig, mode):
    service = Service(rig)
    rig.file('src', 100)
    service.key.chmod(int(mode, 8))
    fails(rig, service, 8, ['key: ', 'others', mode])
    same(service.log().count('refused'), 0, 'refusals: nobody connects')
    done = subprocess.run([rig.decant, 'serve', '--listen', '127.0.0.1:0', '--key-file',
                           service.key, '--root', service.root], capture_output=True,
                          timeout=20, check=False)
    check_error(8, ['key: ', 'others', mode], done.returncode, done.stderr)


@case('a key file of somebody else, and one that systemd hands out')
def key_file_owner(rig):
    if os.geteuid():
        raise Skip('only root can give files away')
    service = Service(rig)
    rig.file('src', 100)
    os.chown(service.key, 65534, 65534)
    fails(rig, service, 8, ['another user'])
    os.chown(service.key, 0, 0)
    service.key.chmod(0o440)
    env = dict(os.environ, CREDENTIALS_DIRECTORY=str(rig.dir))
    same(push(rig, service, env=env).returncode, 0, 'below the directory of credentials')
    env['CREDENTIALS_DIRECTORY'] += '/x'
    fails(rig, service, 8, ['others'], env=env)


KEY_FILES = {'empty': '', 'comments': '# a\n\n', 'no colon': 'a' * 64, 'no name': ':' + '1' * 64,
             'short': 'a:' + '1' * 63, 'long': 'a:' + '1' * 65, 'no hex': 'a:' + 'g' * 64,
             'colons': 'a:' + '1:' * 32, 'a blank': 'a :' + '1' * 64, 'zero': 'a:\0' + '1' * 64,
             'twice': ('a:' + '1' * 64 + '\n') * 2, 'an identity': 'AGE-SECRET-KEY-1QQ\n',
             'a long name': 'n' * 65 + ':' + '1' * 64, 'binary': '\x7fELF\x80\n' * 10}


@cases(KEY_FILES)
def no_key_file(rig, name):
    rig.file('src', 10)
    key_file(rig, 'bad', KEY_FILES[name])
    rig.bad(8, ['bad: '], '--key-file', 'bad', 'src', 'decant://127.0.0.1:1/x')


@case('key files that are not there, or no files')
def missing_key_file(rig):
    rig.file('src', 10)
    rig.bad(8, ['none: No such'], '--key-file', 'none', 'src', 'decant://127.0.0.1:1/x')
    rig.bad(8, [str(rig.dir)], '--key-file', rig.dir, 'src', 'decant://127.0.0.1:1/x')
    rig.bad(2, ['--key-file'], 'src', 'decant://127.0.0.1:1/x')


def recorded(rig, service):
    """What passes in a copy that works: to the server, and back."""
    ways = [], []
    proxy = Proxy(rig, service.port, *map(recorder, ways))
    same(push(rig, service, proxy.port).returncode, 0, 'a copy through the proxy')
    service.idle()
    proxy.close()
    return tuple(b''.join(way) for way in ways)


def records(data):
    """Where TLS' records begin."""
    at = 0
    while at < len(data):
        yield at
        at += 5 + struct.unpack('>H', data[at + 3:at + 5])[0]


@case('what was recorded is no use to the server')
def replayed(rig):
    service = Service(rig, '--handshake', '2')
    rig.file('src', 5000)
    sent, _ = recorded(rig, service)
    check(rig.path('src').read_bytes()[:64] not in sent, 'the file in the clear')
    check(b'dst' not in sent, 'the path in the clear')
    (service.root / 'dst').unlink()
    for end in [*records(sent)][1:] + [len(sent)]:
        with socket.create_connection(('127.0.0.1', service.port)) as client:
            client.sendall(sent[:end])
            client.shutdown(socket.SHUT_WR)
            hears_end(client)
    service.idle()
    same(os.listdir(service.root), [], 'the root')
    same(service.log().count('took'), 1, 'copies')
    service.logged('refused', 'handshake')


@case('what was recorded is no use to a false server')
def replayed_back(rig):
    service = Service(rig)
    rig.file('src', 5000)
    _, received = recorded(rig, service)
    with socket.create_server(('127.0.0.1', 0)) as listener:
        def answer():
            with listener.accept()[0] as client:
                client.recv(65536)
                client.sendall(received)
                hears_end(client)
        thread = threading.Thread(target=answer)
        thread.start()
        done = push(rig, service, listener.getsockname()[1])
        thread.join(20)
    check(done.returncode in (5, 6, 8), f'exit code {done.returncode}: {done.stderr}')
    same(len(done.stderr.splitlines()), 1, 'lines')


def places(rig, service):
    """
    The records of a copy, each as its way, where it begins and ends, and whether the target was
    in place before: the server's last word says so, and then come the client's statistics and an
    alert from each that it hangs up.
    """
    for way, late, data in zip(('to server', 'to client'), (2, 1), recorded(rig, service)):
        starts = [*records(data)] + [len(data)]
        for i, (start, end) in enumerate(zip(starts, starts[1:])):
            yield way, start, end, i >= len(starts) - 1 - late
    (service.root / 'dst').unlink()


def meddled(rig, service, way, change):
    """A push with the connection changed: it fails, unless it was over already."""
    proxy = Proxy(rig, service.port, **{way.replace(' ', '_'): change})
    done = push(rig, service, proxy.port)
    service.idle()
    proxy.close()
    target = service.root / 'dst'
    whole = target.exists() and digest(target) == digest(rig.path('src'))
    check(whole or not target.exists(), 'a target that is not whole')
    check(done.returncode in (0, 5, 6, 8), f'exit code {done.returncode}: {done.stderr}')
    check(done.returncode or whole, 'it says that it worked')
    check(done.returncode == 0 or len(done.stderr.splitlines()) == 1, done.stderr)
    if target.exists():
        target.unlink()
    same(os.listdir(service.root), [], 'the root')
    return done.returncode


@case('a byte that is changed anywhere on its way')
def changed(rig):
    service = Service(rig, '--handshake', '2')
    rig.file('src', 5000)
    for way, start, end, late in [*places(rig, service)]:
        spots = (start, (start + 5 + end) // 2, end - 1)
        for spot in spots if not start else (rig.random.choice(spots),):
            code = meddled(rig, service, way, flipper(spot, 0x10))
            check(code or late, f'byte {spot} {way} did not matter')


@case('a connection that is cut off anywhere')
def cut(rig):
    service = Service(rig, '--handshake', '2')
    rig.file('src', 5000)
    for way, start, end, late in [*places(rig, service)]:
        spot = (start + end) // 2 if start % 2 else start
        code = meddled(rig, service, way, cutter(spot))
        check(code or late, f'nothing behind byte {spot} {way} did not matter')


def hears_end(client, seconds=20):
    """The other side hangs up, whatever it says before."""
    client.settimeout(seconds)
    try:
        while client.recv(65536):
            pass
    except ConnectionError:
        pass


STRANGERS = {'text': b'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'zeros': bytes(100000),
             'noise': bytes(range(256)) * 400,
             'the longest record': b'\x16\x03\x01\xff\xff' + bytes(65535),
             'a hello that never ends': b'\x16\x03\x01\x40\x00\x01\xff\xff\xff' + bytes(16380),
             'an alert': b'\x15\x03\x03\x00\x02\x02\x28',
             'decant without TLS': struct.pack('<QQ', 1, 1 << 62)}


@cases(STRANGERS)
def strangers_say(rig, name):
    service = Service(rig, '--handshake', '1')
    with socket.create_connection(('127.0.0.1', service.port)) as client:
        try:
            client.sendall(STRANGERS[name])
        except ConnectionError:
            pass
        hears_end(client)
    service.logged('refused', 'client')
    service.idle()


@cases(['says nothing', 'speaks slowly'])
def stranger(rig, how):
    service = Service(rig, '--handshake', '1')
    with socket.create_connection(('127.0.0.1', service.port)) as client:
        end = time.monotonic() + 20
        try:
            while how != 'says nothing' and time.monotonic() < end:
                client.sendall(b'\x16')
                time.sleep(0.05)
        except ConnectionError:
            pass
        check(time.monotonic() < end, 'it is never cut off')
        hears_end(client)
    service.logged('refused')
    service.idle()


@case('many strangers keep nobody out')
def crowd(rig):
    service = Service(rig, '--handshake', '600', '--max-connections', '1')
    rig.file('src', 100)
    crowd = [socket.create_connection(('127.0.0.1', service.port)) for _ in range(50)]
    same(push(rig, service).returncode, 0, 'a copy')
    check(len(service.children()) <= 33, 'processes')
    service.logged('refused', 'too many connections without a key')
    for client in crowd:
        client.close()
    service.idle()


@case('strangers that take all descriptors keep nobody out either')
def crowd_of_few(rig):
    """Fewer of them than may be, but the service has no more descriptors."""
    service = Service(rig, '--handshake', '600', how=['prlimit', '--nofile=30:30'])
    rig.file('src', 100)
    crowd = [socket.create_connection(('127.0.0.1', service.port)) for _ in range(30)]
    done = push(rig, service)
    same((done.returncode, done.stderr), (0, b''), 'a copy')
    service.logged('no process', 'Too many open files')
    for client in crowd:
        client.close()
    service.idle()


NAMES = [b'a\nb', b'\x1b[31mred', b'x\n<3>decant serve: took y, 1 bytes', b'\xc2\x9b31m', b'\x9bm',
         b'del\x7f', b'tab\tx\ry']


@cases(NAMES)
def name_in_the_log(rig, name):
    """Whatever a file is called, it is one line of plain text, in the log and for the client."""
    service = Service(rig)
    rig.file('src', 10)
    url = service.url(os.fsdecode(name))
    rig.good(*service.options(), rig.path('src'), url)
    same([os.fsencode(entry) for entry in os.listdir(service.root)], [name], 'the file')
    service.logged('took', ' 10 bytes')
    done = rig.run(*service.options(), url + '.no', 'x')
    service.logged('failed', 'No such file')
    for text in (service.log_file.read_bytes(), done.stderr):
        plain = text.decode()
        check(all(c == '\n' or c.isprintable() for c in plain), f'{plain!r}')
    same(len(service.log().splitlines()), 3, 'lines')


def certificate(rig):
    if not shutil.which('openssl'):
        raise Skip('no openssl')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x', '-days', '1',
                    '-keyout', rig.path('cert'), '-out', rig.path('pem')], check=True,
                   capture_output=True)
    with open(rig.path('cert'), 'ab') as file:
        file.write(rig.path('pem').read_bytes())
    return rig.path('cert')


def context(server, version):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.set_alpn_protocols(['decant/1'])
    made.minimum_version = made.maximum_version = version
    if not server:
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


VERSIONS = {'TLS 1.2': ssl.TLSVersion.TLSv1_2, 'TLS 1.3': ssl.TLSVersion.TLSv1_3}


@cases(VERSIONS)
def client_without_a_key(rig, version):
    service = Service(rig)
    with socket.create_connection(('127.0.0.1', service.port)) as client:
        try:
            context(False, VERSIONS[version]).wrap_socket(client)
            check(False, 'the handshake succeeded')
        except (ssl.SSLError, ConnectionError):
            pass
    service.logged('refused', 'handshake')


@cases(VERSIONS)
def server_with_a_certificate(rig, version):
    service = Service(rig)
    rig.file('src', 100)
    secure = context(True, VERSIONS[version])
    secure.load_cert_chain(certificate(rig))
    with socket.create_server(('127.0.0.1', 0)) as listener:
        def answer():
            with listener.accept()[0] as client:
                try:
                    with secure.wrap_socket(client, server_side=True) as sealed:
                        sealed.recv(1)
                except (ssl.SSLError, OSError):
                    pass
        thread = threading.Thread(target=answer)
        thread.start()
        done = push(rig, service, listener.getsockname()[1])
        thread.join(20)
    check_error(8 if version == 'TLS 1.3' else 5, ['127.0.0.1'], done.returncode, done.stderr)


@cases(['hangs up', 'text', 'echo'])
def false_server(rig, what):
    service = Service(rig)
    rig.file('src', 100)
    with socket.create_server(('127.0.0.1', 0)) as listener:
        def answer():
            with listener.accept()[0] as client:
                data = client.recv(65536)
                if what != 'hangs up':
                    client.sendall(b'SSH-2.0-x\r\n' * 50 if what == 'text' else data)
        thread = threading.Thread(target=answer)
        thread.start()
        done = push(rig, service, listener.getsockname()[1])
        thread.join(20)
    check_error(5, ['127.0.0.1', 'handshake'], done.returncode, done.stderr)


@case('nobody listens')
def nobody(rig):
    service = Service(rig)
    rig.file('src', 10)
    service.stop()
    done = push(rig, service)
    check_error(5, ['127.0.0.1', str(service.port), 'refused'], done.returncode, done.stderr)


def asks(path, timeout=60000, key=b'', **more):
    """A request for a copy, with no key in it: TLS has one."""
    return HELLO + request(path, fabric=b'tcp', timeout=timeout, key=key, **more)


GARBAGE = garbage(asks) | {
    'a length over the limit': struct.pack('<QQ', 1, 65537) + bytes(70000),
    'an unknown type': HELLO + message(1 << 32), 'hello twice': HELLO * 2,
    'half a message, and then nothing': (HELLO + message(2, bytes(100)))[:80] + b'\n.\n',
    'an orderly end': b'\n.\n', 'a key in the clear': asks(b'x', key=bytes(32)),
    'no limit on silence': asks(b'x', timeout=0) + b'\n.\n',
    'a year of silence': asks(b'x', timeout=2147483647) + b'\n.\n',
    'bytes that are not sealed': asks(b'x', plain=1), 'depth 0': asks(b'x', depth=0),
    'all rails': asks(b'x', rails=1 << 62), 'a path that climbs': asks(b'../x'),
    'a name that climbs': asks(b'.', name=b'..'),
    'a name with slashes': asks(b'.', name=b'../../x') + b'\n.\n',
    'no path': asks(b''), 'a request and the end': asks(b'x') + b'\n.\n',
    'a request and nonsense': asks(b'x') + message(4, bytes(10))}


@cases(GARBAGE)
def with_the_key(rig, name):
    service = Service(rig)
    done = subprocess.run([rig.helper('speak'), str(service.port), service.key], timeout=60,
                          input=GARBAGE[name], capture_output=True, check=False)
    same((done.returncode, done.stderr), (0, b''), 'the client')
    service.logged('(tester)', 'failed')
    service.idle()
    check('killed' not in service.log(), service.log())
    same(os.listdir(service.root), [], 'the root')
    service.stop()


if __name__ == '__main__':
    main()
