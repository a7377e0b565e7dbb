#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""age.py - copies that encrypt and decrypt: to and from the command age, whatever the cut;
what does not fit, was cut short or tampered with is refused, and nothing unverified comes out."""
import hashlib
import os
import pathlib
import pty
import re
import shutil
import subprocess
from rig import HOST, Skip, case, cases, check, check_error, main, same

CHUNK = 65536
SIZES = [0, 1, 65535, 65536, 65537, 131072, 1000003]
KIT = pathlib.Path(__file__).resolve().parents[1] / 'live/content/testkit'


def age(*args, **more):
    """Debian's age; its output."""
    if not shutil.which('age'):
        raise Skip('no age')
    done = subprocess.run(['age', *map(str, args)], capture_output=True, check=False,
                          timeout=120, **more)
    same((done.returncode, done.stderr), (0, b''), f'age {args}')
    return done.stdout


def keygen(rig, *args, stdout=subprocess.PIPE):
    return subprocess.run([rig.decant, 'keygen', *map(str, args)], stdout=stdout,
                          stderr=subprocess.PIPE, check=False, timeout=60, cwd=rig.dir)


def key(rig, name='key'):
    """A new identity in a file; its recipient."""
    done = keygen(rig, name)
    same((done.returncode, done.stderr), (0, b''), 'decant keygen')
    return done.stdout.decode().strip()


def sealed(rig, size, recipient):
    """A plain file and an encrypted one; what is in the plain one."""
    data = rig.file('plain', size).read_bytes()
    rig.good('--encrypt-to', recipient, 'plain', 'sealed')
    return data


def header_len(data):
    """Of header and nonce."""
    mark = data.index(b'\n--- ')
    return data.index(b'\n', mark + 1) + 1 + 16


@cases(SIZES)
def age_decrypts_ours(rig, size):
    data = sealed(rig, size, key(rig))
    same(age('-d', '-i', rig.path('key'), rig.path('sealed')) == data, True, 'what age reads')
    whole = rig.path('sealed').stat().st_size
    same(whole - header_len(rig.path('sealed').read_bytes()),
         size + 16 * max(1, -(-size // CHUNK)), 'bytes behind the header')


@cases(SIZES)
def we_decrypt_what_age_made(rig, size):
    recipient = key(rig)
    data = rig.file('plain', size).read_bytes()
    for how in ([], ['-a']):
        age('-r', recipient, *how, '-o', rig.path('sealed'), rig.path('plain'))
        rig.good('--decrypt-with', 'key', 'sealed', 'out')
        same(rig.path('out').read_bytes() == data, True, f'what came out, age {how}')
        os.unlink(rig.path('sealed'))


@cases(SIZES)
def through_pipes(rig, size):
    recipient = key(rig)
    data = rig.file('plain', size).read_bytes()
    there = rig.good('--encrypt-to', recipient, '-', '-', input=data).stdout
    same(age('-d', '-i', rig.path('key'), input=there) == data, True, 'what age reads')
    same(rig.good('--decrypt-with', 'key', '-', '-', input=there).stdout == data, True, 'back')
    armored = age('-r', recipient, '-a', input=data)
    same(rig.good('--decrypt-with', 'key', '-', '-', input=armored).stdout == data, True,
         'the armored one')


@cases(['we encrypt', 'age encrypts'])
def a_gibibyte(rig, way):
    if rig.sanitized:
        raise Skip('takes too long with sanitizers')
    if not shutil.which('age'):
        raise Skip('no age')
    recipient, wanted = key(rig), hashlib.sha256()
    with open(rig.path('plain'), 'wb') as file:
        file.truncate(1 << 30)
    for _ in range(1024):
        wanted.update(bytes(1 << 20))
    ours = ['--encrypt-to', recipient, 'plain', '-'] if way == 'we encrypt' else \
        ['--decrypt-with', 'key', '-', '-']
    theirs = ['age', '-d', '-i', 'key'] if way == 'we encrypt' else ['age', '-r', recipient,
                                                                      'plain']
    line = [rig.command(*ours), theirs]
    if way != 'we encrypt':
        line.reverse()
    first = subprocess.Popen(line[0], stdout=-1, cwd=rig.dir)
    second = subprocess.Popen(line[1], stdin=first.stdout, stdout=-1, cwd=rig.dir)
    first.stdout.close()
    got, block = hashlib.sha256(), second.stdout.read(1 << 20)
    while block:
        got.update(block)
        block = second.stdout.read(1 << 20)
    second.stdout.close()
    same((first.wait(), second.wait()), (0, 0), 'exit codes')
    same(got.hexdigest(), wanted.hexdigest(), 'what came out')


@cases(SIZES)
def armored(rig, size):
    """As age does it, to the byte but for what is random."""
    recipient = key(rig)
    data = rig.file('plain', size).read_bytes()
    theirs = age('-a', '-r', recipient, input=data)
    for how in ([], ['--chunk', '4K']):
        rig.good(*how, '--armor', '--encrypt-to', recipient, 'plain', 'sealed')
        same(age('-d', '-i', rig.path('key'), rig.path('sealed')) == data, True, 'what age reads')
        text = rig.path('sealed').read_bytes()
        same([len(line) for line in text.split(b'\n')],
             [len(line) for line in theirs.split(b'\n')], 'its lines')
        rig.good(*how, '--decrypt-with', 'key', 'sealed', 'out')
        same(rig.path('out').read_bytes() == data, True, 'what we read')
    piped = rig.good('--armor', '--encrypt-to', recipient, '-', '-', input=data).stdout
    same(age('-d', '-i', rig.path('key'), input=piped) == data, True, 'piped')


def age_on_terminal(answers, *args):
    """Run age on a terminal of its own and answer its questions."""
    if not shutil.which('age'):
        raise Skip('no age')
    pid, master = pty.fork()
    if not pid:
        os.execvp('age', ['age', *map(str, args)])
    shown = b''
    for answer in [*answers, None]:
        while answer is None or not re.search(rb':\s*(\x1b\[K)?$', shown):
            try:
                got = os.read(master, 4096)
            except OSError:
                got = b''
            if not got:
                break
            shown += got
        if answer is not None:
            os.write(master, answer.encode() + b'\n')
            shown = b''
    os.close(master)
    same(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, f'age {args}, saying {shown}')


@case('passphrases, both ways')
def passphrases(rig):
    data = rig.file('plain', 70000).read_bytes()
    rig.path('phrase').write_text('correct horse battery staple\nnot this\n')
    rig.good('--encrypt', '--passphrase-file', 'phrase', 'plain', 'sealed')
    age_on_terminal(['correct horse battery staple'], '-d', '-o', rig.path('out'),
                    rig.path('sealed'))
    same(rig.path('out').read_bytes() == data, True, 'what age reads')
    phrase = 'correct horse battery staple'
    age_on_terminal([phrase, phrase], '-p', '-o', rig.path('theirs'), rig.path('plain'))
    rig.good('--decrypt', '--passphrase-file', 'phrase', 'theirs', 'back')
    same(rig.path('back').read_bytes() == data, True, 'what we read')
    rig.path('wrong').write_text('correct horse battery stable\n')
    rig.bad(8, ['theirs', 'no key fits'], '--decrypt', '--passphrase-file', 'wrong', 'theirs',
            'no')


@case('several recipients, several identities')
def several(rig):
    recipients = [key(rig, f'key{i}') for i in range(4)]
    data = rig.file('plain', 5000).read_bytes()
    to = [arg for recipient in recipients[:3] for arg in ('--encrypt-to', recipient)]
    rig.good(*to, 'plain', 'sealed')
    for i in range(3):
        rig.good('--decrypt-with', f'key{i}', 'sealed', 'out')
        same(rig.path('out').read_bytes() == data, True, f'identity {i}')
    rig.bad(8, ['sealed', 'no key fits'], '--decrypt-with', 'key3', 'sealed', 'no')
    rig.good('--decrypt-with', 'key3', '--decrypt-with', 'key2', 'sealed', 'out')
    both = rig.path('key3').read_text() + '\n# and\r\n' + rig.path('key0').read_text()
    rig.path('both').write_text(both)
    rig.good('--decrypt-with', 'both', 'sealed', 'out')


HOW = [['--chunk', '4K', '--depth', '1', '--threads', '1'], ['--chunk', '4K', '--depth', '30'],
       ['--chunk', '64K', '--depth', '3', '--threads', '3'], ['--threads', '5'],
       ['--chunk', '128K', '--depth', '1', '--io=threads', '--direct=never'],
       ['--chunk', '2M', '--depth', '2', '--threads', '1']]


@cases(HOW)
def however_it_is_cut(rig, how):
    """Also a header that is longer than a chunk, and armor."""
    recipient, data = key(rig), rig.file('plain', 1500001).read_bytes()
    rig.good(*how, *['--encrypt-to', recipient] * 60, 'plain', 'sealed')
    same(age('-d', '-i', rig.path('key'), rig.path('sealed')) == data, True, 'what age reads')
    rig.good(*how, '--decrypt-with', 'key', 'sealed', 'out')
    same(rig.path('out').read_bytes() == data, True, 'what we read')
    there = rig.path('sealed').read_bytes()
    same(rig.good(*how, '--decrypt-with', 'key', '-', '-', input=there).stdout == data, True,
         'by pipes')
    armored = age('-r', recipient, '-a', input=data)
    same(rig.good(*how, '--decrypt-with', 'key', '-', '-', input=armored).stdout == data, True,
         'armored')


@cases(['push', 'pull'])
def between_hosts(rig, way):
    recipient, data = key(rig), rig.file('plain', 3 * CHUNK + 7).read_bytes()
    there = f"{HOST}:{rig.path('there')}"
    if way == 'push':
        rig.good('--chunk', '64K', '--encrypt-to', recipient, 'plain', there)
        same(age('-d', '-i', rig.path('key'), rig.path('there')) == data, True, 'encrypted')
        rig.good('--decrypt-with', 'key', 'there', f"{HOST}:{rig.path('back')}")
    else:
        rig.good('--encrypt-to', recipient, 'plain', 'there')
        rig.good('--chunk', '64K', '--decrypt-with', 'key', there, 'back')
        rig.good('--encrypt-to', recipient, f"{HOST}:{rig.path('plain')}", 'again')
        same(age('-d', '-i', rig.path('key'), rig.path('again')) == data, True, 'encrypted')
    same(rig.path('back').read_bytes() == data, True, 'decrypted')


def tampered(data, how):
    begin = header_len(data)
    second, third = begin + CHUNK + 16, begin + 2 * (CHUNK + 16)
    flip = bytearray(data)
    if how == 'header':
        flip[60] = ord('B') if flip[60] != ord('B') else ord('C')
    elif how == 'nonce':
        flip[begin - 5] ^= 1
    elif how == 'first chunk':
        flip[begin] ^= 1
    elif how == 'last tag':
        flip[-1] ^= 0x80
    return {'chunks exchanged': data[:begin] + data[second:third] + data[begin:second] +
            data[third:], 'chunk left out': data[:begin] + data[second:],
            'chunk twice': data[:second] + data[begin:second] + data[second:],
            'cut short in a chunk': data[:-5], 'cut short in a tag': data[:third + 9],
            'cut short behind a chunk': data[:third], 'no chunk': data[:begin],
            'extended': data + b'x', 'extended by a chunk': data + data[begin:second],
            }.get(how, bytes(flip))


TAMPERED = {'header': 8, 'nonce': 6, 'first chunk': 6, 'last tag': 6, 'chunks exchanged': 6,
            'chunk left out': 6, 'chunk twice': 6, 'cut short in a chunk': 6,
            'cut short in a tag': 6, 'cut short behind a chunk': 6, 'no chunk': 6, 'extended': 6,
            'extended by a chunk': 6}


@cases(TAMPERED)
def refused(rig, how):
    """The old target stays; a pipe gets the beginning of the text or nothing."""
    data = sealed(rig, 3 * CHUNK, key(rig))
    bad = tampered(rig.path('sealed').read_bytes(), how)
    rig.path('bad').write_bytes(bad)
    rig.path('old').write_bytes(b'old')
    for target in ('old', 'new'):
        rig.bad(TAMPERED[how], ['bad: '], '--decrypt-with', 'key', 'bad', target)
    same(rig.path('old').read_bytes(), b'old', 'the old target')
    for source in ('bad', '-'):
        done = rig.run('--decrypt-with', 'key', source, '-',
                       **({'input': bad} if source == '-' else {}))
        check_error(TAMPERED[how], [], done.returncode, done.stderr)
        check(data.startswith(done.stdout), 'text that was not verified')
        check(len(done.stdout) < len(data), 'all of the text')


@case('cut short and extended at the end of a chunk are said so')
def reasons(rig):
    sealed(rig, 2 * CHUNK, key(rig))
    good = rig.path('sealed').read_bytes()
    rig.path('short').write_bytes(good[:-CHUNK - 16])
    rig.path('long').write_bytes(good + b'more')
    rig.bad(6, ['short: ', 'cut short'], '--decrypt-with', 'key', 'short', 'out')
    rig.bad(6, ['long: ', 'added'], '--decrypt-with', 'key', 'long', 'out')


# What the published vectors expect, in exit codes.
CODES = {'success': {0}, 'no match': {8}, 'HMAC failure': {6}, 'header failure': {3},
         'payload failure': {3, 6}, 'armor failure': {3}}
VECTORS = ['x25519', 'x25519_no_match', 'x25519_grease', 'x25519_low_order', 'scrypt',
           'scrypt_no_match', 'scrypt_and_x25519', 'scrypt_work_factor_23', 'hmac_bad',
           'stanza_valid_characters', 'stanza_missing_final_line', 'version_unsupported',
           'header_crlf', 'empty', 'stream_no_nonce', 'stream_no_chunks', 'armor_x25519',
           'armor_scrypt', 'armor_crlf', 'armor_whitespace_outside', 'armor_wrong_type',
           'armor_garbage_trailing', 'armor_no_end_line', 'armor_not_canonical',
           'armor_garbage_encoded', 'armor_empty']


def unpack(rig, name):
    """The file of a vector, and its lines of keys and values."""
    head, file = (KIT / name).read_bytes().split(b'\n\n', 1)
    pairs = [line.decode().split(': ', 1) for line in head.split(b'\n')]
    if 'compressed' in dict(pairs):
        import zlib
        file = zlib.decompress(file)
    rig.path('vector').write_bytes(file)
    return pairs


@cases(VECTORS)
def published_vector(rig, name):
    pairs, args = unpack(rig, name), []
    for nr, (field, value) in enumerate(pairs):
        rig.path(f'k{nr}').write_text(value + '\n')
        if field == 'identity':
            args += ['--decrypt-with', f'k{nr}']
        if field == 'passphrase':
            args += ['--decrypt', '--passphrase-file', f'k{nr}']
    expect = dict(pairs)
    if not args:
        key(rig)
        args = ['--decrypt-with', 'key']
    done = rig.run(*args, 'vector', 'out')
    check(done.returncode in CODES[expect['expect']], f'{done.returncode}: {done.stderr}')
    if done.returncode:
        check_error(done.returncode, ['vector: '], done.returncode, done.stderr)
        check(not rig.path('out').exists(), 'a target')
    else:
        same(hashlib.sha256(rig.path('out').read_bytes()).hexdigest(), expect['payload'], 'text')


ERRORS = {
    'recipient that is none': (2, ['--encrypt-to', 'age1'], ['--encrypt-to', 'age1x']),
    'identity as recipient': (2, ['--encrypt-to', 'age1'],
                              ['--encrypt-to', 'AGE-SECRET-KEY-1X']),
    'both ways': (2, ['not both'], ['--encrypt-to', 'RECIPIENT', '--decrypt-with', 'key']),
    'both ways by name': (2, ['not both'], ['--encrypt', '--decrypt']),
    'passphrase without a way': (2, ['--encrypt', '--decrypt'], ['--passphrase-file', 'phrase']),
    'to nobody': (2, ['--encrypt-to', '--passphrase-file'], ['--encrypt']),
    'with nothing': (2, ['--decrypt-with', '--passphrase-file'], ['--decrypt']),
    'passphrase and recipient': (2, ['passphrase', 'recipient'],
                                 ['--encrypt-to', 'RECIPIENT', '--passphrase-file', 'phrase']),
    'two passphrases': (2, ['passphrase'], ['--encrypt', '--passphrase-file', 'phrase',
                                            '--passphrase-file', 'phrase']),
    'armor without a way': (2, ['--armor'], ['--armor']),
    'armor to decrypt': (2, ['--armor'], ['--armor', '--decrypt-with', 'key']),
    'threads 0': (2, ['--threads 0', '1 to 64'], ['--threads', '0']),
    'threads 65': (2, ['--threads 65', '1 to 64'], ['--threads', '65']),
    'threads of letters': (2, ['--threads', 'x'], ['--threads', 'x']),
    'no key file': (8, ['nokey', 'No such file'], ['--decrypt-with', 'nokey']),
    'a directory as key file': (8, ['.: ', 'directory'], ['--decrypt-with', '.']),
    'an empty key file': (8, ['empty: ', 'no identity'], ['--decrypt-with', 'empty']),
    'a key file of something else': (8, ['phrase: ', 'line 1'], ['--decrypt-with', 'phrase']),
    'a binary key file': (8, ['binary: ', 'no text'], ['--decrypt-with', 'binary']),
    'an endless key file': (8, ['/dev/zero', 'too large'], ['--decrypt-with', '/dev/zero']),
    'an empty passphrase': (8, ['empty: ', 'first line'],
                            ['--encrypt', '--passphrase-file', 'empty']),
    'a binary passphrase': (8, ['binary: ', 'no text'],
                            ['--encrypt', '--passphrase-file', 'binary']),
    'no passphrase file': (8, ['nophrase', 'No such file'],
                           ['--encrypt', '--passphrase-file', 'nophrase']),
    'no age file': (3, ['plain: ', 'no age file'], ['--decrypt-with', 'key']),
}


@cases(ERRORS)
def errors(rig, name):
    code, words, args = ERRORS[name]
    recipient = key(rig)
    rig.file('plain', 5000)
    rig.path('dst').write_bytes(b'old')
    rig.path('phrase').write_text('one two\n')
    rig.path('empty').write_bytes(b'')
    rig.path('binary').write_bytes(b'AGE\0')
    rig.bad(code, words, *(recipient if arg == 'RECIPIENT' else arg for arg in args), 'plain',
            'dst')
    same(rig.path('dst').read_bytes(), b'old', 'the old target')


@cases(['encrypted', 'decrypted'])
def onto_itself(rig, how):
    recipient = key(rig)
    sealed(rig, 1000, recipient)
    name, args = ('plain', ['--encrypt-to', recipient]) if how == 'encrypted' else \
        ('sealed', ['--decrypt-with', 'key'])
    rig.bad(2, ['same file'], *args, name, f'./{name}')


@case('permissions and times are kept')
def kept(rig):
    recipient = key(rig)
    os.utime(rig.file('plain', 1000), ns=(10**18, 10**18 + 5))
    rig.path('plain').chmod(0o640)
    rig.good('--encrypt-to', recipient, 'plain', 'sealed')
    rig.good('--decrypt-with', 'key', 'sealed', 'back')
    for name in ('sealed', 'back'):
        stat = rig.path(name).stat()
        same((stat.st_mode & 0o7777, stat.st_mtime_ns), (0o640, 10**18 + 5), name)


@case('the stage is in the statistics')
def statistics(rig):
    recipient = key(rig)
    rig.file('plain', 100000)
    text = rig.run('--stats', '--encrypt-to', recipient, 'plain', 'sealed').stdout.decode()
    check(re.search(r'^  encrypt +\d+ +97\.7 KiB', text, re.M), text)
    text = rig.run('--stats', '--decrypt-with', 'key', 'sealed', 'out').stdout.decode()
    check(re.search(r'^  decrypt +\d+ +97\.7 KiB', text, re.M), text)


@case('keygen writes what age-keygen writes')
def key_file(rig):
    recipient = key(rig)
    form = (r'# created: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)\n'
            r'# public key: (age1[a-z0-9]{58})\nAGE-SECRET-KEY-1[A-Z0-9]{58}\n')
    text = rig.path('key').read_text()
    check(re.fullmatch(form, text) and re.fullmatch(form, text)[2] == recipient, 'its form')
    same(rig.path('key').stat().st_mode & 0o7777, 0o600, 'its mode')
    check(re.fullmatch(form, keygen(rig).stdout.decode()), 'standard output')
    check(re.fullmatch(form, keygen(rig, '-').stdout.decode()), 'standard output, named')
    if not shutil.which('age-keygen'):
        raise Skip('no age-keygen')
    told = subprocess.run(['age-keygen', '-y', rig.path('key')], capture_output=True,
                          check=True).stdout
    same(told.decode().strip(), recipient, 'what age-keygen reads')
    subprocess.run(['age-keygen', '-o', rig.path('theirs')], capture_output=True, check=True)
    check(re.fullmatch(form, rig.path('theirs').read_text()), 'what age-keygen writes')
    rig.file('plain', 10)
    rig.good('--encrypt-to', recipient, 'plain', 'sealed')
    rig.bad(8, ['no key fits'], '--decrypt-with', 'theirs', 'sealed', 'out')


@case('keygen does not overwrite')
def keygen_refuses(rig):
    key(rig)
    before = rig.path('key').read_bytes()
    done = keygen(rig, 'key')
    check_error(4, ['key: ', 'there already'], done.returncode, done.stderr)
    same((rig.path('key').read_bytes(), done.stdout), (before, b''), 'the old one')
    rig.path('link').symlink_to('nowhere')
    done = keygen(rig, 'link')
    check_error(4, ['link: ', 'there already'], done.returncode, done.stderr)
    done = keygen(rig, 'no/key')
    check_error(4, ['no/key: ', 'No such file'], done.returncode, done.stderr)
    done = keygen(rig, '/dev/full')
    check_error(4, ['/dev/full'], done.returncode, done.stderr)
    with open('/dev/full', 'wb') as full:
        for args in ([], ['whole']):
            done = keygen(rig, *args, stdout=full)
            check_error(4, ['standard output', 'No space left'], done.returncode, done.stderr)
    check(rig.path('whole').read_text().startswith('# created'), 'the file is there all the same')


if __name__ == '__main__':
    main()
