#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""probes.py - the libraries have the probes that docs/probes.md names, with as many arguments,
and one can be watched. TAP."""
import argparse
import re
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
from readme import TOP, case, run  # noqa: E402

# What the tour's program extracts: kind, sink, wanted, done, elements, stop.
WALKS = ['1 bvec 25665 16473 4 1', '1 bvec 9192 9192 2 0']
HOLDS = 2
SCRIPT = r'''set debuginfod enabled off
set breakpoint pending off
break main
run
break -probe-stap decant:extract
commands
silent
printf "extract %d %s %lu %lu %lu %d\n", $_probe_arg0, (char *)$_probe_arg1, $_probe_arg2, \
$_probe_arg3, $_probe_arg4, $_probe_arg5
continue
end
break -probe-stap decant:hold
commands
silent
printf "hold %lu\n", $_probe_arg3
continue
end
continue
'''


def documented():
    rows = re.findall(r'^\| `(\w+)` \| `(\w+)` \| ([^|]*) \|', (TOP / 'docs/probes.md').read_text(),
                      re.M)
    return {(provider, name): len(words.split(',')) for provider, name, words in rows}


def noted(libraries):
    """Of each probe, how many arguments its notes have."""
    found = {}
    for library in libraries:
        text = run('readelf', '-n', library).stdout
        for provider, name, words in re.findall(
                r'Provider: (\w+)\s+Name: (\w+)\s+.*\s+Arguments: (.*)', text):
            found.setdefault((provider, name), set()).add(len(words.split()))
    return found


def compare(libraries, providers):
    wanted = {key: {count} for key, count in documented().items() if key[0] in providers}
    got = noted(libraries)
    return [f'{provider}:{name}: documented with {wanted.get((provider, name))} arguments, '
            f'has {got.get((provider, name))}' for provider, name in sorted(wanted | got)
            if wanted.get((provider, name)) != got.get((provider, name))]


def watch(program):
    """What gdb sees at the probes of one run, or None and why it can't."""
    with tempfile.NamedTemporaryFile('w', suffix='.gdb') as script:
        script.write(SCRIPT)
        script.flush()
        done = run('gdb', '-nx', '-batch', '-x', script.name, program)
    seen = done.stdout.splitlines()
    if not any(line.startswith('Breakpoint 1, main') for line in seen):
        return None, (done.stderr.splitlines() or ['no reason given'])[-1]
    return seen, None


def watched(nr, program):
    name = 'extractions and holds are seen by gdb, with their arguments'
    if not shutil.which('gdb'):
        print(f'ok {nr} - {name} # SKIP no gdb')
        return True
    seen, why = watch(program)
    if seen is None:
        print(f'ok {nr} - {name} # SKIP gdb: {why}')
        return True
    walks = [line[len('extract '):] for line in seen if line.startswith('extract ')]
    holds = [line for line in seen if line == 'hold 65536']
    problems = [] if walks == WALKS else [f'{walks}, wanted {WALKS}']
    problems += [] if len(holds) == HOLDS else [f'{len(holds)} holds, wanted {HOLDS}']
    return case(nr, name, problems)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--built', action='store_true')
    parser.add_argument('--program', required=True)
    parser.add_argument('--libs', nargs='+', required=True)
    args = parser.parse_args()
    if not args.built:
        print('1..0 # SKIP built without probes (sys/sdt.h)')
        return 0
    providers = {'decant'} | {'decant_' + adapter for adapter in ('uring', 'ofi', 'verbs')
                              if any(f'libdecant-{adapter}.' in lib for lib in args.libs)}
    print('1..2')
    good = case(1, 'the libraries have the documented probes', compare(args.libs, providers))
    good &= watched(2, args.program)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
