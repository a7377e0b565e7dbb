#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""costs.py BENCHMARKS.JSON - the measured table that `decant explain` reckons with, as C."""
import json
import sys

# What a fragment costs in each sink, without rules, if it was measured; those of NVMe with a
# look-up of its owner, the others without.
SINKS = {
    'iovec': ('extract', 'iovec->iovec'),
    'bvec': ('extract', 'iovec->bvec'),
    'sge': ('extract', 'iovec->sge'),
    'count': ('extract', 'iovec->count'),
    'dma': ('nvme', 'iovec->dma, one region of 64'),
    'prp': ('nvme', 'iovec->prp, one region of 64'),
    'nvme_sgl': ('nvme', 'iovec->nvme_sgl, one region of 64'),
    'sglist': ('nvme', 'iovec->sglist, one region of 64'),
}
RULES = ('extract', 'iovec->sge, boundary')
OWNERS = ('extract', 'iovec->sge, 64 regions, pairs, 4 in a row, held')
CALL = ('extract', 'iovec->sge, one element a call')
COPIES = (16, 48, 512, 4096)


def figure(data, program, name):
    """Low quartile, median and high quartile; zeroes if it was not measured."""
    for row in data['programs'].get(program, []):
        if row['name'] == name and 'median' in row:
            return row['low'], row['median'], row['high']
    return 0, 0, 0


def beyond(data, which):
    """What it takes beyond a plain fragment."""
    whole, plain = figure(data, *which), figure(data, *SINKS['sge'])
    more = [max(a - b, 0) for a, b in zip(whole, plain)]
    return sorted(more)


def measured(data, what):
    """Of each benchmark that the table is from: all that differ."""
    programs = {'copy', RULES[0], *(program for program, _ in SINKS.values())}
    found = {place[what] for name, place in data['measured'].items() if name in programs}
    return ' and '.join(sorted(found)) or '?'


def show(values):
    return '{' + ', '.join(f'{value:.4g}' for value in values) + '}'


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        data = json.load(file)
    print('/* Made by costs.py from the committed benchmarks: low, median, high; ns. */')
    text = f"{measured(data, 'machine')}, commit {measured(data, 'commit')}"
    print(f'static const char costs_where[] = {json.dumps(text)};')
    print('static const struct costs_sink { const char *name; bool owned; double ns[3]; } '
          'costs_sinks[] = {')
    for name, which in SINKS.items():
        owned = str('one region' in which[1]).lower()
        print(f'\t{{"{name}", {owned}, {show(figure(data, *which))}}},')
    print('};')
    for name, which in ('rules', RULES), ('owners', OWNERS), ('call', CALL):
        print(f'static const double costs_{name}[3] = {show(beyond(data, which))};')
    print('static const struct costs_copy { size_t bytes; double ns[3]; } costs_copies[] = {')
    for size in COPIES:
        print(f"\t{{{size}, {show(figure(data, 'copy', f'list to flat, {size}-byte pieces'))}}},")
    print('};')


if __name__ == '__main__':
    main()
