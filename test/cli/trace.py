#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""trace.py - `decant copy --trace`: what it says of local, encrypted and remote copies, held
against the format and the statistics; and what becomes of a trace that can't be written."""
import json
import os
import subprocess
import sys

import rig as r
from rig import HOST, Skip, case, check, main, same
from service import Service

PHASES = ['begin', 'transfer', 'finish']
KINDS = {'M', 'X', 'C', 'i'}
ROUNDED = 0.0015  # nanoseconds as decimals of microseconds, added and compared


def load(path):
    """The trace, each event with the fields that its sort must have."""
    trace = json.loads(path.read_text())
    for event in trace['traceEvents']:
        check(event['ph'] in KINDS, f'an event of a sort we do not write: {event}')
        same((type(event['name']), type(event['pid']), type(event['tid'])), (str, int, int), event)
        if event['ph'] != 'M':
            check(event['ts'] >= 0, f'before the beginning: {event}')
    return trace


def of(trace, ph, pid=None):
    return [event for event in trace['traceEvents']
            if event['ph'] == ph and pid in (None, event['pid'])]


def processes(trace):
    """The processes by their names."""
    return {event['args']['name']: event['pid'] for event in of(trace, 'M')
            if event['name'] == 'process_name'}


def end(event):
    return event['ts'] + event['dur']


def check_lanes(trace):
    """In a lane nothing overlaps, and time goes one way; each lane has a name."""
    ends = {}
    for event in of(trace, 'X'):
        lane = event['pid'], event['tid']
        check(event['dur'] >= 0, f'ends before it begins: {event}')
        check(event['ts'] >= ends.get(lane, 0) - ROUNDED, f'overlaps: {event}')
        ends[lane] = end(event)
    names = {(event['pid'], event['tid']) for event in of(trace, 'M')
             if event['name'] == 'thread_name'}
    same(sorted(ends.keys() - names), [], 'lanes without a name')
    same(len({tid for _, tid in names}), len(names), 'lanes of both sides, by the thread alone')


def check_phases(trace, pid):
    phases = [event for event in of(trace, 'X', pid) if event['cat'] == 'phase']
    same([event['name'] for event in phases], PHASES, 'phases')
    late = [event for event in of(trace, 'X', pid) if end(event) > end(phases[-1]) + ROUNDED]
    same(late, [], 'what ends after the end')


def check_counters(trace, depth, pid):
    """Of each stage: from nothing up and down to nothing, in order, never beyond the depth."""
    counters = {}
    for event in of(trace, 'C', pid):
        counters.setdefault(event['name'], []).append((event['ts'], event['args']['chunks']))
    for name, points in counters.items():
        same(points, sorted(points, key=lambda point: point[0]), f'order of {name}')
        check(all(0 <= chunks <= depth for _, chunks in points), f'{name}: beyond {depth}')
        same(points[-1][1], 0, f'{name} in the end')
    return {name.removesuffix(': under way') for name in counters}


def check_stages(trace, stages, counted, pid):
    """Each chunk once in each stage; as many as the statistics say, of as many bytes."""
    same(counted, {stage['name'] for stage in stages if stage['chunks']}, 'stages counted')
    for stage in stages:
        events = [event['args'] for event in of(trace, 'X', pid)
                  if event['name'] == stage['name'] and event['cat'] == 'chunk']
        numbers = [args['chunk'] for args in events]
        same(len(numbers), stage['chunks'], f"chunks of {stage['name']}")
        same(sorted(set(numbers)), list(range(len(numbers))), f"numbers of {stage['name']}")
        same(sum(args['bytes'] for args in events), stage['bytes'], f"bytes of {stage['name']}")


def flows(trace):
    """The events that are bound to one another, by the identifier of the flow."""
    found = {}
    for event in of(trace, 'X'):
        if 'bind_id' in event:
            found.setdefault(event['bind_id'], []).append(event)
    return list(found.values())


def check_flows(trace, stages):
    """Each chunk is followed through all of these stages, one after the other, from process to
    process no earlier than the clocks allow."""
    apart = trace['otherData'].get('clocks_apart_us', 0)
    chunks = [event for event in of(trace, 'X') if event['name'] == stages[0]]
    same(len(flows(trace)), len(chunks), 'flows')
    for events in flows(trace):
        events.sort(key=lambda event: stages.index(event['name']))
        same([event['name'] for event in events], stages, 'stages of a flow')
        same(len({event['args']['chunk'] for event in events}), 1, 'chunks of a flow')
        same([(event.get('flow_in', False), event.get('flow_out', False)) for event in events],
             [(i > 0, i + 1 < len(stages)) for i in range(len(stages))], 'arrows')
        for before, after in zip(events, events[1:]):
            # The other side may open a chunk before it is known here that it was written.
            known = before['ts'] if before['pid'] != after['pid'] else end(before)
            check(after['ts'] >= known - apart - ROUNDED, f'{after} before {before}')


def check_side(trace, stats, depth, pid):
    check_phases(trace, pid)
    check_stages(trace, stats['stages'], check_counters(trace, depth, pid), pid)


def traced(rig, *args, depth=8, **more):
    path = rig.path('trace.json')
    done = rig.good('--trace', path, '--stats=json', '--depth', depth, *args, **more)
    stats, trace = json.loads(done.stdout or done.stderr), load(path)
    check_lanes(trace)
    pids = processes(trace)
    same(sorted(pids.values()), list(range(1, 2 + ('there' in stats))), 'processes')
    for name, pid in pids.items():
        # Jobs of encryption have a limit of their own.
        check_side(trace, stats['here' if name.startswith('decant copy') else 'there'],
                   max(depth, 32), pid)
    same(trace['otherData']['dropped'], 0, 'dropped')
    same(trace['otherData']['bytes'], stats['bytes'], 'bytes')
    return trace


def names(trace, pid=None):
    return sorted({event['name'] for event in of(trace, 'X', pid) if event['cat'] == 'chunk'})


@case('a local copy, many chunks at a time')
def local(rig):
    source = rig.file('source', (5 << 20) + 77)
    trace = traced(rig, '--chunk', '64K', '--depth', 16, source, rig.path('target'), depth=16)
    check_flows(trace, ['read', 'write'])
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
    check_counters(trace, 1, 1)


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


@case('to another host and back: both sides, and each chunk through both')
def remote(rig):
    source = rig.file('source', (3 << 20) + 5)
    trace = traced(rig, '--chunk', '256K', source, f"{HOST}:{rig.path('there')}")
    same(processes(trace), {'decant copy: sends': 1, f'decant serve at {HOST}: receives': 2},
         'processes')
    check_flows(trace, ['read', 'seal', 'fabric write', 'open', 'write'])
    same(names(trace, 1), ['fabric write', 'read', 'seal'], 'stages of the sender')
    trace = traced(rig, '--chunk', '256K', f"{HOST}:{rig.path('there')}", rig.path('back'))
    same(processes(trace), {f'decant serve at {HOST}: sends': 1, 'decant copy: receives': 2},
         'processes')
    check_flows(trace, ['read', 'seal', 'fabric write', 'open', 'write'])
    same(names(trace, 2), ['open', 'write'], 'stages of the receiver')
    same(r.digest(rig.path('back')), r.digest(source), 'what came back')


@case('what is not sealed is followed as well, and what is encrypted from there on')
def remote_others(rig):
    source, key = rig.file('source', (2 << 20) + 5), rig.path('key')
    there = f"{HOST}:{rig.path('there')}"
    trace = traced(rig, '--seal', 'none', '--chunk', '256K', source, there)
    check_flows(trace, ['read', 'fabric write', 'write'])
    made = subprocess.run([rig.decant, 'keygen', key], capture_output=True, text=True, check=True)
    trace = traced(rig, '--encrypt-to', made.stdout.strip(), '--chunk', '256K', source, there)
    check_flows(trace, ['seal', 'fabric write', 'open', 'write'])
    trace = traced(rig, '--decrypt-with', key, '--chunk', '256K', there, rig.path('back'))
    check_flows(trace, ['read', 'seal', 'fabric write', 'open'])
    same(r.digest(rig.path('back')), r.digest(source), 'what came back')


def elsewhere(rig, *how):
    """The options for a server that is started so."""
    server = rig.path('server')
    server.write_text(f"#!/bin/sh\nexec {' '.join(how)} {rig.decant} \"$@\"\n")
    server.chmod(0o755)
    return ['--rsh', rig.rsh, '--remote-decant', server]


@case('a server whose clock is ten days ahead')
def other_clock(rig):
    how = ['unshare', '--fork', '--kill-child', '--time', '--monotonic', '864000']
    if subprocess.run([*how, 'true'], capture_output=True, check=False).returncode:
        raise Skip('no time namespace can be made')
    source = rig.file('source', 2 << 20)
    trace = traced(rig, *elsewhere(rig, *how), '--chunk', '128K', source,
                   f"{HOST}:{rig.path('there')}")
    check_flows(trace, ['read', 'seal', 'fabric write', 'open', 'write'])
    last = max(end(event) for event in of(trace, 'X', 1))
    late = [event for event in of(trace, 'X', 2) if end(event) > 2 * last]
    same(late, [], 'events of the other side after the copy')


@case('a server with little memory keeps the beginning, and that is said')
def little_memory(rig):
    service = Service(rig, '--max-memory', '1M', '--max-connections', '1')
    source, path = rig.file('source', 2000 * 4096), rig.path('trace.json')
    done = rig.run(*service.options(), '--trace', path, '--chunk', '4K', '--depth', '1', source,
                   service.url('there'))
    most = (1 << 20) // 8 // (16 + 1024 * 40) * 1024  # in whole blocks
    r.check_error(0, ['--trace', 'receives', f'full after {most} events'], done.returncode,
                  done.stderr)
    trace = load(path)
    check_lanes(trace)
    dropped = trace['otherData']['dropped']
    same(len(of(trace, 'X', 2)), most, 'events of the server')
    same(len(of(trace, 'X', 1)) + most, trace['otherData']['events'], 'events')
    (mark,) = of(trace, 'i')
    same((mark['pid'], f'{dropped} events' in mark['name']), (2, True), mark)
    check(dropped > 0, 'nothing was left out')
    done = rig.run(*service.options(), '--trace', path, '--chunk', '64K', '--depth', '8', source,
                   service.url('there'))
    r.check_error(7, ['904.0 KiB', 'which a connection has'], done.returncode, done.stderr)


# The client's messages to the server go on, until it has said DONE and asks for the time again.
CUT = """
import struct, subprocess, sys
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
done = False
while header := sys.stdin.buffer.read(16):
    kind, length = struct.unpack('<QQ', header)
    if done and kind == 10:
        break
    done |= kind == 7
    server.stdin.write(header + sys.stdin.buffer.read(length))
    server.stdin.flush()
server.kill()
server.wait()
"""


@case('without the trace of the other side the copy is good, and the file has this side')
def one_side(rig):
    source, path = rig.file('source', 300000), rig.path('trace.json')
    rig.path('cut').write_text(CUT)
    done = rig.run(*elsewhere(rig, sys.executable, str(rig.path('cut'))), '--fabric', 'tcp',
                   '--trace', path, source, f"{HOST}:{rig.path('there')}")
    r.check_error(9, ['--trace: without the other side', HOST, 'the copy itself is done'],
                  done.returncode, done.stderr)
    same(r.digest(rig.path('there')), r.digest(source), 'what was copied')
    trace = load(path)
    check_phases(trace, 1)
    same(list(processes(trace)), ['decant copy: sends'], 'processes')
    check(HOST in trace['otherData']['missing'], trace['otherData'])


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
    rig.bad(2, ['--trace', 'DST'], '--trace', there / 'source', f'host:{source}', there)
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
