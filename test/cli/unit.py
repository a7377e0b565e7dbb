#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""unit.py - the files for systemd, as systemd itself reads them; nothing is started."""
import pathlib
import re
import shutil
import subprocess
from rig import Skip, case, check, main, same

TOP = pathlib.Path(__file__).resolve().parents[2]
EXPOSURE = 1.5  # of 10, as systemd-analyze security counts


def unit(rig):
    text = (TOP / 'cli/systemd/decant-serve.service.in').read_text()
    path = rig.path('decant-serve.service')
    path.write_text(text.replace('@decant@', rig.decant))
    return path


def analyze(*args):
    if not shutil.which('systemd-analyze'):
        raise Skip('no systemd-analyze')
    done = subprocess.run(['systemd-analyze', *map(str, args)], capture_output=True, text=True,
                          check=False)
    if 'nrecognized option' in done.stderr or 'Unknown' in done.stderr:
        raise Skip(f'systemd-analyze is too old: {done.stderr.strip()}')
    return done


@case('the service is a valid unit')
def valid(rig):
    done = analyze('verify', '--man=no', unit(rig))
    same((done.returncode, done.stdout + done.stderr), (0, ''), 'what systemd says')


@case('the service can do little beyond its work')
def hardened(rig):
    done = analyze('security', '--offline=yes', '--no-pager', unit(rig))
    level = re.search(r'exposure level for \S+: ([0-9.]+)', done.stdout)
    check(level and float(level[1]) <= EXPOSURE, done.stdout[-200:] + done.stderr)


@case('what the service is started with is what decant serve takes')
def options(rig):
    start = re.search(r'ExecStart=(.*)', unit(rig).read_text())[1]
    text = subprocess.run([rig.decant, 'serve', '--help'], capture_output=True, text=True,
                          check=True).stdout
    found = re.findall(r'--[a-z-]+', start)
    check(len(found) > 2, start)
    for option in found:
        check(f'  {option} ' in text, f'{option} is no option')


@case('its user and its directories')
def user(rig):
    lines = (TOP / 'cli/systemd/decant.sysusers').read_text()
    check(re.search(r'^u decant ', lines, re.M), lines)
    lines = (TOP / 'cli/systemd/decant.tmpfiles').read_text()
    check('d /srv/decant 0750 decant decant' in lines, lines)
    text = unit(rig).read_text()
    for name in ('User=decant', 'ROOT=/srv/decant', 'ReadWritePaths=/srv/decant'):
        check(name in text, name)


if __name__ == '__main__':
    main()
