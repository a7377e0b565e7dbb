#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fscrypt_kernel.py TOOL - the kernel is the judge: what it stores in an encrypted directory
of an ext4 image decrypts here, and what is encrypted here it reads. TAP."""
import ctypes
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile

# linux/fscrypt.h, linux/fiemap.h, linux/fs.h
ADD_KEY, SET_POLICY = 0xc0506617, 0x800c6613
GET_NONCE, FIEMAP = 0x8010661b, 0xc020660b
IDENTIFIER, POLICY_V2, AES_256_XTS, AES_256_CTS, FLAG_SYNC = 2, 2, 1, 4, 1
EXTENT = struct.Struct('<QQQ16xI12x')
BLOCK = 4096
SIZES = [1, 4095, 4096, 4097, 10000, 300001]
libc = ctypes.CDLL(None, use_errno=True)


class Skip(Exception):
    pass


def ioctl(fd, request, data, what):
    buffer = ctypes.create_string_buffer(data, len(data))
    if libc.ioctl(fd, ctypes.c_ulong(request), buffer):
        raise Skip(f'{what}: {os.strerror(ctypes.get_errno())}')
    return buffer.raw


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skip(f'{command[0]}: {done.stderr.strip()}')
    return done.stdout.strip()


class Directory:
    """An encrypted directory in an image of its own."""

    def __init__(self, base, master):
        self.image, self.mount, self.loop = base / 'image', base / 'mount', None
        self.master, self.mounted = master, False
        self.path = self.mount / 'd'
        self.mount.mkdir()
        with open(self.image, 'wb') as file:
            file.truncate(16 << 20)
        run('mkfs.ext4', '-q', '-F', '-b', str(BLOCK), '-O', 'encrypt,^has_journal', self.image)

    def __enter__(self):
        try:
            self.attach()
            self.set_policy()
        except BaseException:
            self.detach()
            raise
        return self

    def __exit__(self, *_):
        self.detach()

    def attach(self):
        """Mount it, and give the kernel the key."""
        self.loop = run('losetup', '-f', '--show', self.image)
        run('mount', '-t', 'ext4', self.loop, self.mount)
        self.mounted = True
        key = struct.pack('<II32sII32s', IDENTIFIER, 0, b'', len(self.master), 0, b'')
        root = os.open(self.mount, os.O_RDONLY)
        self.identifier = ioctl(root, ADD_KEY, key + self.master, 'adding a key')[8:24]
        os.close(root)

    def detach(self):
        """Everything is in the image then."""
        if self.mounted:
            subprocess.run(['umount', self.mount], check=True)
        if self.loop:
            subprocess.run(['losetup', '-d', self.loop], check=True)
        self.mounted, self.loop = False, None

    def set_policy(self):
        self.path.mkdir()
        policy = struct.pack('<BBBB4x16s', POLICY_V2, AES_256_XTS, AES_256_CTS, 0,
                             self.identifier)
        fd = os.open(self.path, os.O_RDONLY)
        ioctl(fd, SET_POLICY, policy, 'the policy')
        os.close(fd)

    def write(self, name, data):
        with open(self.path / name, 'wb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def about(self, name):
        """The file's nonce, and where its blocks are in the image."""
        fd = os.open(self.path / name, os.O_RDONLY)
        nonce = ioctl(fd, GET_NONCE, bytes(16), 'the nonce')
        head = struct.pack('<QQIIII', 0, 2**64 - 1, FLAG_SYNC, 0, 64, 0)
        found = ioctl(fd, FIEMAP, head + bytes(64 * EXTENT.size), 'the extents')
        os.close(fd)
        nr = struct.unpack_from('<I', found, 20)[0]
        return nonce, [EXTENT.unpack_from(found, 32 + i * EXTENT.size)[:3] for i in range(nr)]


def tool(path, way, master, nonce, size, data):
    done = subprocess.run([path, way, master.hex(), nonce.hex(), str(size)], input=data,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-200:]
    return done.stdout


def stored(image, extents):
    """What lies in the image."""
    with open(image, 'rb') as file:
        out = b''
        for logical, physical, length in extents:
            assert logical == len(out), 'a hole'
            file.seek(physical)
            out += file.read(length)
        return out


def store(image, extents, data):
    with open(image, 'r+b') as file:
        for logical, physical, length in extents:
            file.seek(physical)
            file.write(data[logical:logical + length])
        os.fsync(file.fileno())


def both_ways(base, path, size, rng):
    data, other = rng.randbytes(size), rng.randbytes(size)
    master = rng.randbytes(64 if size % 2 else 32)
    with Directory(base, master) as directory:
        directory.write('x', data)
        nonce, extents = directory.about('x')
        directory.detach()
        got = stored(directory.image, extents)
        whole = -(-size // BLOCK) * BLOCK
        assert got[:whole] == tool(path, 'encrypt', master, nonce, size, data), 'what is stored'
        assert tool(path, 'decrypt', master, nonce, size, got[:whole]) == data, 'decrypted'
        store(directory.image, extents, tool(path, 'encrypt', master, nonce, size, other))
        directory.attach()
        assert (directory.path / 'x').read_bytes() == other, 'what the kernel reads'


def main():
    rng = random.Random(7)
    print(f'1..{len(SIZES)}')
    failed = False
    for nr, size in enumerate(SIZES, 1):
        base = pathlib.Path(tempfile.mkdtemp(prefix='decant-fscrypt-', dir='/var/tmp'))
        try:
            if os.geteuid():
                raise Skip('not root')
            both_ways(base, sys.argv[1], size, rng)
            print(f'ok {nr} - {size} bytes, both ways')
        except Skip as reason:
            print(f'ok {nr} - {size} bytes # SKIP {reason}')
        except AssertionError as error:
            failed = True
            print(f'# {error}\nnot ok {nr} - {size} bytes')
        shutil.rmtree(base, ignore_errors=True)
    sys.exit(failed)


if __name__ == '__main__':
    main()
