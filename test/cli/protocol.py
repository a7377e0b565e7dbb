# SPDX-License-Identifier: MIT
"""protocol.py - the control channel and the frames of the plain connection, from outside."""
import os
import select
import struct
import subprocess

READY = 5
ERROR = 9


def words(*values):
    return b''.join(struct.pack('<Q', value) for value in values)


def text(value):
    return words(len(value)) + value


def message(kind, data=b''):
    return words(kind, len(data)) + data


HELLO = message(1, words(3) + text(b'0.1'))


def request(path, push=1, chunk=4096, depth=1, fabric=b'ofi:tcp', rails=1, timeout=0, plain=0,
            name=b'name', key=bytes(32), trace=0):
    meta = words(100, 0o644, 1, 0, 0, 0, 0)
    return message(2, words(push) + text(path) + text(name) + words(chunk, depth, 0, 0) +
                   text(fabric) + text(b'') + words(rails, timeout, plain, trace) +
                   text(b'127.0.0.1') +
                   text(key) + meta)


def accept(*rails):
    """What the client says of its rails: addresses, and memory that it does not grant."""
    return message(4, words(len(rails)) + b''.join(text(at) + words(0, 0) for at in rails))


def offer(*rails):
    """What the server says: of a file, and of its rails. It grants no memory either."""
    return message(3, words(100, 0o644, 1, 0, 0, 0, 0, 1000) + text(b'') + text(b'') +
                   words(len(rails)) + b''.join(text(at) + words(0, 0) for at in rails))


def garbage(ask):
    """What no server puts up with; ask makes its greeting and a request for a path."""
    return {
        'text': b'GET / HTTP/1.0\r\n\r\n' * 10,
        'zeros': bytes(100000),
        'a huge length': words(1, 1 << 62),
        'another version': message(1, words(99) + text(b'9')),
        'a string that is longer than the message': HELLO + message(2, words(1, 1 << 40)),
        'an empty request': HELLO + message(2),
        'a path with a zero': ask(b'a\0b'),
        'chunk 0': ask(b'/nonexistent/x', chunk=0),
        'chunk 2^63': ask(b'/nonexistent/x', chunk=1 << 63),
        'depth 2^40': ask(b'/nonexistent/x', depth=1 << 40),
        'out of turn': HELLO + message(7),
    }


def serve(rig):
    server = subprocess.Popen([rig.decant, 'serve', '--stdio'], stdin=-1, stdout=-1, stderr=-1)
    rig.undo.append(lambda: (server.kill(), server.wait(), server.stdin.close(),
                             server.stdout.close(), server.stderr.close()))
    return server


def receive(server, kind, seconds=20):
    """The data of the next message, which is of that kind."""
    data, out = b'', server.stdout.fileno()
    while len(data) < 16 or len(data) < 16 + struct.unpack('<Q', data[8:16])[0]:
        if not select.select([out], [], [], seconds)[0]:
            raise AssertionError(f'no message {kind} within {seconds} s, only {data!r}')
        want = 16 if len(data) < 16 else 16 + struct.unpack('<Q', data[8:16])[0]
        piece = os.read(out, want - len(data))
        if not piece:
            raise AssertionError(f'the server ended after {data!r}')
        data += piece
    got = struct.unpack('<Q', data[:8])[0]
    if got != kind:
        raise AssertionError(f'message {got}, not {kind}: {data!r}')
    return data[16:]


def offered_addresses(offer):
    """Of each rail, from what the server offers."""
    def take(size):
        nonlocal offer
        piece, offer = offer[:size], offer[size:]
        return piece

    def number():
        return struct.unpack('<Q', take(8))[0]

    take(8 * 8)
    take(number())
    take(number())
    addresses = []
    for _ in range(number()):
        addresses.append(take(number()))
        take(16)
    return addresses


def frame(kind, offset, data, length=None):
    """Of the plain connection."""
    return words(kind, offset, len(data) if length is None else length) + data
