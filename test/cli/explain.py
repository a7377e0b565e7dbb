#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""explain.py - `decant explain` and `decant limits`: what they say, and about what."""
import ctypes
import json
import os
import pathlib
import re
import resource
import shutil
import struct
import subprocess
import zlib
from explaining import decant, explain, explained, limits, round_trip, taken
from rig import Skip, case, cases, check, check_error, main, same

LAYOUT = '64@0x1000,4096@0x1040,700@0x3000+17,3x512@0x8000/4096,2000@0xc000'
RULES = 'boundary=4096,max_elements=5,addr_align=4'


def elements(result):
    return [element for request in result['requests'] for element in request['elements']]


@case('a layout, element by element')
def table(rig):
    result = explained(rig, '--layout', LAYOUT, '--limits', RULES, '--sink', 'sge')
    first, second = result['requests']
    same([(e.get('address', 'stage'), e['bytes'], e['begins']) for e in first['elements']],
         [('0x1000', 4096, ['end']), ('0x2000', 64, ['boundary']), ('stage', 3, ['stage']),
          ('0x3014', 697, ['stage']), ('0x8000', 512, ['apart'])], 'the first request')
    same(first['elements'][0]['merged'], 1, 'merged')
    same(first['elements'][1]['split'], True, 'split')
    same(first['elements'][2]['stages'], ['addr_align'], 'why it was staged')
    same((first['ends'], second['ends']), (['max_elements'], ['end']), 'why requests end')
    totals = result['totals']
    same((totals['pieces'], totals['bytes'], totals['done'], totals['elements'],
          totals['requests'], totals['merged'], totals['splits'], totals['staged_bytes']),
         (7, 8396, 8396, 8, 2, 1, 2, 3), 'totals')
    check(result['nanoseconds']['extract']['median'] > 0, 'cost')
    check('the device' in result['nanoseconds']['what'], 'what the cost is')
    text = explain(rig, '--layout', LAYOUT, '--limits', RULES, '--sink', 'sge')
    for word in ('7 pieces -> 8 elements in 2 requests; 1 merged, 2 splits, 3 bytes staged',
                 'split: boundary', 'staged: addr_align', 'ends: max_elements', 'stage+0x0',
                 'piece 0 to 1', '|1: 4096 ', '[0: 4096', 'extraction', 'staging',
                 'what the device takes is not in it',
                 'no element crosses a multiple of it (4096)'):
        check(word in text, f'no {word!r} in {text}')


@case('what README.md shows')
def readme(rig):
    text = (pathlib.Path(__file__).resolve().parents[2] / 'README.md').read_text()
    _, command, shown = re.split(r'\$ decant explain ((?:.*\\\n)?.*)\n', text, maxsplit=1)
    shown = re.match(r'((?:    .*)?\n)+', shown)[0]
    out = explain(rig, *command.replace('\\', '').split())
    have = [line.rstrip() for line in out.splitlines()]
    for line in shown.splitlines():
        check(line.strip() in map(str.strip, have), f'not printed: {line}')


@cases(['iovec', 'bvec', 'sge', 'sglist', 'dma', 'prp', 'nvme-sgl', 'count', 'direct'])
def every_sink(rig, sink):
    result = explained(rig, '--layout', '4x4096@0x10000/8192', '--sink', sink)
    same(result['totals']['done'], 4 * 4096, 'bytes')
    same(result['totals']['elements'], 4, 'elements')


WHYS = {
    'most bytes': ('9000@0x1000', 'max_element_bytes=4096', [], ['max_element_bytes']),
    'a boundary': ('9000@0x1100', 'boundary=4096', [], ['boundary']),
    'an owner': ('a=4096@0x1000,b=4096@0x2000,8192@0x1000', None, [], ['owner']),
    'a device': ('a=4096@0x1000>0x9000,b=4096@0x2000>0x7000,8192@0x1000', None,
                 ['--sink', 'dma'], ['device']),
    'a page of a format': ('9000@0x1100', None, ['--sink', 'prp'], ['format']),
    'a gap': ('100@0x1000,100@0x1100', 'gap=4096', [], ['gap']),
    'most bytes, on a gap': ('9000@0x1000', 'max_element_bytes=5000,gap=4096', [],
                             ['max_element_bytes', 'gap']),
}


@cases(WHYS)
def why_it_begins(rig, name):
    layout, limits, args, whys = WHYS[name]
    rules = ['--limits', limits] if limits else []
    result = explained(rig, '--layout', layout, *rules, *args)
    same(elements(result)[1]['begins'], whys, name)


STAGED = {
    'an address': ('1024@0x1001', ['--limits', 'addr_align=4,len_align=4'], ['addr_align']),
    'a length': ('700@0x1000,324@0x2000', ['--limits', 'len_align=512'], ['len_align']),
    'no region': ('r=4096@0x1000,100@0x8000', ['--unregistered', 'stage'], ['owner']),
    'a gap': ('100@0x1000,4096@0x3000', ['--limits', 'gap=4096', '--stage-gaps'], ['gap']),
}


@cases(STAGED)
def why_it_is_staged(rig, name):
    layout, args, whys = STAGED[name]
    staged = [e for e in elements(explained(rig, '--layout', layout, *args)) if 'stages' in e]
    check(staged, 'nothing was staged')
    same(staged[0]['stages'], whys, name)


@case('what the device would not take')
def stops(rig):
    result = explained(rig, '--layout', '512@0x1000,100@0x2003', '--limits', 'addr_align=512',
                       '--stage', '0')
    same((result['stop'], result['stops'], result['stop_piece'], result['totals']['done']),
         ('alignment', ['addr_align'], 1, 512), 'stop')
    text = explain(rig, '--layout', '512@0x1000,100@0x2003', '--limits', 'addr_align=512',
                   '--stage', '0')
    check('stopped before byte 512, piece 1+0 at 0x2003: alignment, addr_align' in text, text)
    check('--stage' in text, 'no advice')
    result = explained(rig, '--layout', 'r=4096@0x1000 100@0x8000', '--unregistered', 'refuse')
    same((result['stop'], result['stops']), ('unregistered', ['owner']), 'unregistered')


@case('every reason is in the manual')
def reasons(rig):
    root = pathlib.Path(__file__).resolve().parents[2]
    words = re.findall(r'^\t\t"(\w+): ', (root / 'explain/why.c').read_text(), re.M)
    manual = (root / 'docs/man/decant-explain.1').read_text()
    named = re.findall(r'^\.BR? (.*)$', manual.split('.SH REASONS')[1].split('.SH')[0], re.M)
    same(sorted(re.findall(r'\w+', ' '.join(named))), sorted(words), 'reasons')


@case('edges of direct I/O')
def edges(rig):
    result = explained(rig, '--layout', '3000@0x10064', '--sink', 'direct', '--position', 100)
    first, *_, last = elements(result)
    same((first['front'], first['bytes'], first['stages']), (100, 512, ['edge']), 'front')
    same(last['back'], 512 - (3100 - 6 * 512), 'back')
    same((result['totals']['done'], sum(e['bytes'] for e in elements(result))), (3000, 3584),
         'bytes')
    result = explained(rig, '--layout', '100@0x10000', '--sink', 'direct', '--position', 100)
    (only,) = elements(result)
    same((only['front'], only['back'], only['bytes']), (100, 312, 512), 'inside one block')


@case('where the cost was measured, and at which commits')
def measured_on(rig):
    path = pathlib.Path(__file__).resolve().parents[2] / 'docs/benchmarks.json'
    found = json.loads(path.read_text())['measured']
    text = explained(rig, '--layout', '1@1')['nanoseconds']['measured_on']
    for program in 'extract', 'nvme', 'copy':
        for word in found[program]['machine'], found[program]['commit']:
            check(word in text, f'{program}: no {word} in {text}')


@case('a layout in JSON, and both forms in files')
def json_layout(rig):
    wanted = explained(rig, '--layout', 'r=4096@0x1000>0x9000, 64@0x1000 2x512@0x4000+1/4096',
                       '--unregistered', 'trust')
    regions = [{'name': 'r', 'length': 4096, 'address': '0x1000', 'device': 36864}]
    pieces = [[64, 4096], {'length': 512, 'address': '0x4000', 'offset': 1, 'stride': '4K',
                           'count': 2}]
    text = json.dumps({'regions': regions, 'pieces': pieces})
    for args, data in ((['--layout', text], None), (['--layout', '-'], text.encode())):
        same(explained(rig, *args, data=data), wanted, args)
    rig.path('layout').write_text('# a comment\nr=4096@0x1000>0x9000\n64@0x1000,\n'
                                  '2x512@0x4000+1/4096 # and another\n')
    same(explained(rig, '--layout', f"@{rig.path('layout')}"), wanted, 'a file')
    bare = explained(rig, '--layout', '[[64,"0x1000"],[512,16385]]')
    same(bare['totals']['pieces'], 2, 'an array')


@case('iovecs of a live process')
def process(rig):
    pieces = [(0x5000, 100), (0x5064, 28), (0, 0), (0x9000, 4096)]
    table = ctypes.create_string_buffer(b''.join(struct.pack('=QQ', *p) for p in pieces))
    where = f'{os.getpid()}:{ctypes.addressof(table):#x}:{len(pieces)}'
    result = explained(rig, '--process', where, '--sink', 'sge')
    same([(e['address'], e['bytes']) for e in elements(result)],
         [('0x5000', 128), ('0x9000', 4096)], 'elements')
    del table


@case('pieces that are thought up')
def pattern(rig):
    result = explained(rig, '--pieces', 10, '--size', 512, '--misalign', 3)
    same([(e['address'], e['bytes']) for e in elements(result)],
         [(hex(0x10000003 + 4096 * i), 512) for i in range(10)], 'apart')
    result = explained(rig, '--pieces', 10, '--size', 512, '--stride', 512)
    same((result['totals']['elements'], result['totals']['merged']), (1, 9), 'adjacent')


@case('no more lines than were asked for')
def lines(rig):
    text = explain(rig, '--pieces', 50, '--size', 512, '--elements', 3)
    same(text.count(' piece '), 3, 'lines')
    check('and 47 more elements' in text, text)
    check('piece 49' in explain(rig, '--pieces', 50, '--size', 512, '--elements', 'all'), 'all')
    wide = explain(rig, '--pieces', 50, '--size', 512, '--columns', 60).split('picture')[1]
    check(max(len(line) for line in wide.split('\nwhy')[0].splitlines()) <= 60, 'columns')


def png(rig, name, *args):
    """Drawn and rendered: width, height and the colours that are in it."""
    if not shutil.which('rsvg-convert'):
        raise Skip('rsvg-convert is not installed (librsvg2-bin)')
    svg, out = rig.path(f'{name}.svg'), rig.path(f'{name}.png')
    explain(rig, '--svg', svg, *args)
    done = subprocess.run(['rsvg-convert', '--width', '400', '-o', out, svg],
                          capture_output=True, check=False, timeout=60)
    same((done.returncode, done.stderr), (0, b''), 'rsvg-convert')
    data, pos, body = out.read_bytes(), 8, b''
    width, height = struct.unpack('>II', data[16:24])
    bytes_each = {2: 3, 6: 4}[data[25]]
    while pos < len(data):
        (length,), kind = struct.unpack('>I', data[pos:pos + 4]), data[pos + 4:pos + 8]
        body += data[pos + 8:pos + 8 + length] if kind == b'IDAT' else b''
        pos += 12 + length
    return width, height, colours(zlib.decompress(body), width, height, bytes_each)


def colours(raw, width, height, each):
    """How often each is in 8-bit RGB or RGBA lines with PNG's filters."""
    before, found, stride = bytearray(each * width), {}, each * width + 1
    for row in range(height):
        kind, line = raw[row * stride], bytearray(raw[row * stride + 1:(row + 1) * stride])
        for i, value in enumerate(line):
            left = line[i - each] if i >= each else 0
            corner = before[i - each] if i >= each else 0
            guess = (0, left, before[i], (left + before[i]) // 2,
                     paeth(left, before[i], corner))[kind]
            line[i] = (value + guess) & 255
        for i in range(0, len(line), each):
            colour = bytes(line[i:i + 3])
            found[colour] = found.get(colour, 0) + 1
        before = line
    return found


def paeth(left, above, corner):
    guess = left + above - corner
    return min((left, above, corner), key=lambda value: abs(guess - value))


DRAWN = {'10': 7, '200': 190}


@cases(DRAWN)
def a_drawing(rig, name):
    pieces = DRAWN[name]
    width, height, found = png(rig, name, '--pieces', pieces, '--size', 700, '--misalign', 510,
                               '--limits', 'addr_align=4,max_elements=30', '--sink', 'sge')
    same(width, 400, 'width')
    check(70 < height < 160 if pieces < 10 else 600 < height < 2000, f'height {height}')
    for colour in (b'\xff\xff\xff', b'\xdc\xe8\xf6', b'\xc2\xd8\xf0', b'\xbd\xe0\xb4',
                   b'\xfb\xd5\xa0'):
        check(found.get(colour, 0) > 5 * pieces, f'little of {colour.hex()}')


@case('a drawing of more than renderers take')
def large_drawing(rig):
    path = rig.path('large.svg')
    explain(rig, '--pieces', 3000, '--size', '1G', '--sink', 'sge', '--svg', path)
    text = path.read_text()
    check(20000 < int(re.search(r'height="(\d+)"', text)[1]) <= 32767, text[:200])
    check('the first of them' in text, 'it does not say that it is not all')
    explain(rig, '--layout', '30x1M@0x10000000/2M', '--sink', 'sge', '--limits', 'boundary=4M',
            '--svg', path)
    text = path.read_text()
    check('limits: boundary 4194304<' in text and 'the first of them' not in text, text[:2000])


@case('what goes on in the next row of a drawing')
def next_row(rig):
    path = rig.path('rows.svg')
    explain(rig, '--layout', '30x1M@0x10000000', '--svg', path)
    text = path.read_text()
    check('1 iovec element, 1 request<' in text, 'one element')
    same((text.count('>#0: '), text.count('>…#0: ') > 1), (1, True), 'its labels')


@case('a drawing that can not be written')
def svg_errors(rig):
    done = decant(rig, 'explain', '--layout', '1@1', '--svg', rig.path('no/such'))
    check_error(4, ['no/such', 'No such file'], done.returncode, done.stderr)
    done = decant(rig, 'explain', '--layout', '1@1', '--svg', '/dev/full')
    check_error(4, ['/dev/full', 'space'], done.returncode, done.stderr)


# A name may come behind the limits that it names.
SEVERAL = ('{"l":[{"n":"a","limits":{"gap":8}},{"limits":{"gap":16},"n":"b","o":"msg"},'
           '{"n":"b","limits":{"gap":32},"o":"rdm"}],"u":{"limits":{"gap":64}}}')

ERRORS = {
    'no layout': (2, ['--layout'], []),
    'two layouts': (2, ['one of'], ['--layout', '1@1', '--pieces', '1']),
    'no size': (2, ['--size'], ['--pieces', '1']),
    'an unknown option': (2, ['--frob'], ['--frob']),
    'something more': (2, ['frob'], ['--layout', '1@1', 'frob']),
    'an empty layout': (2, ['no pieces'], ['--layout', '']),
    'no number': (2, ['at 6', 'length', 'expected'], ['--layout', '64@1, @']),
    'a negative length': (2, ['at 0', 'length', 'negative'], ['--layout', '-64@1']),
    'a negative address': (2, ['at 3', 'address', 'negative'], ['--layout', '64@-1']),
    'too many bits': (2, ['at 3', 'address', '64 bits'],
                      ['--layout', '64@0x10000000000000000']),
    'too many bits by a suffix': (2, ['at 0', 'length'], ['--layout', '99999999999999G@1']),
    'a piece that wraps': (2, ['at 5', 'length', 'wraps'],
                           ['--layout', '1@1, 64@0xffffffffffffffff']),
    'an offset that wraps': (2, ['at 0', 'offset', 'wraps'],
                             ['--layout', '1@0xffffffffffffffff+1']),
    'a count that wraps': (2, ['at 0', 'count', 'wraps'],
                           ['--layout', '9x1@1/0xffffffffffffff00']),
    'memory at 0': (2, ['at 0', 'address'], ['--layout', '64@0']),
    'no pieces of it': (2, ['at 0', 'count'], ['--layout', '00x64@1']),
    'too many pieces': (2, ['at 0', 'count'], ['--layout', '999999999x1@1']),
    'too many bytes': (2, ['63 bits'], ['--layout', '8x0x7000000000000000@1/1']),
    'a stride of 0': (2, ['stride'], ['--layout', '8x64@1/0']),
    'what does not belong there': (2, ['at 4', 'comma'], ['--layout', '64@1!']),
    'regions that overlap': (2, ['at 7', 'overlaps'], ['--layout', 'a=99@1,b=1@9,1@1']),
    'no JSON': (2, ['at ', 'JSON'], ['--layout', '[[1,1]']),
    'an unknown field': (2, ['at 20', 'frob'], ['--layout', '[{"length":1,"frob":1}]']),
    'a field that is missing': (2, ['at 1', 'address'], ['--layout', '[{"length":1}]']),
    'a negative number in JSON': (2, ['at 2', 'negative'], ['--layout', '[[-1,1]]']),
    'a fraction': (2, ['at 2', 'whole'], ['--layout', '[[1.5,1]]']),
    'no such layout file': (3, ['@nofile', 'No such'], ['--layout', '@nofile']),
    'a boundary': (2, ['at 9', 'boundary', 'power of two'], ['--limits', 'boundary=1000']),
    'a segment of nothing': (2, ['at 18', 'max_element_bytes', '0'],
                             ['--limits', 'max_element_bytes=0']),
    'a negative limit': (2, ['at 4', 'gap', 'negative'], ['--limits', 'gap=-1']),
    'no such limit': (2, ['at 0', 'frob'], ['--limits', 'frob=1']),
    'no value': (2, ['at 3', 'gap'], ['--limits', 'gap']),
    'rules that can not hold': (2, ['boundary', '512'],
                                ['--limits', 'boundary=256,addr_align=512']),
    'nor in two options': (2, ['--limits', '256 is smaller'],
                           ['--limits', 'boundary=256', '--limits', 'addr_align=512']),
    'a limit in JSON': (2, ['at 12', 'boundary'], ['--limits', '{"boundary":1000}']),
    'an unknown limit in JSON': (2, ['at 8', 'frob'], ['--limits', '{"frob":1}']),
    'limits in limits': (2, ['frob'], ['--limits', '{"limits":{"frob":1}}']),
    'limits among others': (2, ['several limits', '#NAME', ': a, b/msg, b/rdm, u'],
                            ['--limits', SEVERAL]),
    'limits in an array': (2, ['several limits', ': limits, limits'],
                           ['--limits', '[{"limits":{"gap":8}},{"limits":{"gap":16}}]']),
    'an object behind limits': (2, ['there are no limits'],
                                ['--limits', '[{"limits":5},{"gap":8}]']),
    'no limits in JSON': (2, ['there are no limits'], ['--limits', '{"crypto":{}}']),
    'no object in JSON': (2, ['there are no limits'], ['--limits', '[1]']),
    'too many levels': (2, ['at 32', 'levels'], ['--limits', '[' * 33]),
    'no such sink': (2, ['frob', 'sink'], ['--sink', 'frob']),
    'no such policy': (2, ['frob', 'refuse'], ['--unregistered', 'frob']),
    'a page': (2, ['--page-size'], ['--page-size', '1000']),
    'columns': (2, ['--columns'], ['--columns', '3']),
    'a number': (2, ['--stage', 'at 2'], ['--stage', '12y']),
    'no such provider': (5, ['fabric:none'], ['--limits', 'fabric:none']),
    'no such block device': (5, ['block:none'], ['--limits', 'block:none']),
    'no such file': (3, ['nofile'], ['--limits', 'file:nofile']),
    'a ring with a name': (2, ['uring:x', 'alone'], ['--limits', 'uring:x']),
    'a controller': (2, ['at 5', 'mdts'], ['--limits', 'nvme:mdts=x']),
    'a controller without SGLs': (2, ['SGLs'], ['--limits', 'nvme:sgls=0']),
}


@cases(ERRORS)
def errors(rig, name):
    code, words, args = ERRORS[name]
    if not {'--layout', '--pieces'} & set(args) and '--limits' in args + ['--limits'] and \
            name not in ('no layout', 'an unknown option'):
        args = args + ['--layout', '1@1']
    done = decant(rig, 'explain', *args)
    check_error(code, words, done.returncode, done.stderr)
    same(done.stdout, b'', 'standard output')


PROCESS_ERRORS = {
    'no such process': (3, ['entry 0', 'No such process'], '2147483647:0x1000:1'),
    'memory that is not there': (3, ['entry 0', 'Bad address'], '{pid}:0x10:1'),
    'no address': (2, ['at ', 'address'], '{pid}:x:1'),
    'no number': (2, ['at ', 'PID:ADDRESS:NR'], '{pid}:1'),
    'no entries': (2, ['no entries'], '{pid}:0x1000:0'),
    'too many': (2, ['at 17', 'number'], '2147483647:0x100:99999999999'),
    'no such number of a process': (2, ['at 0', 'pid'], '2147483648:1:1'),
    'a negative process': (2, ['at 0', 'pid', 'negative'], '-1:0x1000:1'),
    'too many bits': (2, ['at 2', 'address', '64 bits'], '1:0x10000000000000000:1'),
}


@cases(PROCESS_ERRORS)
def process_errors(rig, name):
    code, words, where = PROCESS_ERRORS[name]
    done = decant(rig, 'explain', '--process', where.format(pid=os.getpid()))
    check_error(code, words, done.returncode, done.stderr)


@case('a process with an entry that wraps')
def process_wraps(rig):
    table = ctypes.create_string_buffer(struct.pack('=QQQQ', 64, 64, 1 << 63, 1 << 63))
    done = decant(rig, 'explain', '--process',
                  f'{os.getpid()}:{ctypes.addressof(table):#x}:2')
    check_error(3, ['entry 1', 'length'], done.returncode, done.stderr)
    del table


@cases(['text', 'JSON', 'JSON in, JSON out'])
def a_million_in_bounded_memory(rig, name):
    if rig.sanitized:
        raise Skip('a sanitizer needs memory of its own')
    args = ['--pieces', 1000000, '--size', 512, '--misalign', 3, '--sink', 'sge']
    if name == 'JSON in, JSON out':
        layout = rig.path('layout')
        # Not in one piece: a child's memory is counted from this process' on.
        with open(layout, 'w', encoding='ascii') as file:
            for i in range(1000000):
                file.write(f"{',' if i else '['}[512,{4096 * i + 4099}]")
            file.write(']')
        args = ['--layout', f'@{layout}', '--sink', 'sge']
    if name != 'text':
        args.append('--json')
    with subprocess.Popen([rig.decant, 'explain', *map(str, args)],
                          stdout=subprocess.DEVNULL) as run:
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
    same(run.returncode, 0, 'exit status')
    check(usage.ru_maxrss < 200000, f'{usage.ru_maxrss} KiB')
    print(f'# {usage.ru_maxrss} KiB')


@case('limits of a file, and back')
def file_limits(rig):
    path = rig.file('file', 5000)
    found = limits(rig, path)
    if found['direct']:
        same((found['limits']['addr_align'], found['limits']['len_align']),
             (found['addr_align'], found['offset_align']), 'alignments')
    round_trip(rig, path, f'file:{path}', found['limits'])


@case('limits of the fabric, and back')
def fabric_limits(rig):
    provider = limits(rig, 'fabric')['providers'][0]
    same(provider['limits'], {'max_elements': provider['max_elements'],
                              'max_bytes': provider['max_bytes']}, 'limits')
    what = f"fabric:{provider['provider']}"
    round_trip(rig, what, what, provider['limits'])


@case('limits of io_uring, and back')
def uring_limits(rig):
    found = limits(rig, 'uring')['io_uring']
    if found['available']:
        check('fast_poll' in found['features'] and found['readv'], found)
        check(found['operations'] > 20, found)
    round_trip(rig, 'uring', 'uring', found['limits'])
    check('io_uring' in decant(rig, 'limits', 'uring').stdout.decode(), 'text')


QUEUE = {'max_segments': 127, 'max_segment_size': 65536, 'max_sectors_kb': 1280,
         'max_hw_sectors_kb': 4096, 'virt_boundary_mask': 4095, 'dma_alignment': 3,
         'logical_block_size': 512, 'physical_block_size': 4096}


@case('limits of a block device, and back')
def block_limits(rig):
    queue = rig.path('nvme9n1') / 'queue'
    queue.mkdir(parents=True)
    for name, value in QUEUE.items():
        (queue / name).write_text(f'{value}\n')
    what = f"block:{rig.path('nvme9n1')}"
    (found,) = limits(rig, what)['block']
    same({name: found[name] for name in QUEUE}, QUEUE, 'the queue')
    same(found['limits'], {'max_elements': 127, 'max_element_bytes': 65536,
                           'max_bytes': 1280 * 1024, 'gap': 4096, 'addr_align': 4,
                           'len_align': 512}, 'limits')
    round_trip(rig, what, what, found['limits'])
    check('127' in decant(rig, 'limits', what).stdout.decode(), 'text')
    (queue / 'max_segments').write_text('many\n')
    done = decant(rig, 'limits', what)
    check_error(3, ['max_segments'], done.returncode, done.stderr)


@case('limits of this machine\'s disks')
def disks(rig):
    names = [name for name in os.listdir('/sys/class/block')
             if os.path.isdir(f'/sys/class/block/{name}/queue')]
    if not names:
        raise Skip('there are no block devices')
    same([disk['device'] for disk in limits(rig, 'block')['block']], sorted(names), 'disks')
    round_trip(rig, f'block:{names[0]}', f'block:{names[0]}',
               limits(rig, f'block:{names[0]}')['block'][0]['limits'])


@case('who does the cryptography')
def crypto(rig):
    found = limits(rig, 'crypto')['crypto']
    check(found['backends']['openssl'], 'OpenSSL is not there')
    for name, lengths in found['chosen'].items():
        check(len(lengths) == 5 and all(found['backends'][who] for who in lengths.values()),
              name)
    check(found['chosen']['aes-256-gcm'], 'AES-256-GCM')
    check('aes-256-xts' in decant(rig, 'limits', 'crypto').stdout.decode(), 'text')


@case('limits of RDMA devices')
def verbs(rig):
    done = decant(rig, 'limits', '--json', 'verbs')
    if done.returncode:
        check_error(5, ['verbs', 'RDMA'], done.returncode, done.stderr)
        return
    for device in json.loads(done.stdout)['verbs']:
        check(device['limits']['max_elements'] >= 1, device)


@cases(['uring:x', 'crypto:x'])
def no_name_behind(rig, what):
    done = decant(rig, 'limits', what)
    check_error(2, [what, 'alone'], done.returncode, done.stderr)


@case('limits of everything')
def everything(rig):
    found = limits(rig, 'all')
    same(set(found), {'block', 'io_uring', 'providers', 'verbs', 'crypto'}, 'sections')
    done = decant(rig, 'limits', 'all')
    same((done.returncode, done.stderr), (0, b''), 'text')


@case('limits of an NVMe controller')
def controller(rig):
    same(taken(rig, '--limits', 'nvme:mdts=5,page=4096,block=512'),
         {'max_bytes': 131072, 'block': 512}, 'PRP')
    same(taken(rig, '--limits', 'nvme:sgls=0x2,block=4096'),
         {'addr_align': 4, 'len_align': 4, 'block': 4096}, 'SGL')


@case('one of several limits, by its name')
def named(rig):
    path = rig.path('several#all')
    path.write_text(SEVERAL)
    for name, gap in (('a', 8), ('b/msg', 16), ('b/rdm', 32), ('u', 64)):
        same(taken(rig, '--limits', f'@{path}#{name}'), {'gap': gap}, name)
    for name, words in (('b', ['at ', 'several', ': b/msg, b/rdm']),
                        ('x', ['called x', 'only: a, b/msg, b/rdm, u'])):
        done = decant(rig, 'explain', '--layout', '1@1', '--limits', f'@{path}#{name}')
        check_error(2, words, done.returncode, done.stderr)
    result = explained(rig, '--layout', '1@1', '--limits', '-#a', data=SEVERAL.encode())
    same(result['limits'], {'gap': 8}, 'from standard input')
    for first, second in (('a', 'a/x'), ('a/x', 'a')):
        path.write_text(f'{{"l":[{{"n":"{first}","limits":{{"gap":8}}}},'
                        f'{{"n":"{second}","limits":{{"gap":16}}}}]}}')
        gaps = {first: 8, second: 16}
        for name, gap in gaps.items():
            same(taken(rig, '--limits', f'@{path}#{name}'), {'gap': gap}, name)
    for text, word in (('gap=8', 'no JSON'), ('{"gap":8}', 'no limits')):
        path.write_text(text)
        done = decant(rig, 'explain', '--layout', '1@1', '--limits', f'@{path}#a')
        check_error(2, [word, 'called a'], done.returncode, done.stderr)


@case('limits that are given twice are both kept')
def both(rig):
    same(taken(rig, '--limits', 'max_elements=9,boundary=4096', '--limits',
               '{"max_elements":4,"gap":"4K"}'),
         {'max_elements': 4, 'boundary': 4096, 'gap': 4096}, 'limits')


if __name__ == '__main__':
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
