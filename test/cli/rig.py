# SPDX-License-Identifier: MIT
"""rig.py - what the tests of the command share: named cases in a fresh directory each, files
with known bytes, the command run as a user runs it. The output is TAP."""
import argparse
import hashlib
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

CASES = []
HOST = 'localhost'
CHUNK = 1 << 20
SLOW = 5  # seconds of a case that are worth a line


class Skip(Exception):
    """The case can't run here; the reason."""


def case(name):
    """Register a function of one argument, the rig, as a case."""
    def register(run):
        CASES.append((name, run))
        return run
    return register


def cases(names):
    """Register a function for each name; it gets the rig and the name."""
    def register(run):
        for name in names:
            plain = ascii(name)[1:-1].replace('#', '')
            shown = plain if len(plain) < 60 else f'{plain[:20]}... ({len(plain)} long)'
            CASES.append((f"{run.__name__.replace('_', ' ')}: {shown}",
                          lambda rig, name=name: run(rig, name)))
        return run
    return register


def check(ok, what):
    if not ok:
        raise AssertionError(what)


def same(got, wanted, what):
    check(got == wanted, f'{what}: {got!r}, wanted {wanted!r}')


def digest(path):
    with open(path, 'rb') as file:
        sha, block = hashlib.sha256(), file.read(1 << 20)
        while block:
            sha.update(block)
            block = file.read(1 << 20)
    return sha.hexdigest()


def same_contents(got, wanted):
    """Without reading them into Python, for what is big."""
    same(subprocess.run(['cmp', wanted, got], check=False).returncode, 0, f'cmp {got}')


def wait_for(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < end, f'{what}: not within {seconds} s')
        time.sleep(0.01)


def running(pid):
    """Whether the process is there and no zombie."""
    try:
        stat = pathlib.Path(f'/proc/{pid}/stat').read_text()
    except OSError:
        return False
    return stat.rsplit(')', 1)[1].split()[0] != 'Z'


class Rig:
    def __init__(self, args):
        self.decant = str(args.decant.resolve())
        self.helpers = args.helpers
        self.sanitized = args.sanitized
        self.times = args.times
        self.rsh = str(pathlib.Path(__file__).resolve().parents[2] / 'tools/rsh-local')
        self.base = pathlib.Path(tempfile.mkdtemp(
            prefix='decant-cli-', dir=os.environ.get('DECANT_TEST_DIR', '/var/tmp')))
        self.base.chmod(0o755)
        self.random = random.Random(11)
        self.dir = None
        self.undo = []

    def enter(self, nr):
        self.dir = self.base / str(nr)
        self.dir.mkdir()

    def leave(self):
        while self.undo:
            self.undo.pop()()
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, name):
        return self.dir / name

    def helper(self, name):
        found = [path for path in self.helpers if pathlib.Path(path).stem == name]
        if not found:
            raise Skip(f'{name} was not built')
        return str(pathlib.Path(found[0]).resolve())

    def file(self, name, size, data=None):
        """A file of random bytes; a big one repeats a block of odd size."""
        path = self.path(name)
        block = self.random.randbytes(min(size, 999983))
        with open(path, 'wb') as file:
            left = size
            while left:
                left -= file.write(block[:left])
        if data is not None:
            path.write_bytes(data)
        return path

    def gibibyte_and_a_byte(self):
        """Of zeroes, but for the last bytes: the file is cheap, its way is not. It, and a name in
        memory for its copy."""
        if self.sanitized:
            raise Skip('done without sanitizers')
        size, room = (1 << 30) + 1, os.statvfs('/dev/shm')
        if room.f_bavail * room.f_frsize < size * 3 // 2:
            raise Skip('too little memory')
        with open(self.path('src'), 'wb') as file:
            file.truncate(size)
            file.seek(size - 5)
            file.write(b'tail.')
        memory = tempfile.mkdtemp(prefix='decant-', dir='/dev/shm')
        self.undo.append(lambda: shutil.rmtree(memory))
        return self.path('src'), pathlib.Path(memory) / 'dst'

    def options(self):
        """How to reach the other side, which is this machine."""
        return ['--rsh', self.rsh, '--remote-decant', self.decant]

    def forced(self, *options):
        """How to reach a server that has these options whoever starts it, as with a command in
        authorized_keys."""
        script = self.path('forced')
        script.write_text(f'#!/bin/sh\nexec {self.decant} serve --stdio {" ".join(options)}\n')
        script.chmod(0o755)
        return ['--rsh', self.rsh, '--remote-decant', script]

    def command(self, *args, how=()):
        remote = any(str(arg).startswith(HOST + ':') for arg in args)
        own = self.options() if remote and '--rsh' not in args else []
        return [*how, self.decant, 'copy', *own, *map(str, args)]

    def run(self, *args, how=(), **more):
        more.setdefault('timeout', 120)
        if 'stdin' not in more and 'input' not in more:
            more['stdin'] = subprocess.DEVNULL
        more.setdefault('cwd', self.dir)
        return subprocess.run(self.command(*args, how=how), stdout=more.pop('stdout', -1),
                              stderr=-1, check=False, **more)

    def as_nobody(self):
        """How to run something without privileges; Skip if that can't be."""
        self.dir.chmod(0o777)
        if os.geteuid():
            return []
        how = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
        if not shutil.which('setpriv'):
            raise Skip('no setpriv')
        if subprocess.run([*how, self.decant, '--version'], capture_output=True,
                          check=False).returncode:
            raise Skip('nobody may run the program where it was built')
        return how

    def start(self, *args, how=(), **more):
        more.setdefault('stdin', subprocess.DEVNULL)
        more.setdefault('cwd', self.dir)
        child = subprocess.Popen(self.command(*args, how=how), stderr=-1, **more)
        self.undo.append(lambda: (child.kill(), child.wait(),
                                  child.stderr.close(), child.stdout and child.stdout.close()))
        return child

    def stays_open(self, way, *options, dst='dst'):
        """A copy that can't end by itself, with some of it done; the client and the server."""
        if way == 'push':
            child = self.start(*options, '-', f'{HOST}:{self.path(dst)}', stdin=-1, stdout=-1)
            child.stdin.write(bytes(3 * CHUNK))
            child.stdin.flush()
        else:
            self.file('src', 32 * CHUNK)
            child = self.start(*options, f'{HOST}:{self.path("src")}', '-', stdin=-1, stdout=-1)
            child.stdout.read(1000)
        server = server_of(child)
        time.sleep(0.3)
        return child, server

    def good(self, *args, **more):
        """It works, and says nothing."""
        done = self.run(*args, **more)
        same((done.returncode, done.stderr), (0, b''), f'decant copy {args}')
        return done

    def bad(self, code, words, *args, **more):
        """It ends with this code and one line that has these words; no debris."""
        before = sorted(os.listdir(self.dir))
        done = self.run(*args, **more)
        check_error(code, words, done.returncode, done.stderr)
        same(sorted(os.listdir(self.dir)), before, 'the directory')
        return done


def check_error(code, words, got, stderr):
    text = stderr.decode(errors='replace')
    same(got, code, f'exit code, with {text!r}')
    lines = text.splitlines()
    check(len(lines) == 1 and text.endswith('\n'), f'not one line: {text!r}')
    check(text.startswith('decant: '), f'not from decant: {text!r}')
    for word in words:
        check(str(word) in text, f'no {str(word)!r} in {text!r}')


def descendants(pid):
    for path in pathlib.Path(f'/proc/{pid}/task').glob('*/children'):
        for child in map(int, path.read_text().split()):
            yield child
            yield from descendants(child)


def is_server(pid):
    try:
        words = pathlib.Path(f'/proc/{pid}/cmdline').read_bytes().split(b'\0')
    except OSError:
        return False
    return b'serve' in words and words[0].endswith(b'decant')


def server_of(client):
    """The process that serves this client, behind a shell or two."""
    found = []
    wait_for(lambda: found.extend(filter(is_server, descendants(client.pid))) or found,
             'a server')
    return found[0]


def run_case(rig, nr, name, run):
    rig.enter(nr)
    problem, skip, began = None, None, time.monotonic()
    try:
        run(rig)
    except Skip as reason:
        skip = str(reason)
    except AssertionError as error:
        problem = str(error)
    except Exception:  # a broken case is a failed one
        problem = traceback.format_exc()
    rig.leave()
    seconds = time.monotonic() - began
    if rig.times or seconds > SLOW:
        print(f'# {seconds:.2f} s')
    for line in (problem or '').splitlines():
        print(f'# {line}')
    print(f"{'not ' if problem is not None else ''}ok {nr} - {name}"
          f"{f' # SKIP {skip}' if skip else ''}", flush=True)
    return problem is None


def isolate():
    """
    Root gets mounts of its own: what the cases mount goes away with them, and libfabric's
    verbs provider, which reads all of /proc/kallsyms twice at each start (0.7 s here), finds
    it empty.
    """
    mark = 'DECANT_TEST_ISOLATED'
    if os.geteuid() or mark in os.environ or not shutil.which('unshare'):
        return
    probe = subprocess.run(['unshare', '--mount', 'true'], stderr=-3, check=False)
    if probe.returncode:
        return
    os.environ[mark] = '1'
    script = 'mount --bind /dev/null /proc/kallsyms; exec "$@"'
    os.execvp('unshare', ['unshare', '--mount', 'sh', '-c', script, 'sh', sys.executable,
                          *sys.argv])


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument('--decant', type=pathlib.Path, required=True)
    parser.add_argument('--helpers', nargs='*', default=[])
    parser.add_argument('--sanitized', action='store_true')
    parser.add_argument('--only', default='', help='cases whose names match this')
    parser.add_argument('--times', action='store_true')
    return parser.parse_args()


def main():
    args = arguments()
    isolate()
    rig, good = Rig(args), True
    chosen = [(name, run) for name, run in CASES if re.search(args.only, name)]
    print(f'1..{len(chosen)}', flush=True)
    for nr, (name, run) in enumerate(chosen, 1):
        good &= run_case(rig, nr, name, run)
    shutil.rmtree(rig.base, ignore_errors=True)
    sys.exit(0 if good else 1)
