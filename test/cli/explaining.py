# SPDX-License-Identifier: MIT
"""explaining.py - `decant explain` and `decant limits` as the tests of them call them."""
import json
import subprocess
from rig import same


def decant(rig, *args, data=None):
    return subprocess.run([rig.decant, *map(str, args)], capture_output=True, check=False,
                          timeout=120, input=data, stdin=None if data else -3)


def explain(rig, *args, data=None):
    done = decant(rig, 'explain', *args, data=data)
    same((done.returncode, done.stderr), (0, b''), f'explain {args}')
    return done.stdout.decode()


def explained(rig, *args, data=None):
    return json.loads(explain(rig, '--json', *args, data=data))


def limits(rig, what):
    done = decant(rig, 'limits', '--json', what)
    same((done.returncode, done.stderr), (0, b''), f'limits {what}')
    return json.loads(done.stdout)


def taken(rig, *args):
    return explained(rig, '--layout', '1x64@0x100000', *args)['limits']


def round_trip(rig, what, real, wanted):
    """explain takes what limits printed, and the same from the thing itself."""
    rig.path('limits.json').write_bytes(decant(rig, 'limits', '--json', what).stdout)
    same(taken(rig, '--limits', f"@{rig.path('limits.json')}"), wanted, f'{what} in JSON')
    same(taken(rig, '--limits', real), wanted, real)
