# SPDX-License-Identifier: MIT
"""loopback.py - servers of this machine that programs copy to: sshd, rsync's and decant's own."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'tools'))
from sshd import Sshd, Unavailable, connects, free_port  # noqa: E402

MODULE = """use chroot = no
[all]
path = {path}
read only = no
"""


class Loopback:
    """Servers write below the directory; each is started when it is first asked for."""

    def __init__(self, directory):
        self.directory, self.running, self.sshd = directory, [], None

    def has(self, *programs):
        """In words what is missing, or None."""
        missing = [name for name in programs if not shutil.which(name)]
        return f"no {', '.join(missing)}" if missing else None

    def start_sshd(self):
        """In words why there is none, or None."""
        place = self.directory / 'ssh'
        place.mkdir()
        try:
            self.sshd = Sshd(place)
        except Unavailable as reason:
            return str(reason)
        self.running.append(self.sshd.stop)
        return None

    def start(self, command, **more):
        child = subprocess.Popen(command, stdin=-3, **more)
        self.running.append(lambda: (child.kill(), child.wait()))
        return child

    def rsyncd(self):
        """An URL; as root all of it is root's, as with the others."""
        config, port = self.directory / 'rsyncd.conf', free_port()
        config.write_text(MODULE.format(path=self.directory) +
                          ('uid = 0\ngid = 0\n' if not os.geteuid() else ''))
        self.start(['rsync', '--daemon', '--no-detach', f'--config={config}',
                    '--address=127.0.0.1', f'--port={port}'], stdout=-3, stderr=-3)
        while not connects(port):
            time.sleep(0.01)
        return f'rsync://127.0.0.1:{port}/all'

    def served(self, program):
        """By decant serve: an URL, and the file with its key."""
        key = self.directory / 'key'
        subprocess.run([program, 'keygen', '--psk', key], check=True, stdout=-3)
        child = self.start([program, 'serve', '--listen', '127.0.0.1:0', '--key-file', key,
                            '--root', self.directory], stderr=-1, text=True)
        for line in child.stderr:
            if found := re.search(r'listening on 127\.0\.0\.1:(\d+)', line):
                return f'decant://127.0.0.1:{found[1]}', str(key)
        raise RuntimeError('decant serve does not listen')

    def stop(self):
        while self.running:
            self.running.pop()()
