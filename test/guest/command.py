#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""command.py - the command in a guest with a software RDMA device (test/guest/rdma): what it
says about the device, and copies over it, between two processes and between two guests."""
import json
import os
import pathlib
import socket
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'cli'))
from explaining import decant, explain, explained, limits, round_trip  # noqa: E402
from rig import Skip, case, cases, check, check_error, digest, main, same, wait_for  # noqa: E402

DEVICE, = os.listdir('/sys/class/infiniband')
SOFT_ROCE = DEVICE.startswith('rxe')
TWO = os.path.exists('/sys/class/net/eth0')
ADDRESS = '10.78.0.2' if TWO else '10.77.0.1'
CHUNK = 1 << 16
SOME, LARGE = 5 * CHUNK + 3, (3 << 20) + 1
os.environ.setdefault('DECANT_TEST_DIR', '/dev/shm')
# One way of reaching the device has all sizes.
FABRICS = {
    f'verbs:{DEVICE}': [0, 1, 4097, SOME, LARGE],
    'verbs': [SOME],
    f'verbs:{DEVICE}, 2 rails': [LARGE],
    f'verbs:{DEVICE}, not sealed': [0, SOME],
    'ofi:verbs': [1, LARGE],
    'ofi:verbs, not sealed': [SOME],
    'verbs;ofi_rxm': [LARGE],
    'auto': [SOME],
}
OPTIONS = {'': [], '2 rails': ['--rails', '2'], 'not sealed': ['--seal', 'none']}


def resources():
    """What the device has; some of it is the kernel's own."""
    shown = subprocess.run(['rdma', '-j', 'resource', 'show'], stdout=-1, check=True).stdout
    return [{what: found.get(what) for what in ('pd', 'cq', 'qp', 'mr')}
            for found in json.loads(shown)]


BEFORE = resources()


def says(rig):
    """What libibverbs says, without us."""
    done = subprocess.run([rig.helper('guest-says')], stdout=-1, check=True)
    return json.loads(done.stdout)


@case('limits are those of the device')
def device_limits(rig):
    device, (found,) = says(rig), limits(rig, 'verbs')['verbs']
    same(limits(rig, f'verbs:{DEVICE}')['verbs'], [found], 'by its name')
    same((found['device'], found['port'], found['transport'], found['active']),
         (DEVICE, 1, 'roce' if SOFT_ROCE else 'iwarp', True), 'the port')
    same((found['limits'], found['read_limits']),
         ({'max_elements': device['max_sge'], 'max_bytes': device['max_msg_sz']},
          {'max_elements': device['max_sge_rd'], 'max_bytes': device['max_msg_sz']}), 'limits')
    same([found[name] for name in ('requests', 'completions', 'reads', 'served', 'regions',
                                   'region_bytes')],
         [device[name] for name in ('max_qp_wr', 'max_cqe', 'max_qp_init_rd_atom',
                                    'max_qp_rd_atom', 'max_mr', 'max_mr_size')], 'numbers')
    same((found['write_imm'], found['on_demand']), (SOFT_ROCE, False), 'what it can')
    same(limits(rig, 'all')['verbs'], [found], 'among all')


@case('limits as text')
def limits_text(rig):
    device = says(rig)
    head, line = decant(rig, 'limits', 'verbs').stdout.decode().splitlines()
    print(f'# {head}\n# {line}')
    same(head.split(), 'RDMA device port transport elements to read bytes requests reads '
         'notes'.split(), 'the first line')
    same(line, line.rstrip(), 'the end of the line')
    words = line.split()
    same(words[:5], [DEVICE, '1', 'roce' if SOFT_ROCE else 'iwarp', str(device['max_sge']),
                     str(device['max_sge_rd'])], 'the device')
    done = decant(rig, 'limits', 'verbs:none')
    check_error(5, ['verbs:none', 'no such RDMA device'], done.returncode, done.stderr)


@case('explain takes the limits, from the device and from JSON')
def explained_limits(rig):
    device, (found,) = says(rig), limits(rig, 'verbs')['verbs']
    for real in (f'verbs:{DEVICE}', 'verbs'):
        round_trip(rig, f'verbs:{DEVICE}', real, found['limits'])
    for real, most in (('verbs', device['max_sge']), ('verbs-read', device['max_sge_rd'])):
        pieces = 3 * most + 1
        shown = ('--pieces', pieces, '--size', 100, '--sink', 'sge', '--limits',
                 f'{real}:{DEVICE}')
        result = explained(rig, *shown)
        same(result['limits']['max_elements'], most, real)
        same([len(request['elements']) for request in result['requests']], 3 * [most] + [1], real)
        check(f'{pieces} pieces -> {pieces} elements in 4 requests' in explain(rig, *shown), real)
    done = decant(rig, 'explain', '--pieces', 1, '--size', 1, '--limits', 'verbs-read:none')
    check_error(5, ['verbs:none', 'no such RDMA device'], done.returncode, done.stderr)


def reach(rig):
    """How the other side is reached, and a file there."""
    if not TWO:
        return rig.options(), f"{ADDRESS}:{rig.path('there')}"
    key = rig.path('key')
    key.write_text(f'guest:{7:064}\n')
    key.chmod(0o600)
    return ['--key-file', key], f'decant://{ADDRESS}/there'


def copy(rig, how, fabric, *args):
    return rig.run(*how, '--chunk', CHUNK, '--timeout', '60', '--fabric', fabric, '-q',
                   '--stats=json', *args)


def copied(rig, size, fabric, *options):
    """There and back; which fabrics it went over."""
    how, there = reach(rig)
    ways = ((rig.file('here', size), there), (there, rig.path('back')))
    for way in ways:
        done = copy(rig, how, fabric, *options, *way)
        same((done.returncode, done.stderr), (0, b''), f'{size} bytes')
        yield json.loads(done.stdout)['fabric']
    same(digest(rig.path('back')), digest(rig.path('here')), f'{size} bytes')


@cases(FABRICS)
def copies_over(rig, name):
    fabric, _, option = name.partition(', ')
    if TWO and option == 'not sealed':
        raise Skip('a server that listens refuses it')
    for size in FABRICS[name]:
        for found in copied(rig, size, fabric, *OPTIONS[option]):
            if fabric != 'auto':
                check(fabric.removeprefix('ofi:') in found, f'it went over {found}')
            elif TWO:
                same(found, f'verbs:{DEVICE}', 'what was taken')


def link(*words):
    subprocess.run(['rdma', 'link', *words], check=True)


def another_sort(rig):
    """RoCE here and iWARP there have no word in common."""
    link('delete', DEVICE)
    link('add', 'rxe0', 'type', 'rxe', 'netdev', 'eth0')
    try:
        same(set(copied(rig, SOME, 'auto')), {'tcp'}, 'what was taken')
    finally:
        link('delete', 'rxe0')
        link('add', DEVICE, 'type', 'siw', 'netdev', 'eth0')


if TWO and not SOFT_ROCE:
    case('auto, and the other side has RDMA of another sort')(another_sort)


def data_ports(rig):
    how = [*rig.forced('--data-ports', '7400-7401'), '--rails']
    ends = rig.file('here', SOME), f"{ADDRESS}:{rig.path('there')}"
    for rails in (2, 3):
        done = copy(rig, [*how, rails], 'verbs', *ends)
        if rails == 2 or SOFT_ROCE:
            same((done.returncode, done.stderr), (0, b''), f'{rails} rails')
        else:
            check_error(5, [f'--rails {rails}', 'only 2'], done.returncode, done.stderr)


if not TWO:
    case('the ports for the data: iWARP takes them, RoCE needs none')(data_ports)


@case('a device that is not there')
def no_device(rig):
    how, there = reach(rig)
    done = copy(rig, how, 'verbs:none', rig.file('here', 10), there)
    check_error(5, ['RDMA device none'], done.returncode, done.stderr)


@case('nothing is left on the device')
def nothing_left(_):
    wait_for(lambda: resources() == BEFORE, f'{BEFORE}')


def served():
    """Whether somebody listens in the other guest."""
    try:
        socket.create_connection((ADDRESS, 7326), timeout=1).close()
    except OSError:
        return False
    return True


if __name__ == '__main__':
    if TWO:
        wait_for(served, 'the second guest', 120)
    main()
