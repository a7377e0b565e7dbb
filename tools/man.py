#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""man.py OUT DEPFILE VERSION HEADER... - man pages of section 3 from the docstrings.

Writes OUT/NAME.3 for each documented function, struct and enum, and a depfile for ninja.
A docstring is a comment that begins with two stars and stands before what it is about.
"""
import pathlib
import re
import shutil
import sys
import textwrap

BLOCK = re.compile(r'^/\*\*\n(.*?)^ \*/\n'
                   r'((?:struct|enum) \w+ \{(?:[^\n]*\};|.*?^\};)|.*?;)\n', re.S | re.M)
TITLE = re.compile(r'(?:(struct|enum) )?(\w+) - (.*)')
MARKS = re.compile(r'\bDECANT_(?:API|MUST)\s+')


class Doc:
    """One docstring: name, kind ('function', 'struct' or 'enum') and its sections."""

    def __init__(self, header, comment, declaration):
        lines = [re.sub(r'^ \* ?', '', line) for line in comment.splitlines()]
        title = TITLE.match(lines[0])
        if not title:
            raise ValueError(f'{header}: no "name - summary" in: {lines[0]}')
        self.header = header
        self.kind = title[1] or 'function'
        self.name, self.summary = title[2], title[3]
        self.declaration = MARKS.sub('', declaration).strip()
        self.params, self.text, self.returns, self.since = [], [], [], ''
        self.parse(lines[1:])

    def parse(self, lines):
        into = self.text
        for line in lines:
            if match := re.match(r'@(\w+): (.*)', line):
                into = [match[2]]
                self.params.append((match[1], into))
            elif match := re.match(r'Return: (.*)', line):
                into = self.returns
                into.append(match[1])
            elif match := re.match(r'Since: (\S+)', line):
                self.since = match[1]
            else:
                if not line and into is not self.returns:
                    into = self.text
                into.append(line.strip())


def read_docs(header):
    """Every docstring of a header, in order."""
    return [Doc(header, *match.groups()) for match in BLOCK.finditer(header.read_text())]


def escape(text):
    text = text.replace('\\', '\\e').replace('-', '\\-').replace('"', '\\(dq')
    text = text.replace("'", '\\(aq').replace('`', '\\(ga')
    return re.sub(r'^\.', r'\\&.', text, flags=re.M)


def prose(text):
    """Inline marks: @param in italics, name() as a reference, names of types in bold."""
    text = re.sub(r'@(\w+)', r'\\fI\1\\fP', escape(text))
    text = re.sub(r'\b(\w+)\(\)', r'\\fB\1\\fP(3)', text)
    return re.sub(r'\b((?:struct|enum) \w+)', r'\\fB\1\\fP', text)


def paragraphs(lines, break_macro='.PP'):
    """Lines as paragraphs; '- ' at the beginning of a line is a list item."""
    out, fresh = [], False
    for line in lines:
        if not line:
            fresh = bool(out)
            continue
        if line.startswith('- '):
            out.append('.IP \\(bu 2')
            line = line[2:]
        elif fresh:
            out.append(break_macro)
        fresh = False
        out.append(prose(line))
    return out


def synopsis(doc):
    include = re.sub(r'.*(?=decant/[^/]+$)', '', doc.header.as_posix())
    code = [f'#include <{include}>', '']
    if doc.kind == 'function':
        code += textwrap.wrap(doc.declaration, 76, subsequent_indent=' ' * 8)
    else:
        code += doc.declaration.expandtabs(8).splitlines()
    return ['.nf', *(f'\\fB{escape(line)}\\fP' if line else '.sp' for line in code), '.fi']


def parameters(doc):
    out = []
    for name, lines in doc.params:
        out += ['.TP', f'\\fI{name}\\fP', *paragraphs(lines, '.sp')]
    return out


def see_also(doc, known):
    text = '\n'.join([doc.declaration, *doc.text, *doc.returns, *sum((p for _, p in
                                                                     doc.params), [])])
    names = sorted({name for name in re.findall(r'\bdecant_\w+', text)} & known - {doc.name})
    return [',\n'.join(f'\\fB{name}\\fP(3)' for name in names)] if names else []


def page(doc, version, known):
    sections = [
        ('NAME', [f'{doc.name} \\- {escape(doc.summary)}']),
        ('SYNOPSIS', synopsis(doc)),
        ('PARAMETERS' if doc.kind == 'function' else 'MEMBERS', parameters(doc)),
        ('DESCRIPTION', paragraphs(doc.text)),
        ('RETURN VALUE', paragraphs(doc.returns)),
        ('HISTORY', [f'Since decant {doc.since}.'] if doc.since else []),
        ('SEE ALSO', see_also(doc, known)),
    ]
    out = ['.\\" SPDX-License-Identifier: MIT', f'.\\" Made from {doc.header.name} by man.py',
           f'.TH {doc.name} 3 "" "decant {version}" "decant library"']
    for title, body in sections:
        if body:
            out += [f'.SH {title}', *body]
    return '\n'.join(out) + '\n'


def main():
    out, depfile, version = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    headers = [pathlib.Path(name) for name in sys.argv[4:]]
    docs = [doc for header in headers for doc in read_docs(header)]
    known = {doc.name for doc in docs}
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for doc in docs:
        (out / f'{doc.name}.3').write_text(page(doc, version, known))
    depfile.write_text(f"{out}: {' '.join(map(str, headers))}\n")


if __name__ == '__main__':
    main()
