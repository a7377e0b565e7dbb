# SPDX-License-Identifier: MIT
"""plot.py - ratios as SVG: a dot for each row, or lines over the size of a piece."""
import math
import re
from xml.sax.saxutils import escape

from measuring import machine

WIDTH = 880
ROW = 19
LETTER = 6.1  # of 12 px, on average
RIGHT = 142
INK, SOFT, GRID = '#1b1f24', '#57606a', '#d8dee4'
FASTER, SLOWER, LEVEL = '#1f6fb4', '#c4541c', '#6e7781'
SERIES = ['#1f6fb4', '#c4541c', '#2f855a', '#7b4fa3', '#a67c00', '#0f8b8d', '#8c2f5b', '#444c56']
# Round numbers of a decade, from many to few.
ROUND = [(1, 1.1, 1.2, 1.3, 1.5, 2, 3, 4, 5, 6, 7, 8, 9), (1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1,)]


class Svg:
    def __init__(self, title):
        self.title = title
        self.parts = []

    def text(self, x, y, words, size=12, anchor='start', fill=INK, weight='normal'):
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{fill}" font-weight="{weight}">{escape(words)}</text>')

    def line(self, x1, y1, x2, y2, stroke=GRID, width=1.0, dash=''):
        dashes = f' stroke-dasharray="{dash}"' if dash else ''
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{stroke}" stroke-width="{width}"{dashes}/>')

    def dot(self, x, y, fill, radius=4):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}"/>')

    def target(self, x, y):
        self.parts.append(
            f'<path d="M{x:.1f} {y - 6:.1f} l5 6 l-5 6 l-5 -6 z" fill="none" '
            f'stroke="{INK}" stroke-width="1.2"/>')

    def path(self, points, stroke):
        place = ' L'.join(f'{x:.1f} {y:.1f}' for x, y in points)
        self.parts.append(f'<path d="M{place}" fill="none" stroke="{stroke}" '
                          'stroke-width="2" stroke-linejoin="round"/>')

    def write(self, path, height):
        path.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
            f'viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
            'font-family="Helvetica, Arial, Liberation Sans, sans-serif">\n'
            '<!-- SPDX-License-Identifier: MIT -->\n'
            f'<title>{escape(self.title)}</title>\n'
            '<rect width="100%" height="100%" fill="#ffffff"/>\n' +
            '\n'.join(self.parts) + '\n</svg>\n')


class Scale:
    """A logarithmic axis from low to high, drawn from one coordinate to another."""

    def __init__(self, low, high, start, end):
        self.low, self.high = math.log(low), math.log(high)
        self.start, self.end = start, end

    def __call__(self, value):
        part = (math.log(value) - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self, room):
        """As many round numbers as have room, 1 among them."""
        for keep in ROUND:
            chosen = [k * 10.0 ** e for e in range(-4, 5) for k in keep
                      if self.low <= math.log(k * 10.0 ** e) <= self.high]
            places = [self(t) for t in chosen]
            if all(abs(a - b) >= room for a, b in zip(places, places[1:])):
                break
        return chosen


def mark(value):
    return f'{value:,.0f}' if value >= 1000 else f'{value:.3g}'


def ratio_text(row):
    low, median, high = (row['ratio_' + part] for part in ('low', 'median', 'high'))
    return f'{median:.2f}  ({low:.2f} to {high:.2f})'


def target_of(row):
    """The target as a ratio."""
    if 'goal' not in row:
        return None
    return row['goal'] / (1 if row['goal_of'] == 'ratio' else row['bound_median'])


def bounds(rows):
    values = [row['ratio_' + part] for row in rows for part in ('low', 'high')]
    values += [target_of(row) for row in rows if 'goal' in row]
    return min(min(values), 0.9) / 1.08, max(max(values), 1.1) * 1.08


def colour(row):
    if row['ratio_high'] < 1:
        return FASTER
    return SLOWER if row['ratio_low'] > 1 else LEVEL


def groups(rows):
    """Rows by what they are beside and their unit, in the order in which these came."""
    units = {row['unit'] for row in rows}
    found = {}
    for row in rows:
        name = f"beside {row['bound']}" + (f", {row['unit']}" if len(units) > 1 else '')
        found.setdefault(name, []).append(row)
    return found


def head(svg, title, about):
    svg.text(16, 28, title, 17, weight='bold')
    svg.text(16, 48, about, fill=SOFT)


def ratio_axis(svg, scale, top, bottom):
    for tick in scale.ticks(34):
        x = scale(tick)
        one = math.isclose(tick, 1)
        svg.line(x, top, x, bottom, INK if one else GRID, 1.2 if one else 1)
        svg.text(x, top - 7, mark(tick), 11, 'middle', INK if one else SOFT)
        svg.text(x, bottom + 16, mark(tick), 11, 'middle', INK if one else SOFT)


def one_row(svg, scale, label_x, y, row):
    ink = colour(row)
    svg.text(label_x, y + 4, row['name'].split('; beside')[0], anchor='end')
    svg.line(scale(row['ratio_low']), y, scale(row['ratio_high']), y, ink, 4)
    svg.dot(scale(row['ratio_median']), y, ink)
    if target := target_of(row):
        svg.target(scale(target), y)
    svg.text(WIDTH - RIGHT + 12, y + 4, ratio_text(row), 11, fill=ink)


def legend(svg, y, rows):
    x = 16
    for ink, words in ((FASTER, 'decant takes less'), (LEVEL, 'no difference beyond the spread'),
                       (SLOWER, 'decant takes more')):
        svg.line(x, y, x + 22, y, ink, 4)
        svg.dot(x + 11, y, ink)
        svg.text(x + 30, y + 4, words, 11, fill=SOFT)
        x += 54 + len(words) * 5.7
    if any('goal' in row for row in rows):
        svg.target(x + 5, y)
        svg.text(x + 17, y + 4, 'target', 11, fill=SOFT)


def dots(path, title, origin, rows):
    """A line for each row: median as a dot, spread as a bar, on a logarithmic axis."""
    svg, parts = Svg(title), groups(rows)
    label_x = 22 + LETTER * max(len(row['name'].split('; beside')[0]) for row in rows)
    height = 24 + len(rows) * ROW + len(parts) * (ROW + 6)
    top = 88
    scale = Scale(*bounds(rows), label_x + 14, WIDTH - RIGHT)
    head(svg, title, 'time of decant / time of what it is beside; dot: median, bar: spread; '
         'logarithmic; left of 1, decant takes less')
    ratio_axis(svg, scale, top, top + height - 18)
    y = top + 12
    for name, some in parts.items():
        svg.text(16, y + 6, name, 12, fill=SOFT, weight='bold')
        y += ROW + 2
        for row in some:
            one_row(svg, scale, label_x, y, row)
            y += ROW
        y += 4
    bottom = top + height
    legend(svg, bottom + 22, rows)
    svg.text(16, bottom + 46, origin, 11, fill=SOFT)
    svg.write(path, bottom + 60)


def bytes_text(size):
    return f'{size >> 20} MiB' if size >= 1 << 20 else \
        f'{size >> 10} KiB' if size >= 1024 and size % 1024 == 0 else str(size)


def curve(svg, sizes, ratios, points, ink):
    svg.path([(sizes(size), ratios(row['ratio_median'])) for size, row in points], ink)
    for size, row in points:
        x = sizes(size)
        svg.line(x, ratios(row['ratio_low']), x, ratios(row['ratio_high']), ink, 5)
        svg.dot(x, ratios(row['ratio_median']), ink)


def spread_out(places, room):
    """The same places from top to bottom, none closer to the one above than room."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    result, last = list(places), -math.inf
    for i in order:
        last = result[i] = max(places[i], last + room)
    return result


def sweep_axes(svg, sizes, ratios, all_sizes, frame):
    left, top, right, bottom = frame
    for tick in ratios.ticks(18):
        y, one = ratios(tick), math.isclose(tick, 1)
        svg.line(left, y, right, y, INK if one else GRID, 1.2 if one else 1)
        svg.text(left - 8, y + 4, mark(tick), 11, 'end', INK if one else SOFT)
    last = -math.inf
    for size in all_sizes:
        svg.line(sizes(size), top, sizes(size), bottom)
        if sizes(size) - last > 28:
            last = sizes(size)
            svg.text(last, bottom + 16, bytes_text(size), 11, 'middle', SOFT)
    svg.text((left + right) / 2, bottom + 36, 'bytes of a piece (logarithmic)', 11, 'middle',
             SOFT)


def sweep(path, title, origin, series):
    """A curve for each series of {size: row}; its name stands at its end."""
    svg = Svg(title)
    rows = [row for points in series.values() for row in points.values()]
    all_sizes = sorted({size for points in series.values() for size in points})
    names = max(len(name) for name in series)
    frame = left, top, right, bottom = 64, 72, WIDTH - 30 - LETTER * names, 372
    low, high = bounds(rows)
    sizes = Scale(all_sizes[0] / 1.15, all_sizes[-1] * 1.15, left, right)
    ratios = Scale(low, high, bottom, top)
    head(svg, title, 'time of decant / time of what it is beside; dot: median, bar: spread; '
         'both axes logarithmic; below 1, decant takes less')
    sweep_axes(svg, sizes, ratios, all_sizes, frame)
    ends = spread_out([ratios(max(points.items())[1]['ratio_median'])
                       for points in series.values()], 16)
    # More curves than colours would tell nothing apart.
    inks = SERIES[:len(series)]
    for (name, points), ink, y in zip(series.items(), inks, ends, strict=True):
        curve(svg, sizes, ratios, sorted(points.items()), ink)
        svg.text(right + 12, y + 4, name, fill=ink)
    svg.text(16, bottom + 62, origin, 11, fill=SOFT)
    svg.write(path, bottom + 76)


def series_of(rows, start):
    """Rows whose names begin so, by what they are beside and the bytes of a piece."""
    found = {}
    for row in rows:
        size = re.match(re.escape(start) + r' (\d+)-byte pieces', row['name'])
        if size and 'bound' in row:
            found.setdefault(f"beside {row['bound']}", {})[int(size[1])] = row
    return {shorten(name): points for name, points in found.items()}


def shorten(name):
    return name.replace('all of it copied into one piece and back', 'copied into one piece, back')


# What is drawn of which program: file, title, and which rows, or which series.
FIGURES = [
    ('extract', 'extract', 'Lists of memory into what devices take', lambda row: True),
    ('nvme', 'nvme', 'Lists into PRPs, SGLs, tuples and scatterlists', lambda row: True),
    ('path2022', 'path2022', 'A write over SMB Direct, as requests', lambda row: True),
    ('own', 'own', 'Taking fragments over', lambda row: True),
    ('copy', 'copy', 'Copies between two cuts', lambda row: True),
    ('aead', 'aead-pieces', 'AES-256-GCM over pieces, cut differently on both sides',
     'AES-256-GCM, auto,'),
    ('aead', 'aead', 'Authenticated encryption by back end, beside OpenSSL in one piece',
     lambda row: row['bound'] == 'OpenSSL, in one piece'),
    ('cipher', 'cipher', 'AES-XTS in data units', lambda row: True),
    ('digest', 'digest', 'Digests over pieces', lambda row: True),
    ('crc', 'crc', 'CRC-32C over pieces', 'CRC-32C,'),
    ('uring', 'uring', 'Direct I/O beside fio', lambda row: row['bound'] == 'fio'),
    ('uring', 'uring-registered', 'Direct I/O with registered buffers, and in pieces',
     lambda row: row['bound'] != 'fio'),
    ('copies', 'copies', 'Copies between two processes', lambda row: True),
    ('age', 'age', 'Files in the age format', lambda row: True),
    ('verbs', 'verbs', 'A MiB over RDMA, on a device that is done at once', lambda row: True),
    ('verbs-wire', 'verbs-wire', 'Over soft RoCE, beside perftest', lambda row: True),
    ('ofi-write', 'ofi-write', 'Remote writes over libfabric', lambda row: True),
    ('explain', 'explain', 'What an explanation costs beside what it explains', lambda row: True),
    ('uring-send', 'uring-send', 'Datagrams without a copy', lambda row: True),
]


def draw(path, title, origin, rows, chosen):
    if callable(chosen):
        rows = [row for row in rows if chosen(row)]
        if rows:
            dots(path, title, origin, rows)
    elif series := series_of(rows, chosen):
        sweep(path, title, origin, series)


def draw_all(result, directory):
    """Into the directory; the files and titles for each program."""
    directory.mkdir(exist_ok=True)
    found = {}
    place = result['where']
    for program, file, title, chosen in FIGURES:
        rows = [row for row in result['programs'].get(program, []) if 'bound' in row]
        measured = result.get('measured', {}).get(program, place)
        origin = f"{measured.get('machine') or machine(place)}; commit {measured['commit']}"
        if measured.get('quick'):
            origin += '; few runs, for a look only'
        path = directory / f'{file}.svg'
        path.unlink(missing_ok=True)
        draw(path, title, origin, rows, chosen)
        if path.exists():
            found.setdefault(program, []).append((path.name, title))
    return found
