#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""benchmarks.py - what is made of measured figures: what several processes come to, what moved,
and that the committed page and plots are those of the committed figures. TAP."""
import json
import pathlib
import shutil
import sys
import tempfile
import xml.etree.ElementTree as tree

sys.dont_write_bytecode = True
from readme import TOP, case, links, run  # noqa: E402

sys.path.insert(0, str(TOP / 'bench'))
from comparison import moved  # noqa: E402
from measuring import COUNTER, NAMES, combine  # noqa: E402
from page import ABOUT, number, text  # noqa: E402
from plot import FIGURES, Scale, draw_all, dots, spread_out  # noqa: E402

SVG = '{http://www.w3.org/2000/svg}'


def row(median, low, high, **more):
    values = {prefix + part: value for prefix in ('', 'bound_', 'ratio_') for part, value in
              (('median', median), ('low', low), ('high', high), ('min', low), ('max', high))}
    return {'name': 'a row', 'unit': 'ns', 'runs': 41, 'bound': 'a loop', **values, **more}


def differences(pairs):
    return [f'{got!r}, wanted {wanted!r}' for got, wanted in pairs if got != wanted]


def combined():
    """Of three processes: the middle one's median, the widest spread."""
    got = combine([row(2, 1.9, 2.1), row(5, 4, 6), row(3, 2.5, 3.5)])
    count = {'name': 'elements', 'unit': 'elements', 'count': 3}
    return differences([
        ([got['ratio_' + part] for part in ('median', 'low', 'high')], [3, 1.9, 6]),
        (got['runs'], 123), (combine([count, count]), count)])


def result(median, low, high):
    return {'programs': {'p': [row(median, low, high)]}}


def what_moved():
    base = result(1, 0.95, 1.05)
    return differences([
        (moved(base, result(1.5, 1.4, 1.6)), ['p: a row: ratio 1 -> 1.5']),
        (moved(base, result(1.2, 1.0, 1.6)), []),      # the spreads meet
        (moved(base, result(1.08, 1.06, 1.09)), []),   # apart, but by little
        (moved(base, {'programs': {'q': [row(9, 8, 10)]}}), [])])


def numbers():
    return differences([(number(0.08234), '0.0823'), (number(999.4), '999'),
                        (number(9433), '9,430'), (number(857321), '857,000')])


def scale():
    axis = Scale(0.1, 10, 0, 200)
    places = spread_out([10, 5, 11], 16)
    return differences([(round(axis(1), 6), 100), (1.0 in axis.ticks(20), True),
                        (places, [21, 5, 37])])


def every_program_is_there():
    names = set(NAMES) - {COUNTER}
    return differences([(set(ABOUT), names), ({program for program, *_ in FIGURES}, names)])


def every_row_is_drawn():
    """Each row has a dot where its median is; all of it is in the picture."""
    rows = [row(0.5, 0.4, 0.6), row(7, 6, 8, name='another & <one>', goal=2, goal_of='ratio')]
    with tempfile.TemporaryDirectory() as room:
        path = pathlib.Path(room, 'x.svg')
        dots(path, 'a title', 'here', rows)
        root = tree.parse(path).getroot()
    words = [element.text for element in root.iter(SVG + 'text')]
    legend, width, height = 3, float(root.get('width')), float(root.get('height'))
    circles = list(root.iter(SVG + 'circle'))
    places = [(float(c.get('cx')), float(c.get('cy'))) for c in circles]
    problems = differences([(len(circles), len(rows) + legend)])
    problems += [f'outside: {x} {y}' for x, y in places if not (0 < x < width and 0 < y < height)]
    return problems + [f'no {name}' for name in ('a title', 'here', 'a row', 'another & <one>')
                       if name not in words]


def committed(room):
    """The page and the plots are what the figures give."""
    figures = json.loads((TOP / 'docs/benchmarks.json').read_text())
    plots = draw_all(figures, pathlib.Path(room))
    drawn = {path.name: path.read_text() for path in pathlib.Path(room).iterdir()}
    there = {path.name: path.read_text() for path in (TOP / 'docs/plots').iterdir()}
    problems = [f'docs/plots/{name}: not what bench/report --page draws'
                for name in sorted(drawn.keys() | there.keys())
                if drawn.get(name) != there.get(name)]
    if text(figures, plots) != (TOP / 'docs/benchmarks.md').read_text():
        problems.append('docs/benchmarks.md: not what bench/report --page writes')
    return problems


def rendered(room):
    for path in sorted((TOP / 'docs/plots').iterdir()):
        done = run('rsvg-convert', str(path), '-o', f'{room}/picture.png')
        yield from (f'{path.name}: {line}' for line in done.stderr.splitlines())
        if done.returncode:
            yield f'{path.name}: exit {done.returncode}'


def main():
    cases = [('several processes come to the median and the widest spread', combined),
             ('what moved beyond noise, and only that', what_moved),
             ('numbers have three digits and no exponent', numbers),
             ('axes are logarithmic, labels keep apart', scale),
             ('every program has words and a picture', every_program_is_there),
             ('every row is drawn', every_row_is_drawn),
             ("the page's links lead somewhere", lambda: links(TOP / 'docs/benchmarks.md'))]
    print(f'1..{len(cases) + 2}')
    good = True
    for nr, (name, check) in enumerate(cases, 1):
        good &= case(nr, name, check())
    with tempfile.TemporaryDirectory() as room:
        good &= case(nr + 1, 'page and plots are those of the figures', committed(room))
        if shutil.which('rsvg-convert'):
            good &= case(nr + 2, 'the plots can be rendered', list(rendered(room)))
        else:
            print(f'ok {nr + 2} - the plots can be rendered # SKIP no rsvg-convert')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
