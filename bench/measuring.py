# SPDX-License-Identifier: MIT
"""measuring.py - run benchmarks of a build: rows for each program, and what they ran on."""
import datetime
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess

# Programs of bench.h, each run in several processes.
PROGRAMS = ['extract', 'nvme', 'path2022', 'verbs', 'own', 'copy', 'aead', 'cipher', 'digest',
            'crc', 'uring-send', 'ofi-write', 'explain']
# Programs that run one of ours by turns with a peer's, and what makes them quick.
DRIVERS = {'uring': ('bench/uring', 'bench/bench-uring-load', ['-r', '3', '-s', '0.2']),
           'copies': ('bench/copies', 'cli/decant', ['-r', '3', '-b', str(256 << 20)]),
           'age': ('bench/age', 'cli/decant', ['-r', '3', '-b', str(256 << 20)]),
           'verbs-wire': ('bench/verbs-wire', 'bench/bench-verbs-wire', ['-r', '3'])}
COUNTER = 'instructions'
NAMES = PROGRAMS + list(DRIVERS) + [COUNTER]
PROCESSES = 3
LIBRARIES = ['liburing', 'libcrypto', 'libipsec-mb', 'libisal', 'libfabric', 'libibverbs',
             'libevent_core', 'gnutls']
TOOLS = ['fio', 'age', 'rsync', 'openssh-client', 'perftest', 'valgrind']


def output(*command):
    if not shutil.which(command[0]):
        return ''
    out = subprocess.run(command, check=False, capture_output=True, text=True)
    return out.stdout.strip()


def processor():
    text = pathlib.Path('/proc/cpuinfo').read_text()
    name = re.search(r'^model name\s*: (.*)$', text, re.M)
    return name[1] if name else platform.machine()


def commit():
    """What was measured; the figures themselves, in docs/, may have changed since."""
    changed = output('git', 'status', '--porcelain', '--untracked-files=no', ':!docs')
    return output('git', 'describe', '--always') + ('-dirty' if changed else '')


def package(name):
    return output('dpkg-query', '-W', '-f', '${Version}', name) if name else ''


def where():
    """The machine, what was built on it, and beside what it ran."""
    found = {'processor': processor(), 'processors': os.cpu_count(),
             'kernel': platform.release(),
             'compiler': output('gcc', '--version').splitlines()[0],
             'libc': ' '.join(platform.libc_ver())}
    found.update({name: output('pkg-config', '--modversion', name) or
                  package(name + '-dev') for name in LIBRARIES})
    found.update({name: package(name) for name in TOOLS})
    found['commit'] = commit()
    return {key: value for key, value in found.items() if value}


def machine(place):
    return f"{place['processor']}, {place['processors']} processors, Linux {place['kernel']}"


def combine(runs):
    """
    One row of several processes' rows: the median of their medians, with the widest of their
    spreads, since what differs from process to process is noise as well.
    """
    row = dict(runs[0])
    if 'runs' not in row:
        return row
    row['runs'] = sum(run['runs'] for run in runs)
    for prefix in ('', 'bound_', 'ratio_'):
        for part, choose in (('median', statistics.median), ('low', min), ('high', max),
                             ('min', min), ('max', max)):
            if prefix + part in row:
                row[prefix + part] = choose(run[prefix + part] for run in runs)
    return row


def run_json(command):
    return json.loads(subprocess.run(command, check=True, capture_output=True,
                                     text=True).stdout)


def run_program(build, name, quick):
    path = pathlib.Path(build, f'bench/bench-{name}')
    if not path.exists():
        return 'it is not built'
    runs = [run_json([path])['rows'] for _ in range(1 if quick else PROCESSES)]
    return [combine(rows) for rows in zip(*runs, strict=True)]


def run_driver(build, name, quick):
    driver, program, more = DRIVERS[name]
    path = pathlib.Path(build, program)
    if not path.exists():
        return f'{program} is not built'
    result = run_json([driver, path, *(more if quick else [])])
    return result.get('skipped') or result['rows']


def run_counter(build):
    loader = importlib.machinery.SourceFileLoader('callgrind', 'bench/callgrind')
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader('callgrind', loader))
    loader.exec_module(module)
    path = pathlib.Path(build, 'bench/bench-instructions')
    return module.table(str(path)) if path.exists() else 'it is not built'


def run_one(build, name, quick):
    """Rows, or a table; or in words why there are none."""
    if name == COUNTER:
        return run_counter(build)
    return (run_driver if name in DRIVERS else run_program)(build, name, quick)


def measure(build, names, quick, place):
    """name, result, and when and where it was measured, for each that could run."""
    for name in names:
        print(name, flush=True)
        try:
            result = run_one(build, name, quick)
        except subprocess.CalledProcessError as error:
            # One that fails is not worth losing all others.
            result = f'it failed: {(error.stderr.splitlines() or [str(error)])[-1]}'
        if isinstance(result, str):
            print(f'{name}: skipped: {result}')
            continue
        yield name, result, {'date': datetime.datetime.now(datetime.UTC).date().isoformat(),
                             'commit': place['commit'], 'machine': machine(place),
                             'quick': quick}
