# SPDX-License-Identifier: MIT
"""service.py - `decant serve --listen` for tests, and a proxy that stands in its way."""
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import threading
from rig import CHUNK, check, wait_for

LISTENING = re.compile(r'listening on 127\.0\.0\.1:(\d+)')


class Service:
    """A server on a free port of this machine, with a key and a root of its own."""

    def __init__(self, rig, *options, root='root', key='key', env=None, how=()):
        self.rig, self.key, self.root = rig, rig.path(key), rig.path(root)
        if not self.key.exists():
            subprocess.run([rig.decant, 'keygen', '--psk', '--name', 'tester', self.key],
                           check=True, stdout=-3)
        self.root.mkdir(exist_ok=True)
        self.log_file = rig.path(f'log-{os.urandom(4).hex()}')
        with open(self.log_file, 'wb') as log:
            self.process = subprocess.Popen(
                [*how, rig.decant, 'serve', '--listen', '127.0.0.1:0', '--key-file', self.key,
                 '--root', self.root, *options], stdin=-3, stdout=log, stderr=log,
                env=dict(os.environ, **(env or {})))
        rig.undo.append(self.kill)
        wait_for(lambda: self.process.poll() is not None or LISTENING.search(self.log()),
                 'the service')
        check(self.process.poll() is None, self.log())
        self.port = int(LISTENING.search(self.log())[1])

    def log(self):
        return self.log_file.read_text(errors='replace')

    def logged(self, *words):
        """A line of the log has these words, soon."""
        def found():
            return any(all(word in line for word in words) for line in self.log().splitlines())
        try:
            wait_for(found, f'{words} in the log')
        except AssertionError as error:
            raise AssertionError(f'{error}:\n{self.log()}') from error

    def url(self, path, port=None):
        return f'decant://127.0.0.1:{port or self.port}/{path}'

    def options(self, *fabric):
        """Plain sockets, unless a test is about something else: they are there at once."""
        return ['--key-file', str(self.key), *(fabric or ['--fabric', 'tcp'])]

    def children(self):
        path = f'/proc/{self.process.pid}/task/{self.process.pid}/children'
        with open(path, encoding='ascii') as file:
            return list(map(int, file.read().split()))

    def ports(self):
        """Where the sockets of the connections' processes are, on this machine."""
        inodes = {link[8:-1] for pid in self.children() for link in links_of(pid)
                  if link.startswith('socket:[')}
        lines = [line.split() for line in pathlib.Path('/proc/net/tcp').read_text().splitlines()]
        return {int(line[1].split(':')[1], 16) for line in lines if line[9] in inodes}

    def writes(self):
        """A connection writes a file that has no name yet."""
        return any('/root/' in link and '(deleted)' in link
                   for pid in self.children() for link in links_of(pid))

    def stays_open(self, way, *options, fabric='tcp'):
        """A copy of 'file' that goes on as long as the test wants."""
        options = [*self.options('--fabric', fabric), '--quiet', *options]
        if way == 'push':
            child = self.rig.start(*options, '-', self.url('file'), stdin=-1, stdout=-1)
            child.stdin.write(bytes(2 * CHUNK))
            child.stdin.flush()
        else:
            self.rig.file(self.root / 'file', 40 * CHUNK)
            child = self.rig.start(*options, self.url('file'), '-', stdin=-1, stdout=-1)
            child.stdout.read(1000)
        wait_for(lambda: way == 'pull' or self.writes(), 'the draft')
        return child

    def idle(self):
        """No process of it is left for a client."""
        wait_for(lambda: not self.children(), 'the end of the connections')

    def stop(self, code=0):
        """End it in an orderly way."""
        self.process.send_signal(signal.SIGTERM)
        check(self.process.wait(30) == code, f'exit code {self.process.returncode}')
        check('Sanitizer' not in self.log(), self.log())

    def kill(self):
        self.process.kill()
        self.process.wait()


def links_of(pid):
    """What a process has open, as /proc shows it."""
    links = []
    try:
        for fd in os.listdir(f'/proc/{pid}/fd'):
            links.append(os.readlink(f'/proc/{pid}/fd/{fd}'))
    except OSError:
        pass
    return links


def pump(source, target, change):
    """From one socket to the other what change(offset, bytes) makes of it; less than there was
    is the end."""
    offset = 0
    while True:
        try:
            data = source.recv(65536)
        except OSError:
            data = b''
        if not data:
            break
        passed = change(offset, data)
        offset += len(data)
        try:
            target.sendall(passed)
            if len(passed) < len(data):
                source.shutdown(socket.SHUT_RDWR)
                break
        except OSError:
            break
    for end, how in ((source, socket.SHUT_RD), (target, socket.SHUT_WR)):
        try:
            end.shutdown(how)
        except OSError:
            pass


def same_bytes(_, data):
    return data


class Proxy:
    """One connection at a time to a service, with a hand on what passes."""

    def __init__(self, rig, port, to_server=same_bytes, to_client=same_bytes):
        self.port_behind, self.changes = port, (to_server, to_client)
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        rig.undo.append(self.close)

    def run(self):
        while select.select([self.listener], [], [])[0]:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            with client, socket.create_connection(('127.0.0.1', self.port_behind)) as server:
                way = threading.Thread(target=pump, args=(client, server, self.changes[0]))
                way.start()
                pump(server, client, self.changes[1])
                way.join()

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(10)
        self.listener.close()


def recorder(store):
    def keep(_, data):
        store.append(data)
        return data
    return keep


def flipper(at, bit=1):
    """Change one byte on its way."""
    def change(offset, data):
        if offset <= at < offset + len(data):
            data = bytearray(data)
            data[at - offset] ^= bit
        return bytes(data)
    return change


def cutter(at):
    """Hang up when this many bytes have passed."""
    def change(offset, data):
        return data[:max(at - offset, 0)]
    return change
