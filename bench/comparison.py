# SPDX-License-Identifier: MIT
"""comparison.py - what moved between two sets of figures, beyond noise."""
INSTRUCTIONS_MOVED = 0.02
TIME_MOVED = 0.1


def moved_row(past, row):
    """Beyond noise: the spreads don't meet, and the medians are a tenth apart."""
    prefix = 'ratio_' if 'ratio_median' in row else ''
    if prefix + 'median' not in past:
        return None
    was, now = past[prefix + 'median'], row[prefix + 'median']
    apart = row[prefix + 'low'] > past[prefix + 'high'] or \
        row[prefix + 'high'] < past[prefix + 'low']
    if not apart or abs(now - was) <= TIME_MOVED * was:
        return None
    return f"{'ratio' if prefix else row['unit']} {was:.3g} -> {now:.3g}"


def same(row):
    return row['name'], row['unit'], row.get('bound')


def moved_times(old, new):
    for name, rows in new['programs'].items():
        before = {same(row): row for row in old['programs'].get(name, []) if 'runs' in row}
        for row in rows:
            past = before.get(same(row)) if 'runs' in row else None
            if past and (what := moved_row(past, row)):
                yield f"{name}: {row['name']}: {what}"


def moved_instructions(old, new):
    for kind, row in new.get('instructions', {}).items():
        for sink, cell in row.items():
            past = old.get('instructions', {}).get(kind, {}).get(sink, {})
            if cell.keys() != past.keys():
                yield f'instructions: {kind} into {sink}: new, or of another sort'
                continue
            for part in ('element', 'call'):
                was, now = past.get(part), cell.get(part)
                if was is not None and abs(now - was) > INSTRUCTIONS_MOVED * max(was, 1):
                    yield f'instructions: {kind} into {sink}, {part}: {was:g} -> {now:g}'


def moved(old, new):
    return [*moved_instructions(old, new), *moved_times(old, new)]
