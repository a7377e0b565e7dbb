#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""confined.py - `decant serve` with a root directory and other bounds: what leads out, what may
not be written, what is too much; and how it lives with a service manager."""
import os
import signal
import socket
import stat
import subprocess
import threading
from rig import CHUNK, HOST, Skip, case, cases, check, check_error, digest, main, same, wait_for
from service import Service

SECRET = b'nobody may see this'


def tree(rig):
    """A root with ways out of it, beside a file and a directory that are not its."""
    rig.path('outside').mkdir()
    rig.path('outside/file').write_bytes(SECRET)
    root = rig.path('root')
    for name in ('a', 'a/b'):
        root.joinpath(name).mkdir(parents=True)
    root.joinpath('a/inside').write_bytes(b'welcome')
    for name, target in {'up': '../outside/file', 'full': rig.path('outside/file'),
                         'dir': '../outside', 'fulldir': rig.path('outside'),
                         'new': '../outside/new', 'proc': '/proc/self/cwd', 'home': '..',
                         'a/deep': '../../outside/file', 'chain': 'up', 'loop': 'loop',
                         'good': 'a/inside', 'a/b/good': '../inside', 'gooddir': 'a',
                         'fresh': 'a/fresh', 'slash': '/'}.items():
        root.joinpath(name).symlink_to(target)
    return root


def unchanged(rig):
    same(os.listdir(rig.path('outside')), ['file'], 'what is outside')
    same(rig.path('outside/file').read_bytes(), SECRET, 'the file outside')


def everything(root):
    """All below it, with times and contents."""
    return sorted((str(path), path.lstat().st_mtime_ns, path.is_file() and path.read_bytes())
                  for path in root.rglob('*') if not path.is_symlink())


OUT = ['../outside/file', 'a/../../outside/file', 'a/../a/inside', '..', 'a/..', './../root/good',
       '/etc/passwd', '//etc/passwd', 'up', 'full', 'dir/file', 'fulldir/file', 'a/deep', 'chain',
       'home/outside/file', 'slash/etc/passwd', 'proc/outside/file']


@cases([f'{way}, {path}' for path in OUT for way in ('pull', 'push')])
def leads_out(rig, name):
    way, path = name.split(', ')
    before = everything(tree(rig))
    service = Service(rig)
    rig.file('src', 10)
    args = [rig.path('src'), service.url(path)]
    done = rig.run(*service.options(), *(reversed(args) if way == 'pull' else args))
    check_error(3 if way == 'pull' else 4, ['127.0.0.1', 'leads out of the root'],
                done.returncode, done.stderr)
    service.logged('127.0.0.1', '(tester)', way, 'leads out of the root')
    unchanged(rig)
    same(everything(service.root), before, 'the root')
    same(rig.path('src').stat().st_size, 10, 'the file here')


@cases(['new', 'dir', 'fulldir', 'dir/new', 'home', 'slash'])
def new_file_outside(rig, path):
    tree(rig)
    service = Service(rig)
    rig.file('src', 10)
    done = rig.run(*service.options(), 'src', service.url(path))
    check_error(4, ['leads out of the root'], done.returncode, done.stderr)
    service.logged('push', 'leads out of the root')
    unchanged(rig)
    check(not rig.path('root/src').exists(), 'a file in the root')


@cases(['a/inside', 'good', 'a/b/good', 'gooddir/inside', './a/./inside', 'a//inside'])
def stays_inside(rig, path):
    """A link may climb inside the root; a path of the client's may not."""
    tree(rig)
    service = Service(rig)
    rig.good(*service.options(), service.url(path), 'got')
    same(rig.path('got').read_bytes(), b'welcome', 'what came')
    rig.file('src', 5000)
    rig.good(*service.options(), 'src', service.url(path))
    same(digest(rig.path('root/a/inside')), digest(rig.path('src')), 'the file behind it')
    for name in ('good', 'a/b/good', 'gooddir'):
        check(rig.path('root').joinpath(name).is_symlink(), f'{name} is a link no more')


@case('a link to a file that is not there yet, and a loop of links')
def dangling(rig):
    tree(rig)
    service = Service(rig)
    rig.file('src', 10)
    rig.good(*service.options(), 'src', service.url('fresh'))
    same(digest(rig.path('root/a/fresh')), digest(rig.path('src')), 'the file')
    for args in (['src', service.url('loop')], [service.url('loop'), 'x']):
        done = rig.run(*service.options(), *args)
        check(done.returncode in (3, 4) and b'symbolic links' in done.stderr, done.stderr)


@case('names that only look like a way up')
def harmless_dots(rig):
    service = Service(rig)
    rig.file('src', 10)
    (service.root / '..x').mkdir()
    for name in ('..x/y..', '...', 'a..b', '.hidden', '-', '~', 'a b', '%2e%2e'):
        rig.good(*service.options(), 'src', service.url(name))
        same(digest(service.root / name), digest(rig.path('src')), name)
        rig.good(*service.options(), service.url(name), 'got')


@cases(['self/root/etc/passwd', 'self/cwd/x', 'self/fd/0', 'thread-self/root/etc/passwd'])
def magic_link(rig, path):
    service = Service(rig, '--read-only', root='/proc')
    done = rig.run(*service.options(), service.url(path), 'got')
    check_error(3, ['127.0.0.1'], done.returncode, done.stderr)
    check(b'symbolic links' in done.stderr, done.stderr)
    service.logged('pull', path, 'symbolic links')


def mounted(rig, name):
    """A device node is a way out as well."""
    path = rig.path('root').joinpath(name)
    if name == 'fifo':
        os.mkfifo(path)
    elif name == 'socket':
        with socket.socket(socket.AF_UNIX) as end:
            here = os.getcwd()
            os.chdir(path.parent)
            end.bind(name)
            os.chdir(here)
    else:
        try:
            os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
        except PermissionError as error:
            raise Skip('device nodes can not be made here') from error


@cases(['fifo', 'socket', 'device'])
def no_regular_file(rig, name):
    rig.path('root').mkdir()
    mounted(rig, name)
    service = Service(rig)
    rig.file('src', 10)
    done = rig.run(*service.options(), service.url(name), 'got')
    check_error(3, [name, 'no regular file'], done.returncode, done.stderr)
    done = rig.run(*service.options(), 'src', service.url(name))
    check_error(4, [name, 'no regular file'], done.returncode, done.stderr)
    check(not rig.path('root').joinpath(name).is_file(), 'it was replaced')
    service.logged('push', 'no regular file')


@case('hard links are files of the root, and replaced, not written through')
def hard_link(rig):
    tree(rig)
    os.link(rig.path('outside/file'), rig.path('root/hard'))
    service = Service(rig)
    rig.good(*service.options(), service.url('hard'), 'got')
    same(rig.path('got').read_bytes(), SECRET, 'what came')
    rig.file('src', 10)
    rig.good(*service.options(), 'src', service.url('hard'))
    same(digest(rig.path('root/hard')), digest(rig.path('src')), 'the file')
    unchanged(rig)


@cases(['0027', '0077'])
def mode_of_a_file(rig, mask):
    """The client's, without what the service's umask takes, nor set-id bits."""
    service = Service(rig, how=['sh', '-c', f'umask {mask}; exec "$@"', 'sh'])
    rig.file('src', 10).chmod(0o6777)
    rig.good(*service.options(), 'src', service.url('x'))
    rig.good(*service.options(), '-', service.url('y'), input=b'x')
    modes = [oct((service.root / name).stat().st_mode & 0o7777) for name in 'xy']
    same(modes, [oct(0o777 & ~int(mask, 8)), oct(0o666 & ~int(mask, 8))], 'modes')
    same((service.root / 'x').stat().st_uid, os.geteuid(), 'its owner')


@case('read-only')
def read_only(rig):
    before = everything(tree(rig))
    service = Service(rig, '--read-only')
    rig.file('src', 10)
    rig.good(*service.options(), service.url('a/inside'), 'got')
    for path in ('a/inside', 'x', 'a', '', 'good', 'fresh', 'new'):
        done = rig.run(*service.options(), 'src', service.url(path))
        check_error(4, ['127.0.0.1'], done.returncode, done.stderr)
        check(b'read-only' in done.stderr or b'leads out' in done.stderr, done.stderr)
    service.logged('push', 'a/inside', 'read-only')
    same(everything(service.root), before, 'the root')


@case('the tree changes while it is looked at')
def race(rig):
    root = tree(rig)
    service = Service(rig)
    root.joinpath('x').mkdir()
    root.joinpath('x/file').write_bytes(b'welcome')
    over = threading.Event()

    def swap():
        """x is a directory, and then a link out of the root."""
        while not over.is_set():
            root.joinpath('x').rename(root / 'y')
            root.joinpath('x').symlink_to('../outside')
            root.joinpath('x').unlink()
            root.joinpath('y').rename(root / 'x')
    thread = threading.Thread(target=swap)
    thread.start()
    rig.file('src', 10)
    for i in range(6):
        done = rig.run(*service.options(), service.url('x/file'), 'got')
        if not done.returncode:
            same(rig.path('got').read_bytes(), b'welcome', 'what came')
        rig.run(*service.options(), 'src', service.url(f'x/new{i}'))
    over.set()
    thread.join()
    unchanged(rig)


@cases(['pull', 'push'])
def behind_a_shell(rig, way):
    """The same root for what ssh starts, as in authorized_keys."""
    tree(rig)
    options = rig.forced('--root', str(rig.path('root')))
    rig.file('src', 10)
    if way == 'pull':
        rig.good(*options, f'{HOST}:a/inside', 'got')
        rig.bad(3, ['leads out'], *options, f'{HOST}:up', 'x')
        rig.bad(3, ['leads out'], *options, f'{HOST}:/etc/passwd', 'x')
    else:
        rig.good(*options, 'src', f'{HOST}:a')
        same(digest(rig.path('root/a/src')), digest(rig.path('src')), 'the copy')
        rig.bad(4, ['leads out'], *options, 'src', f'{HOST}:dir')
    unchanged(rig)


@case('more memory than a connection may have')
def memory(rig):
    service = Service(rig, '--max-memory', '64M', '--max-connections', '4')
    rig.file('src', 10)
    rig.good(*service.options(), '--chunk', '1M', '--depth', '8', 'src', service.url('x'))
    for args in (['--chunk', '1M', '--depth', '9'], ['--chunk', '16M', '--depth', '1']):
        done = rig.run(*service.options(), *args, 'src', service.url('y'))
        check_error(7, ['127.0.0.1', '16.0 MiB', 'smaller'], done.returncode, done.stderr)
    same(os.listdir(service.root), ['x'], 'the root')
    service.logged('push', 'y', '16.0 MiB')


@case('more connections than there may be')
def connections(rig):
    service = Service(rig, '--max-connections', '1')
    rig.file('src', 10)
    first = service.stays_open('pull')
    done = rig.run(*service.options(), 'src', service.url('x'))
    check_error(7, ['127.0.0.1', 'all connections are taken'], done.returncode, done.stderr)
    service.logged('(tester)', 'refused', 'all connections are taken')
    same(1000 + len(first.stdout.read()), 40 * CHUNK, 'what the first one gets')
    first.stdin.close()
    same(first.wait(30), 0, 'its exit code')
    service.idle()
    rig.good(*service.options(), 'src', service.url('x'))


@case('the service is killed: its connections end, and leave nothing')
def killed(rig):
    service = Service(rig)
    child = service.stays_open('push')
    pids = service.children()
    service.kill()
    same(child.wait(30), 5, 'exit code')
    wait_for(lambda: not any(os.path.exists(f'/proc/{pid}') for pid in pids), 'their end')
    same(os.listdir(service.root), [], 'the root')
    child.stdin.close()


@case('the client goes in the middle: nothing stays')
def client_goes(rig):
    service = Service(rig)
    child = service.stays_open('push')
    child.kill()
    child.wait()
    service.idle()
    same(os.listdir(service.root), [], 'the root')
    check('killed' not in service.log(), service.log())
    child.stdin.close()


def manager(rig):
    """What systemd does: a socket as descriptor 3, and another one to be told things."""
    listener = socket.create_server(('127.0.0.1', 0))
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.bind(f'\0decant-test-{os.getpid()}-{os.urandom(4).hex()}')
    rig.undo.extend([listener.close, told.close])
    return listener, told


@case('a socket and messages of a service manager')
def activation(rig):
    key = Service(rig).key
    listener, told = manager(rig)
    told.settimeout(20)
    env = {'LISTEN_FDS': '1', 'NOTIFY_SOCKET': '@' + told.getsockname()[1:].decode()}
    script = 'export LISTEN_PID=$$; exec "$@" 3<&$FD 2>$LOG'
    log = rig.path('log')
    with open(log, 'wb') as file:
        info = os.fstat(file.fileno())
    env |= {'FD': str(listener.fileno()), 'LOG': str(log),
            'JOURNAL_STREAM': f'{info.st_dev}:{info.st_ino}'}
    service = subprocess.Popen(['bash', '-c', script, 'x', rig.decant, 'serve', '--key-file', key,
                                '--root', rig.path('root')], env=dict(os.environ, **env),
                               pass_fds=[listener.fileno()], stdin=-3)
    rig.undo.append(lambda: (service.kill(), service.wait()))
    same(told.recv(100), b'READY=1', 'what it tells first')
    rig.file('src', 10)
    port = listener.getsockname()[1]
    rig.good('--key-file', key, 'src', f'decant://127.0.0.1:{port}/x')
    rig.bad(3, ['leads out'], '--key-file', key, f'decant://127.0.0.1:{port}/../key', 'y')
    service.send_signal(signal.SIGTERM)
    same(told.recv(100), b'STOPPING=1', 'what it tells last')
    same(service.wait(30), 0, 'exit code')
    lines = log.read_text().splitlines()
    # The client hears of its error before the log does.
    same(sorted(line[:3] for line in lines), ['<4>', '<6>', '<6>', '<6>'], f'levels of {lines}')
    check(next(line for line in lines if 'leads out' in line).startswith('<4>'), lines)


USAGE = {
    'nothing else': (2, ['--key-file and --root'], ['--listen', '0']),
    'no key': (2, ['--key-file;'], ['--listen', '0', '--root', '.']),
    'no root': (2, ['--root'], ['--listen', '0', '--key-file', 'key']),
    'root is missing': (2, ['--root none', 'No such'], ['--listen', '127.0.0.1:0', '--key-file',
                                                        'key', '--root', 'none']),
    'root is a file': (2, ['--root key', 'Not a dir'], ['--listen', '127.0.0.1:0', '--key-file',
                                                        'key', '--root', 'key']),
    'read-only, anywhere': (2, ['--read-only'], ['--stdio', '--read-only']),
    'both': (2, ['--stdio'], ['--stdio', '--listen', '1']),
    'no connections': (2, ['--max-connections 0', '1 to'], ['--max-connections', '0']),
    'no number': (2, ['--grace x'], ['--grace', 'x']),
    'no time': (2, ['--handshake 0'], ['--handshake', '0']),
    'no memory': (2, ['--max-memory 0'], ['--max-memory', '0']),
    'no memory for each': (2, ['--max-memory 15', '16'], ['--max-memory', '15']),
    'no value': (2, ['--listen', 'value'], ['--listen']),
    'no port': (2, ['--data-ports 0', 'LOW-HIGH'], ['--data-ports', '0']),
    'ports backwards': (2, ['--data-ports 9-8'], ['--data-ports', '9-8']),
    'a port too many': (2, ['--data-ports 1-65536'], ['--data-ports', '1-65536']),
    'ports and more': (2, ['--data-ports 1-2-3'], ['--data-ports', '1-2-3']),
    'ports that are signed': (2, ['--data-ports +1-2'], ['--data-ports', '+1-2']),
    'no address': (2, ['--listen 1:2:', 'ADDR'], ['--listen', '[1', '--key-file', 'key', '--root',
                                                  '.']),
    'a port that is none': (2, ['port 70000x'], ['--listen', ':70000x', '--key-file', 'key',
                                                 '--root', '.']),
    'an address of others': (7, ['--listen', '203.0.113.1', 'assign'],
                             ['--listen', '203.0.113.1:0', '--key-file', 'key', '--root', '.']),
}


@cases(USAGE)
def wrong_usage(rig, name):
    code, words, args = USAGE[name]
    subprocess.run([rig.decant, 'keygen', '--psk', rig.path('key')], check=True, stdout=-3)
    done = subprocess.run([rig.decant, 'serve', *args], cwd=rig.dir, timeout=20, check=False,
                          capture_output=True)
    check_error(code, words if name != 'no address' else ['--listen [1'], done.returncode,
                done.stderr)


@cases(['decant://', 'decant:///x', 'decant://:1/x', 'decant://h:/x', 'decant://[::1/x',
        'decant://[]/x', 'decant://[::1]x/y', 'decant://h:123456789012345678/x',
        'decant://' + 'h' * 256 + '/x', 'decant://h/' + 'x' * 5000])
def wrong_url(rig, url):
    rig.file('src', 10)
    rig.bad(2, [url[:40] if len(url) < 1000 else 'too long'], '--key-file', 'none', 'src', url)


@case('an address that is taken, and IPv6')
def addresses(rig):
    service = Service(rig)
    done = subprocess.run([rig.decant, 'serve', '--listen', f'127.0.0.1:{service.port}',
                           '--key-file', service.key, '--root', service.root],
                          capture_output=True, check=False, timeout=20)
    check_error(7, ['--listen', str(service.port), 'in use'], done.returncode, done.stderr)
    rig.file('src', 10)
    try:
        with socket.create_server(('::1', 0), family=socket.AF_INET6) as probe:
            port = probe.getsockname()[1]
    except OSError as error:
        raise Skip(f'IPv6: {error}') from error
    other = Service(rig, '--listen', f'[::1]:{port}')
    rig.good(*other.options(), 'src', f'decant://[::1]:{port}/x')
    other.logged('[::1]:', 'took')


if __name__ == '__main__':
    main()
