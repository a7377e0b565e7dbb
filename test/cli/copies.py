#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""copies.py - copies that work: every size, way, option, kind of file and provider."""
import os
import pathlib
import socket
import stat
import struct
import subprocess
import tempfile
import threading
from rig import CHUNK, HOST, Skip, case, cases, check, digest, main, same

SIZES = {'0': 0, '1': 1, '4095': 4095, '4096': 4096, '4097': 4097}
GIB = (1 << 30) + 1


def ends(rig, way, src, dst):
    """SRC and DST as arguments: here, or on the other side."""
    return (f'{HOST}:{rig.path(src)}' if way == 'pull' else rig.path(src),
            f'{HOST}:{rig.path(dst)}' if way == 'push' else rig.path(dst))


def copied(rig, way, size, *options, **more):
    rig.file('src', size)
    rig.good(*options, *ends(rig, way, 'src', 'dst'), **more)
    same(digest(rig.path('dst')), digest(rig.path('src')), f'{way} {size} {options}')
    rig.path('dst').unlink()


@cases([f'{size} bytes, {way}' for way in ('local', 'push', 'pull') for size in SIZES])
def sizes(rig, name):
    size, way = name.split(' bytes, ')
    copied(rig, way, SIZES[size])


@cases(['local', 'push', 'pull'])
def a_gibibyte_and_a_byte(rig, way):
    if rig.sanitized:
        raise Skip('done without sanitizers')
    copied(rig, way, GIB)


@cases([f'chunk {chunk}, {way}' for chunk in ('4K', '64K') for way in ('local', 'push', 'pull')])
def around_chunks(rig, name):
    chunk, way = name.removeprefix('chunk ').split(', ')
    bytes_ = int(chunk[:-1]) << 10
    sizes = [2 * bytes_ - 1, 3 * bytes_, 5 * bytes_ + 1]
    for size in sizes if way == 'local' else sizes[2 if rig.sanitized else 1:]:
        copied(rig, way, size, '--chunk', chunk)


@cases([f'depth {depth}, {way}' for depth in (1, 3, 64) for way in ('local', 'push', 'pull')])
def depths(rig, name):
    depth, way = name.removeprefix('depth ').split(', ')
    copied(rig, way, 1000003, '--chunk', '8K', '--depth', depth)


@case('small chunks, as many as may be under way')
def deep(rig):
    copied(rig, 'push', 9000001, '--chunk', '4K', '--depth', '512')
    copied(rig, 'pull', 9000001, '--chunk', '4K', '--depth', '512')


@cases([f'direct {direct}, io {io}' for direct in ('always', 'never', 'auto')
        for io in ('uring', 'threads')])
def backends(rig, name):
    direct, io = name.removeprefix('direct ').split(', io ')
    options = ['--direct', direct, '--io', io]
    copied(rig, 'local', 300001, '--chunk', '64K', *options)
    copied(rig, 'push', 300001, *options)


@case('provider shm leaves nothing behind')
def shm_debris(rig):
    before = set(os.listdir('/dev/shm'))
    child = rig.start('--fabric', 'shm', *ends(rig, 'push', 'src', 'dst')) \
        if rig.file('src', 100) else None
    same(child.wait(60), 0, 'exit code')
    after = [name for name in set(os.listdir('/dev/shm')) - before if str(child.pid) in name]
    same(after, [], 'left in shared memory')


@cases(['local', 'push', 'pull'])
def from_a_pipe(rig, way):
    data = rig.random.randbytes(2 * CHUNK + 7)
    rig.path('src').write_bytes(data)
    if way == 'pull':
        done = rig.good(f'{HOST}:{rig.path("src")}', '-')
        same(done.stdout == data, True, 'what came out')
        return
    to = f'{HOST}:{rig.path("dst")}' if way == 'push' else rig.path('dst')
    rig.good('-', to, input=data)
    same(rig.path('dst').read_bytes() == data, True, 'what was written')


@case('from a pipe in dribbles')
def dribbles(rig):
    child = rig.start('--chunk', '4K', '-', '-', stdin=-1, stdout=-1, bufsize=0)
    for nr in range(200):
        child.stdin.write(b'%07d\n' % nr * (nr % 9))
    child.stdin.close()
    same(child.stdout.read(), b''.join(b'%07d\n' % nr * (nr % 9) for nr in range(200)), 'bytes')
    same(child.wait(30), 0, 'exit code')


@cases(['0', '4096', str(CHUNK), str(3 * CHUNK)])
def through_pipes_bytes(rig, name):
    data = rig.random.randbytes(int(name))
    same(rig.good('-', '-', input=data).stdout == data, True, 'what came out')
    rig.good('-', f'{HOST}:{rig.path("dst")}', input=data)
    same(rig.path('dst').read_bytes() == data, True, 'what was written')


@case('a file as standard input is read from where it stands')
def redirected_input(rig):
    data = rig.file('src', 2 * CHUNK + 99).read_bytes()
    with open(rig.path('src'), 'rb') as file:
        os.lseek(file.fileno(), 7, os.SEEK_SET)
        rig.good('-', rig.path('dst'), stdin=file, timeout=20)
        same(os.lseek(file.fileno(), 0, os.SEEK_CUR), len(data), 'position afterwards')
    same(rig.path('dst').read_bytes() == data[7:], True, 'what was written')


@case('a file as standard output is written from where it stands')
def redirected_output(rig):
    data = rig.file('src', 2 * CHUNK + 99).read_bytes()
    with open(rig.path('dst'), 'wb') as file:
        os.write(file.fileno(), b'head\n')
        rig.good(rig.path('src'), '-', stdout=file)
        os.write(file.fileno(), b'tail\n')
    same(rig.path('dst').read_bytes() == b'head\n' + data + b'tail\n', True, 'the file')
    with open(rig.path('dst'), 'ab') as file:
        rig.good(rig.path('src'), '-', stdout=file)
    same(rig.path('dst').read_bytes() == b'head\n' + data + b'tail\n' + data, True, 'appended')


@case('FIFOs at both ends')
def fifos(rig):
    data = rig.random.randbytes(CHUNK + 3)
    os.mkfifo(rig.path('in'))
    os.mkfifo(rig.path('out'))
    child = rig.start(rig.path('in'), rig.path('out'))
    writer = threading.Thread(target=rig.path('in').write_bytes, args=[data])
    writer.start()
    same(rig.path('out').read_bytes() == data, True, 'what came out')
    writer.join()
    same(child.wait(30), 0, 'exit code')
    check(stat.S_ISFIFO(rig.path('out').stat().st_mode), 'it was replaced')


@case('a device as target stays one')
def null_device(rig):
    rig.file('src', 100000)
    rig.good(rig.path('src'), '/dev/null')
    rig.good(rig.path('src'), f'{HOST}:/dev/null')
    check(stat.S_ISCHR(os.stat('/dev/null').st_mode), '/dev/null was replaced')


@case('a file that the kernel makes up has bytes, but no size')
def made_up(rig):
    rig.good('/proc/self/limits', rig.path('dst'))
    check(b'Max open files' in rig.path('dst').read_bytes(), 'bytes are missing')


@cases(['local', 'push', 'pull'])
def directory_as_target(rig, way):
    rig.file('src', 5000)
    rig.path('dir').mkdir()
    rig.good(*ends(rig, way, 'src', 'dir'))
    same(digest(rig.path('dir/src')), digest(rig.path('src')), 'the copy')


@cases(['local', 'push'])
def link_as_target(rig, way):
    rig.file('src', 5000)
    rig.path('sub').mkdir()
    rig.path('sub/real').write_text('old')
    rig.path('link').symlink_to('sub/real')
    rig.good(*ends(rig, way, 'src', 'link'))
    check(rig.path('link').is_symlink(), 'the link was replaced')
    same(digest(rig.path('sub/real')), digest(rig.path('src')), 'what it points to')


@case('a link to nothing as target')
def dangling(rig):
    rig.file('src', 5000)
    rig.path('sub').mkdir()
    rig.path('link').symlink_to('two')
    rig.path('two').symlink_to('sub/new')
    rig.good(rig.path('src'), rig.path('link'))
    check(rig.path('link').is_symlink() and rig.path('two').is_symlink(), 'a link is gone')
    same(digest(rig.path('sub/new')), digest(rig.path('src')), 'what it points to')


@cases(['a b', 'a\nb', 'gr\u00fc\u00dfe \u2603', "quote'\"$x`y`", ' lead', '-dash', 'n' * 255])
def hard_name(rig, name):
    rig.file('src', 5000)
    for way in ('local', 'push'):
        rig.good(*ends(rig, way, 'src', name))
        same(digest(rig.path(name)), digest(rig.path('src')), f'{way} to it')
    for way in ('local', 'pull'):
        rig.good(*ends(rig, way, name, 'back'))
        same(digest(rig.path('back')), digest(rig.path('src')), f'{way} from it')
    rig.path('dir').mkdir()
    rig.good(*ends(rig, 'push', name, 'dir'))
    check(rig.path('dir').joinpath(name).exists(), 'its name in a directory')


@case('a colon or a dash needs no more than a path or --')
def colons(rig):
    rig.file('a:b', 100)
    rig.good('./a:b', './c:d')
    rig.good('--', './c:d', '-x')
    same(digest(rig.path('-x')), digest(rig.path('a:b')), 'the copy')


@case('a remote path may be relative, and - is a name there')
def relative(rig):
    rig.file('src', 100)
    rig.good('src', f'{HOST}:-')
    rig.good(f'{HOST}:-', 'dst')
    same(digest(rig.path('dst')), digest(rig.path('src')), 'the copy')


@cases(['local', 'push', 'pull'])
def mode_and_times(rig, way):
    src = rig.file('src', 5000)
    src.chmod(0o6751)
    os.utime(src, ns=(1234567890123456789, 987654321987654321))
    rig.good(*ends(rig, way, 'src', 'dst'))
    now = os.stat(rig.path('dst'))
    same(oct(now.st_mode & 0o7777), oct(0o751), 'mode')
    same((now.st_atime_ns, now.st_mtime_ns), (1234567890123456789, 987654321987654321), 'times')


@case('what comes through a pipe gets the mode that umask leaves')
def masked(rig):
    for mask, mode in ((0o027, 0o640), (0o077, 0o600)):
        rig.good('-', rig.path('dst'), input=b'x', umask=mask)
        same(oct(rig.path('dst').stat().st_mode & 0o7777), oct(mode), 'mode')


@cases(['local', 'push', 'pull'])
def replaced_at_once(rig, way):
    src, dst = rig.file('src', 5000), rig.file('dst', 70)
    old, inode = dst.read_bytes(), dst.stat().st_ino
    with open(dst, 'rb') as reader:
        rig.good(*ends(rig, way, 'src', 'dst'))
        same(reader.read(), old, 'what the reader of the old file sees')
    check(dst.stat().st_ino != inode, 'it was written in place')
    same(digest(dst), digest(src), 'the new file')
    same(sorted(os.listdir(rig.dir)), ['dst', 'src'], 'the directory')


@cases(['local', 'push', 'pull'])
def on_tmpfs(rig, way):
    if not os.path.ismount('/dev/shm'):
        raise Skip('no /dev/shm')
    with tempfile.TemporaryDirectory(dir='/dev/shm') as shm:
        rig.file('src', 300001)
        for src, dst in ((rig.path('src'), f'{shm}/a'), (f'{shm}/a', f'{shm}/b'),
                         (f'{shm}/b', rig.path('dst'))):
            rig.good(f'{HOST}:{src}' if way == 'pull' else src,
                     f'{HOST}:{dst}' if way == 'push' else dst)
        same(digest(rig.path('dst')), digest(rig.path('src')), 'the copy')
        same(sorted(os.listdir(shm)), ['a', 'b'], 'the directory')


@case('a socket that is reset is an error, not the end')
def reset(rig):
    with socket.create_server(('127.0.0.1', 0)) as listener:
        with socket.create_connection(listener.getsockname()) as client:
            server = listener.accept()[0]
            child = rig.start('-', rig.path('dst'), stdin=client)
            server.sendall(b'x' * 1000)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            server.close()
            same(child.wait(30), 3, 'exit code')
    check(b'Connection reset' in child.stderr.read(), 'the reason')
    same(os.listdir(rig.dir), [], 'the directory')


@case('a loop device is written in place and read')
def block_device(rig):
    image = rig.file('image', 1 << 20)
    done = subprocess.run(['losetup', '--find', '--show', image], capture_output=True,
                          text=True, check=False)
    if done.returncode:
        raise Skip('no loop device: ' + done.stderr.strip().split('\n')[-1])
    device = done.stdout.strip()
    rig.undo.append(lambda: subprocess.run(['losetup', '-d', device], check=False))
    data = rig.file('src', 300000).read_bytes()
    rig.good(rig.path('src'), device)
    check(stat.S_ISBLK(os.stat(device).st_mode), 'it was replaced')
    rig.good(device, rig.path('back'))
    back = pathlib.Path(rig.path('back')).read_bytes()
    same((len(back), back[:300000] == data), (1 << 20, True), 'what came back')


if __name__ == '__main__':
    main()
