#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""without.py - what is left builds without a warning, and works, where libraries are missing.

usage: without.py SOURCE BUILD CC...

Nothing is optimised, since what is compiled counts here; the builds are kept for next time.
"""
import os
import pathlib
import subprocess
import sys

# What is left out, and tests of what remains.
BUILDS = {
    'the core alone': (
        ['-Dauto_features=disabled'],
        ['iter', 'extract', 'copy']),
    'without io_uring, IPsec-MB and ISA-L': (
        ['-During=disabled', '-Dipsec_mb=disabled', '-Disal=disabled'],
        ['ossl-aead-rules', 'ossl-cipher', 'ossl-hash', 'content-fscrypt']),
}


class Lane:
    def __init__(self, cc):
        self.environment = {**os.environ, 'CC': ' '.join(cc), 'DECANT_TEST_CASES': '20'}
        self.nr = 0
        self.failed = False

    def step(self, name, command):
        """One command that is to succeed; what it said otherwise."""
        self.nr += 1
        run = subprocess.run(command, env=self.environment, check=False, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for line in run.stdout.splitlines() if run.returncode else []:
            print('#', line)
        print(f"{'not ' if run.returncode else ''}ok {self.nr} - {name}", flush=True)
        self.failed |= run.returncode != 0
        return not run.returncode


def main():
    source, build, *cc = sys.argv[1:]
    lane = Lane(cc)
    print(f'1..{3 * len(BUILDS)}')
    for name, (options, tests) in BUILDS.items():
        where = pathlib.Path(build) / name.replace(' ', '-').replace(',', '')
        again = ['--reconfigure'] if (where / 'build.ninja').exists() else []
        lane.step(f'{name}: configured', ['meson', 'setup', *again, where, source,
                                          '-Doptimization=0', '-Dwerror=true', *options])
        lane.step(f'{name}: built', ['ninja', '-C', where])
        lane.step(f'{name}: works', ['meson', 'test', '-C', where, '--no-rebuild',
                                     '--print-errorlogs', '--timeout-multiplier', '4', *tests])
    return lane.failed


if __name__ == '__main__':
    sys.exit(main())
