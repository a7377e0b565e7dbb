# SPDX-License-Identifier: MIT
"""rows.py - rows of a benchmark as bench.h prints them, for those that are programs in Python."""
import statistics
import sys


def spread(prefix, values):
    low, median, high = statistics.quantiles(values, n=4)
    return {prefix + 'median': median, prefix + 'low': low, prefix + 'high': high,
            prefix + 'min': min(values), prefix + 'max': max(values)}


def row(name, unit, other, ours, theirs, goal):
    """ours and theirs are runs that took turns; goal is the largest ratio of a pair."""
    ratios = [a / b for a, b in zip(ours, theirs)]
    result = {'name': name, 'unit': unit, 'runs': len(ours), **spread('', ours), 'bound': other,
              **spread('bound_', theirs), **spread('ratio_', ratios)}
    if goal:
        result.update({'goal': round(goal, 3), 'goal_of': 'ratio'})
    return result


def show(result):
    """For people, on standard error."""
    print(f"{result['name']:56} {result['unit']:24} {result['bound']:20} "
          f"{result['median']:8.2f} {result['bound_median']:8.2f} "
          f"ratio {result['ratio_median']:.3f} ({result['ratio_low']:.3f} to "
          f"{result['ratio_high']:.3f})", file=sys.stderr, flush=True)
