# SPDX-License-Identifier: MIT
"""sshd.py - a real sshd on the loopback for the user who starts it, with keys of its own."""
import getpass
import os
import shutil
import socket
import subprocess
import time

PATH = '/usr/sbin:/usr/local/sbin:' + os.environ['PATH']


class Unavailable(Exception):
    """There can't be one here; the reason."""


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as listener:
        return listener.getsockname()[1]


def connects(port):
    with socket.socket() as client:
        return not client.connect_ex(('127.0.0.1', port))


class Sshd:
    """Its keys and its configuration are in the directory."""

    def __init__(self, directory):
        self.directory, self.port, self.server = directory, free_port(), None
        program = shutil.which('sshd', path=PATH)
        if not program or not shutil.which('ssh') or not shutil.which('ssh-keygen'):
            raise Unavailable('no sshd, ssh or ssh-keygen')
        if not os.geteuid():
            os.makedirs('/run/sshd', mode=0o755, exist_ok=True)
        self.configure()
        self.server = subprocess.Popen([program, '-D', '-e', '-f', directory / 'config'],
                                       stderr=-1)
        self.await_start()
        self.host = f'{getpass.getuser()}@127.0.0.1'

    def configure(self):
        for key in ('host', 'user'):
            subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f',
                            self.directory / key], check=True)
        (self.directory / 'config').write_text(
            f'Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.directory / "host"}\n'
            f'AuthorizedKeysFile {self.directory / "user.pub"}\nPidFile none\nUsePAM no\n'
            'StrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\n'
            'Subsystem sftp internal-sftp\n')

    def await_start(self):
        end = time.monotonic() + 10
        while self.server.poll() is None and not connects(self.port):
            if time.monotonic() > end:
                self.server.kill()
            time.sleep(0.01)
        if self.server.poll() is not None:
            said = self.server.stderr.read().decode()[-100:].strip()
            self.stop()
            raise Unavailable(f'sshd does not start: {said}')

    def options(self):
        """Of ssh and scp, but for the port."""
        return ['-q', '-i', str(self.directory / 'user'), '-o', 'BatchMode=yes',
                '-o', 'StrictHostKeyChecking=no',
                '-o', f'UserKnownHostsFile={self.directory / "known"}']

    def ssh(self):
        return ['ssh', '-p', str(self.port), *self.options()]

    def scp(self):
        return ['scp', '-P', str(self.port), *self.options()]

    def stop(self):
        self.server.kill()
        self.server.wait()
        self.server.stderr.close()
