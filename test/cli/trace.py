#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""trace.py - `decant copy --trace`: what it says of local, encrypted and remote copies, held
against the format and the statistics; and what becomes of a trace that can't be written."""
import json
import os
import subprocess

import rig as r
from rig import HOST, Skip, case, check, main, same

PHASES = ['open', 'transfer', 'finish']
KINDS = {'M', 'X', 'C'}


def load(path):
    """The trace, each event with the fields that its sort must have."""
    trace = json.loads(path.read_text())
    for event in trace['traceEvents']:
        check(event['ph'] in KINDS, f'an event of a sort we do not write: {event}')
        same((type(event['name']), type(event['pid']), type(event['tid'])), (str, int, int), event)
        if event['ph'] != 'M':
            check(event['ts'] >= 0, f'before the beginning: {event}')
    return trace


def of(trace, ph):
    return [event for event in trace['traceEvents'] if event['ph'] == ph]


def check_lanes(trace):
    """In a lane nothing overlaps, and time goes one way; each lane has a name."""
    ends = {}
    for event in of(trace, 'X'):
        check(event['dur'] >= 0, f'ends before it begins: {event}')
        # Nanoseconds as decimals of microseconds.
        check(event['ts'] >= ends.get(event['tid'], 0) - 0.0005, f'overlaps: {event}')
        ends[event['tid']] = event['ts'] + event['dur']
    names = {event['tid'] for event in of(trace, 'M') if event['name'] == 'thread_name'}
    same(sorted(ends.keys() - names), [], 'lanes without a name')


def check_phases(trace):
    phases = [event for event in of(trace, 'X') if event['cat'] == 'phase']
    same([event['name'] for event in phases], PHASES, 'phases')
    end = phases[-1]['ts'] + phases[-1]['dur']
    late = [event for event in of(trace, 'X') if event['ts'] + event['dur'] > end + 0.001]
    same(late, [], 'what ends after the end')


def check_counters(trace, depth):
    """Of each stage: from nothing up and down to nothing, in order, never beyond the depth."""
    counters = {}
    for event in of(trace, 'C'):
        counters.setdefault(event['name'], []).append((event['ts'], event['args']['chunks']))
    for name, points in counters.items():
        same(points, sorted(points, key=lambda point: point[0]), f'order of {name}')
        check(all(0 <= chunks <= depth for _, chunks in points), f'{name}: beyond {depth}')
        same(points[-1][1], 0, f'{name} in the end')
    return {name.removesuffix(': under way') for name in counters}


def check_stages(trace, stages, counted):
    """Each chunk once in each stage; as many as the statistics say, of as many bytes."""
    same(counted, {stage['name'] for stage in stages if stage['chunks']}, 'stages counted')
    for stage in stages:
        events = [event['args'] for event in of(trace, 'X')
                  if event['name'] == stage['name'] and event['cat'] == 'chunk']
        numbers = [args['chunk'] for args in events]
        same(len(numbers), stage['chunks'], f"chunks of {stage['name']}")
        same(sorted(set(numbers)), list(range(len(numbers))), f"numbers of {stage['name']}")
        same(sum(args['bytes'] for args in events), stage['bytes'], f"bytes of {stage['name']}")


def traced(rig, *args, depth=8, **more):
    path = rig.path('trace.json')
    done = rig.good('--trace', path, '--stats=json', '--depth', depth, *args, **more)
    stats, trace = json.loads(done.stdout or done.stderr), load(path)
    check_lanes(trace)
    check_phases(trace)
    # Jobs of encryption have a limit of their own.
    check_stages(trace, stats['here']['stages'], check_counters(trace, max(depth, 32)))
    same(trace['otherData']['dropped'], 0, 'dropped')
    same(trace['otherData']['bytes'], stats['bytes'], 'bytes')
    return trace


def names(trace):
    return sorted({event['name'] for event in of(trace, 'X') if event['cat'] == 'chunk'})


@case('a local copy, many chunks at a time')
def local(rig):
    source = rig.file('source', (5 << 20) + 77)
    trace = traced(rig, '--chunk', '64K', '--depth', 16, source, rig.path('target'), depth=16)
    same(names(trace), ['read', 'write'], 'stages')
    same(r.digest(rig.path('target')), r.digest(source), 'what was copied')


@case('through pipes, one chunk at a time')
def pipes(rig):
    source = rig.file('source', 300001)
    path = rig.path('trace.json')
    done = rig.run('--trace', path, '--chunk', '4K', '-', '-', input=source.read_bytes())
    same((done.returncode, done.stdout == source.read_bytes()), (0, True), 'the copy')
    trace = load(path)
    check_lanes(trace)
    check_counters(trace, 1)


@case('an empty file has phases, and a chunk nowhere')
def empty(rig):
    trace = traced(rig, rig.file('source', 0), rig.path('target'))
    same(names(trace), [], 'stages')


@case('encrypted and decrypted, with what the threads did')
def encrypted(rig):
    source, key = rig.file('source', 9 << 20), rig.path('key')
    made = subprocess.run([rig.decant, 'keygen', key], capture_output=True, text=True, check=True)
    trace = traced(rig, '--threads', 2, '--encrypt-to', made.stdout.strip(), source,
                   rig.path('sealed'))
    same(names(trace), ['encrypt', 'read', 'write'], 'stages')
    jobs = [event for event in of(trace, 'X') if event['cat'] == 'job']
    chunks = [event for event in of(trace, 'X') if event['name'] == 'encrypt']
    same(sorted(event['args']['job'] for event in jobs), list(range(len(chunks))), 'jobs')
    # Each job was done while it was under way.
    when = {event['args']['chunk']: (event['ts'], event['ts'] + event['dur'])
            for event in chunks}
    for job in jobs:
        began, ended = when[job['args']['job']]
        check(began <= job['ts'] + 0.001 and job['ts'] + job['dur'] <= ended + 0.001, job)
    trace = traced(rig, '--decrypt-with', key, rig.path('sealed'), rig.path('target'))
    same(names(trace), ['decrypt', 'read', 'write'], 'stages')
    same(r.digest(rig.path('target')), r.digest(source), 'what came back')


@case('to another host and back: this side')
def remote(rig):
    source = rig.file('source', (3 << 20) + 5)
    trace = traced(rig, '--chunk', '256K', source, f"{HOST}:{rig.path('there')}")
    same(names(trace), ['fabric write', 'read', 'seal'], 'stages of a sender')
    trace = traced(rig, '--chunk', '256K', f"{HOST}:{rig.path('there')}", rig.path('back'))
    same(names(trace), ['open', 'write'], 'stages of a receiver')
    same(r.digest(rig.path('back')), r.digest(source), 'what came back')


@case('an old trace is replaced, and stays when the copy fails')
def old(rig):
    source, path = rig.file('source', 10000), rig.path('trace.json')
    path.write_text('old')
    rig.bad(3, ['nothing'], '--trace', path, rig.path('nothing'), rig.path('target'))
    same(path.read_text(), 'old', 'the old trace')
    traced(rig, source, rig.path('target'))


@case('a trace that would take the place of the source or the target')
def places(rig):
    source, there = rig.file('source', 1000), rig.path('there')
    there.mkdir()
    os.symlink(source, rig.path('link'))
    for trace, target, what in ((source, rig.path('target'), 'SRC'),
                                (rig.path('link'), rig.path('target'), 'SRC'),
                                (rig.path('target'), rig.path('target'), 'DST'),
                                (there / '..' / 'target', rig.path('target'), 'DST'),
                                (there / 'source', there, 'DST')):
        rig.bad(2, ['--trace', what], '--trace', trace, source, target)
    same(source.stat().st_size, 1000, 'the source')


@case('a trace that can not be a file ends the copy before it begins')
def no_file(rig):
    source, target = rig.file('source', 1000), rig.path('target')
    rig.bad(4, ['nowhere'], '--trace', rig.path('nowhere/trace'), source, target)
    rig.bad(2, ['not a regular file'], '--trace', '/dev/null', source, target)
    rig.bad(2, ['not a regular file'], '--trace', rig.dir, source, target)
    check(not target.exists(), 'the target is there')


@case('a trace that has no room leaves the copy as it is')
def no_room(rig):
    if os.geteuid():
        raise Skip('needs root, to mount a small file system')
    source, small = rig.file('source', 4 << 20), rig.path('small')
    small.mkdir()
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'none', small],
                             capture_output=True, check=False)
    if mounted.returncode:
        raise Skip('no tmpfs can be mounted')
    rig.undo.append(lambda: subprocess.run(['umount', small], check=False))
    done = rig.run('--trace', small / 'trace', '--chunk', '4K', source, rig.path('target'))
    r.check_error(9, ['trace', 'No space left', 'the copy itself is done'], done.returncode,
                  done.stderr)
    same(r.digest(rig.path('target')), r.digest(source), 'what was copied')
    same(os.listdir(small), [], 'what is left of the trace')


if __name__ == '__main__':
    main()
