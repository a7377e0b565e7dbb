# SPDX-License-Identifier: MIT
"""page.py - docs/benchmarks.md from measured rows."""
from measuring import COUNTER, DRIVERS

HEAD = """<!-- SPDX-License-Identifier: MIT -->
# Benchmarks

Written by `./dev bench`, which measures everything again, compares with what was committed last
and says what moved; `./dev bench NAME...` measures some of it, `--quick` with fewer runs. All of
it is in [benchmarks.json](benchmarks.json).

**Read the ratios.** Times move with the machine and with what else it does. Each figure here is
the time of decant divided by that of something else that did the same work: the plain loop that a
program would write for just this case, or a peer's library. Both ran by turns, so that whatever
else happened hit both. Below 1, decant took less. A figure is the median over all pairs of runs,
with the quartiles in brackets; where it is of several processes, the median of their medians with
the least lower and the greatest upper quartile. Something has *moved* when the spreads of two
measurements don't meet and the medians are a tenth apart.

The command below each heading repeats it; with `BENCH_ONLY=TEXT` in the environment (or TEXT as an
argument of `bench/uring`, `bench/age` and `bench/copies`) only the rows whose names have TEXT.
"""

ABOUT = {
    'extract': 'Lists of memory into what devices take, beside loops written for one kind, one '
               'sink and no rules: these look up no owner, know no limit and hold nothing.',
    'nvme': 'The same into the formats of NVMe and of DMA, 64 regions of which owners are looked '
            'up, beside a loop that bisects for the owner and checks nothing else.',
    'path2022': "The conversions of Linux' SMB Direct up to 6.0 (page list, one scatterlist per "
                'piece, SGEs), rebuilt, beside one extraction into the same requests.',
    'verbs': '1 MiB written over RDMA, on a device that is done at once, beside a signalled '
             'request for each page piece, and beside one element in a request.',
    'verbs-wire': 'RDMA in a guest with soft RoCE, beside perftest doing the same over the '
                  'same device.',
    'own': 'Fragments taken over for asynchronous use and given back, beside the buffers of '
           'libevent.',
    'copy': 'Copies between lists that are cut differently, beside a loop of memcpy over them.',
    'aead': 'Sealing pieces cut differently on both sides, beside OpenSSL over the same bytes in '
            'one piece; also beside what a program does who has only one of the libraries.',
    'cipher': 'AES-XTS in data units, beside OpenSSL over contiguous ones.',
    'digest': 'Hashes of pieces, beside OpenSSL over the same bytes in one piece.',
    'crc': 'CRC-32C of pieces, beside ISA-L.',
    'uring': 'Direct I/O on one file, beside fio with its io_uring engine and the same depth; '
             'each once by the clock and once by processor time.',
    'copies': 'decant copy between two processes: while chunks are under way, beside bare writes '
              'of memory over the same fabric, which read no file; then whole commands beside '
              'scp and rsync.',
    'age': 'Files in the age format between memory and nowhere, beside the program age.',
    'explain': 'What decant explain takes for a piece, beside the extraction that it is about.',
    'ofi-write': 'Remote writes over libfabric to another process, beside fi_writemsg() of one '
                 'piece on the same end point; and such as are only counted, beside the same '
                 'with an event each.',
    'uring-send': 'Datagrams sent without a copy, beside the same sent with one.',
}


def number(value):
    """Three digits that count, and no powers of ten."""
    if value < 1000:
        return f'{value:.3g}'
    return f"{int(float(f'{value:.3g}')):,}"


def spread(row, prefix=''):
    median, low, high = (number(row[prefix + part]) for part in ('median', 'low', 'high'))
    return f'{median} ({low} to {high})'


def goal_met(row):
    return row['ratio_median' if row['goal_of'] == 'ratio' else 'median'] <= row['goal']


def goal_text(row):
    if 'goal' not in row:
        return ''
    unit = '' if row['goal_of'] == 'ratio' else f" {row['unit'].split('/')[0].split()[0]}"
    return f"{row['goal']:.3g}{unit}: {'met' if goal_met(row) else '**missed**'}"


def command(name):
    if name in DRIVERS:
        return ' build-release/'.join(DRIVERS[name][:2])
    return f'build-release/bench/bench-{name}'


def when(result, name):
    measured = result.get('measured', {}).get(name, result['where'])
    rows = result['programs'].get(name, [])
    runs = ' or '.join(map(str, sorted({row['runs'] for row in rows if 'runs' in row})))
    parts = [f"Measured at commit {measured['commit']}"]
    parts += [f"on {measured['date']}"] if 'date' in measured else []
    parts += [f'in {runs} pairs of runs a row'] if runs else []
    parts += ['**few, for a look only**'] if measured.get('quick') else []
    return ', '.join(parts) + '.'


def table(rows):
    yield '| what | unit | ratio | decant | beside | target |\n|---|---|---|---|---|---|'
    for row in rows:
        beside = f"{row['bound']}: {spread(row, 'bound_')}" if 'bound' in row else ''
        ratio = f"**{spread(row, 'ratio_').replace(' ', '** ', 1)}" if 'bound' in row else ''
        yield (f"| {row['name'].split('; beside')[0]} | {row['unit']} | {ratio} | "
               f'{spread(row)} | {beside} | {goal_text(row)} |')


def counts(rows):
    yield '<details><summary>What was counted, not timed</summary>\n'
    yield '| what | counted | number |\n|---|---|---|'
    for row in rows:
        yield f"| {row['name']} | {row['unit']} | {row['count']:,} |"
    yield '\n</details>\n'


def program_text(result, name, plots):
    rows = result['programs'][name]
    counted = [row for row in rows if 'count' in row]
    yield f'## {name}\n\n{ABOUT[name]} {when(result, name)}\n'
    yield f'    ninja -C build-release bench && {command(name)}\n'
    yield from (f'![{title}](plots/{file})\n' for file, title in plots.get(name, []))
    yield from table([row for row in rows if 'count' not in row])
    yield ''
    if counted:
        yield from counts(counted)


def instructions_text(result):
    rows = result[COUNTER]
    sinks = list(dict.fromkeys(sink for row in rows.values() for sink in row))
    yield f'## Instructions\n\n{when(result, COUNTER)}\n'
    yield '    bench/callgrind build-release/bench/bench-instructions\n'
    yield ('Per element, and in brackets per call, of each kind into each sink: owners looked '
           'up,\nkeys filled in, an element of a page for each span. A dash: the two do not '
           'go together.\n')
    yield f"| | {' | '.join(sinks)} |\n|---|{'---|' * len(sinks)}"
    for kind, row in rows.items():
        cells = [f"{row[sink]['element']:g} ({row[sink]['call']})"
                 if 'element' in row.get(sink, {}) else '-' for sink in sinks]
        yield f"| {kind} | {' | '.join(cells)} |"
    yield ''


def targets(result):
    """What was aimed at, and where it was missed."""
    rows = [(name, row) for name, rows in result['programs'].items() for row in rows
            if 'goal' in row]
    missed = [(name, row) for name, row in rows if not goal_met(row)]
    yield f'## Targets\n\n{len(rows) - len(missed)} of {len(rows)} are met. Missed:\n'
    yield '| | what | unit | target | is | ratio |\n|---|---|---|---|---|---|'
    for name, row in missed:
        of = 'ratio_' if row['goal_of'] == 'ratio' else ''
        yield (f"| [{name}](#{name}) | {row['name']} | {'ratio of ' if of else ''}{row['unit']} | "
               f"{row['goal']:.3g} | {spread(row, of)} | {number(row.get('ratio_median', 0))} |")
    yield ''


def text(result, plots):
    parts = [HEAD, '## Where\n', '| | |\n|---|---|']
    parts += [f'| {key} | {value} |' for key, value in result['where'].items()]
    parts += ['', *targets(result)]
    for name in result['programs']:
        parts += program_text(result, name, plots)
    if COUNTER in result:
        parts += instructions_text(result)
    return '\n'.join(parts).rstrip() + '\n'
