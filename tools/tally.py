#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tally.py WHERE... - count TAP cases over several builds.

WHERE is a meson build directory whose tests ran, with the name of a test setup behind a
colon if they ran in one, or a file of TAP. Prints failures, then skips with their reasons,
what ran again and why, and one line of numbers; exits with 1 if anything failed.
"""
import json
import pathlib
import re
import sys

CASE = re.compile(r'(not )?ok\b\s*(\d+)?\s*(?:- )?([^#]*?)\s*(?:#\s*(\w+)\S*\s*(.*))?$')
PLAN = re.compile(r'1\.\.(\d+)\s*(?:#\s*skip\S*\s*(.*))?$', re.I)
SKIPPED = 77


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []
        self.again = []

    def fail(self, name, detail=()):
        self.failed.append((name, list(detail)))

    def tap(self, name, text, code):
        """Count one program's cases; what it promised and did not deliver has failed."""
        plan, seen, detail, failed = None, 0, [], len(self.failed)
        for line in text.splitlines():
            if match := PLAN.match(line):
                plan = int(match[1])
                if plan == 0:
                    self.skipped.append((name, match[2] or 'no reason'))
            elif match := CASE.match(line):
                seen += 1
                self.case(f'{name}: {match[3] or match[2]}', match, detail)
                detail = []
            elif line.startswith('Bail out!'):
                detail.append(line)
            elif line.startswith('# again: '):
                self.again.append((name, line.removeprefix('# again: ')))
            elif line.startswith('#'):
                detail.append(line)
        if plan is None:
            self.fail(f'{name}: no TAP plan (exit code {code})', detail)
        elif seen != plan:
            self.fail(f'{name}: {seen} of {plan} cases (exit code {code})', detail)
        elif code and len(self.failed) == failed:
            self.fail(f'{name}: exit code {code}', detail)

    def case(self, name, match, detail):
        directive = (match[4] or '').upper()
        if directive == 'SKIP' and not match[1]:
            self.skipped.append((name, match[5] or 'no reason'))
        elif match[1]:
            self.fail(name, detail)
        else:
            self.passed += 1

    def exitcode(self, name, test):
        if test['returncode'] == SKIPPED:
            self.skipped.append((name, 'exit code 77'))
        elif test['returncode'] or test['result'] != 'OK':
            self.fail(f"{name}: {test['result']}")
        else:
            self.passed += 1


def protocols(build):
    """Names of the tests of a build, as the log has them, and how they report."""
    tests = json.loads((build / 'meson-info/intro-tests.json').read_text())
    return {test['name']: test['protocol'] for test in tests}


def count_build(tally, where):
    path, _, setup = str(where).partition(':')
    build = pathlib.Path(path)
    log = build / 'meson-logs' / f"testlog{'-' if setup else ''}{setup}.json"
    if not log.exists():
        tally.fail(f'{where}: not built, or no test ran')
        return
    known = protocols(build)
    for line in log.read_text().splitlines():
        test = json.loads(line)
        short = test['name'].split(' / ')[-1]
        name = f'{where}: {short}'
        before = len(tally.failed)
        if known.get(short) == 'tap':
            tally.tap(name, test.get('stdout', ''), test['returncode'])
        else:
            tally.exitcode(name, test)
        if len(tally.failed) > before:
            tally.failed[-1][1].extend(test.get('stderr', '').splitlines()[-50:])
        elif test['result'] in ('TIMEOUT', 'INTERRUPT'):
            tally.fail(f"{name}: {test['result']}")


def report(tally):
    for name, detail in tally.failed:
        print(f'FAILED   {name}', *detail, sep='\n         ')
    for what, named in (('skipped', tally.skipped), ('again  ', tally.again)):
        for name, reason in named:
            print(f'{what}  {name}: {reason}')
    print(f'{tally.passed} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped')


def main():
    tally = Tally()
    for where in map(pathlib.Path, sys.argv[1:]):
        if where.suffix == '.tap':
            text = where.read_text() if where.exists() else ''
            tally.tap(where.stem, text, 0)
        else:
            count_build(tally, where)
    report(tally)
    return 1 if tally.failed else 0


if __name__ == '__main__':
    sys.exit(main())
