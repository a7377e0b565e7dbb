#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""outside.py - every function that the core calls outside itself is one that the fault tests
let fail, or one that can't: a new system call must be added to one of the two.

usage: outside.py NM ARCHIVE
"""
import subprocess
import sys

CANNOT_FAIL = {
    # memory alone
    'explicit_bzero', 'free', 'memcmp', 'memcpy', 'memmove', 'memset', '__memcpy_chk',
    '__memmove_chk', '__memset_chk', '__stack_chk_fail',
    # glibc's locks of the default sort ask nobody for anything, and are not misused here
    'pthread_mutex_init', 'pthread_mutex_destroy', 'pthread_mutex_lock',
    'pthread_mutex_unlock', 'pthread_rwlock_init', 'pthread_rwlock_destroy',
    'pthread_rwlock_rdlock', 'pthread_rwlock_wrlock', 'pthread_rwlock_unlock',
    'pthread_rwlockattr_init', 'pthread_rwlockattr_destroy', 'pthread_rwlockattr_setkind_np',
    # constants of the process
    'getpid', 'sysconf', '__errno_location',
    # never to return, and no function
    '__assert_fail', '_GLOBAL_OFFSET_TABLE_',
}


def symbols(nm, archive, option):
    out = subprocess.run([nm, option, archive], check=True, capture_output=True, text=True)
    return {line.split()[-1] for line in out.stdout.splitlines() if len(line.split()) > 1}


def main():
    nm, archive = sys.argv[1:]
    outside = symbols(nm, archive, '--undefined-only') - symbols(nm, archive,
                                                                 '--defined-only')
    unknown = sorted(name for name in outside - CANNOT_FAIL
                     if not name.startswith('fault_'))
    injected = sorted(name for name in outside if name.startswith('fault_'))
    print('1..2')
    for name in unknown:
        print(f'# {name}: let it fail in test/fault/fault.h, or say why it cannot')
    print(f"{'not ' if unknown else ''}ok 1 - whatever can fail is made to")
    print(f'# {len(injected)} functions: {" ".join(injected)}')
    print(f"{'' if len(injected) > 8 else 'not '}ok 2 - the list is not empty")
    return bool(unknown) or len(injected) <= 8


if __name__ == '__main__':
    sys.exit(main())
