#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""copies.py DECANT - copies over soft RoCE, in the guest: queue pairs, rails of them, and
libfabric's providers over verbs. The output is TAP."""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

DEVICE = 'rxe0'
ADDRESS = '10.77.0.1'
CHUNK = 1 << 16
SOME, LARGE = 5 * CHUNK + 3, (8 << 20) + 1
SIZES = [1, 4097, SOME, LARGE]
# What rxe's completion queues are large enough for.
ENVIRONMENT = {'FI_UNIVERSE_SIZE': '4', 'FI_OFI_RXM_MSG_TX_SIZE': '64',
               'FI_OFI_RXM_MSG_RX_SIZE': '64', 'FI_OFI_RXM_TX_SIZE': '256',
               'FI_OFI_RXM_RX_SIZE': '256'}
# A copy takes two seconds here: one way of reaching the device has all sizes.
CASES = [(f'verbs:{DEVICE}', SIZES, []), ('verbs', [SOME], []),
         (f'verbs:{DEVICE}', [LARGE], ['--rails', '2']),
         (f'verbs:{DEVICE}', [SOME], ['--seal', 'none']), ('ofi:verbs', [LARGE], []),
         ('verbs;ofi_rxm', [LARGE], []), ('ofi:verbs', [SOME], ['--seal', 'none'])]
REFUSED = [('verbs:none', 'RDMA device none')]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Copies:
    def __init__(self, program):
        self.program = program
        self.dir = pathlib.Path(tempfile.mkdtemp(dir='/dev/shm'))
        self.rsh = self.dir / 'rsh'
        self.rsh.write_text('#!/bin/sh\nshift\nexec sh -c "$*"\n')
        self.rsh.chmod(0o755)

    def run(self, *args):
        return subprocess.run(
            [self.program, 'copy', '--rsh', self.rsh, '--remote-decant', self.program, '--chunk',
             str(CHUNK), '--timeout', '60', *args], stdin=-3, stdout=-1, stderr=-1, check=False,
            timeout=120, env={**os.environ, **ENVIRONMENT})

    def copied(self, fabric, size, way, *options):
        """What is wrong with a copy, or nothing."""
        src, dst = self.dir / 'src', self.dir / 'dst'
        src.write_bytes(os.urandom(size))
        dst.unlink(missing_ok=True)
        ends = [f'{ADDRESS}:{src}', dst] if way == 'pull' else [src, f'{ADDRESS}:{dst}']
        done = self.run('--fabric', fabric, '--stats=json', *options, *ends)
        if done.returncode or done.stderr:
            return f'{way} {size}: {done.returncode} {done.stderr.decode()}'
        if digest(src) != digest(dst):
            return f'{way} {size}: the copy differs'
        found = json.loads(done.stdout)['fabric']
        return None if fabric.removeprefix('ofi:') in found else f'it went over {found}'

    def refused(self, fabric, words):
        src = self.dir / 'src'
        done = self.run('--fabric', fabric, src, f'{ADDRESS}:{self.dir}/new')
        if done.returncode == 5 and words in done.stderr.decode():
            return None
        return f'{done.returncode} {done.stderr.decode()}'


def tell(nr, name, problem):
    for line in (problem or '').splitlines():
        print(f'# {line}')
    print(f"{'not ' if problem else ''}ok {nr} - {name}", flush=True)
    return not problem


def main():
    copies, good, nr = Copies(sys.argv[1]), True, 0
    print(f'1..{2 * len(CASES) + len(REFUSED)}', flush=True)
    for fabric, sizes, options in CASES:
        for way in ('push', 'pull'):
            nr += 1
            problems = (copies.copied(fabric, size, way, *options) for size in sizes)
            good &= tell(nr, f"{' '.join([fabric, *options])}, {way}",
                         next(filter(None, problems), None))
    for fabric, words in REFUSED:
        nr += 1
        good &= tell(nr, f'{fabric} is refused', copies.refused(fabric, words))
    sys.exit(0 if good else 1)


if __name__ == '__main__':
    main()
