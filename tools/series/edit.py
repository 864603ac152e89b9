# SPDX-License-Identifier: Apache-2.0

"""Apply one rule to the content of one file, or say why it does not fit.

A rule that no longer matches exactly as often as it declares is an error,
never a guess.  ast-grep finds the places in Python code and makes the new
text; the text is put in here, byte by byte, so that nothing else of the file
changes.  ast-grep indents the lines of a ``fix`` like the place they go to,
blank ones too; that white space is taken away again.
"""

import ast
import functools
import json
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile

from tools.common import errors


def apply(source, rule, where):
    """Apply a rule.

    :param bytes source: the content of the file
    :param tools.series.rules.Rule rule: the rule
    :param str where: what to call the release in an error
    :returns: the new content
    :rtype: bytes
    :raises ToolError: if the rule matches more or less often than declared,
        its matches overlap, or its result is no Python or leaves white space
        at the end of a line
    """
    where = f'{where}: {rule.where}'
    find = _find_text if rule.is_text else _find_code
    places = sorted(find(source, rule, where))
    _check_places(source, rule, places, where)
    result = source
    for start, end, text in reversed(places):
        result = _replace(result, start, end, text)
    _check_white_space(source, result, where)
    if not rule.is_text:
        _check_code(source, result, where)
    return result


def ast_grep():
    """Find ast-grep, beside this Python or on the PATH.

    :returns: the path of the program
    :rtype: str
    :raises ToolError: if there is none
    """
    path = [sysconfig.get_path('scripts'), os.environ.get('PATH', '')]
    program = shutil.which('ast-grep', path=os.pathsep.join(path))
    if program is None:
        raise errors.ToolError(
            'ast-grep was not found; install it with "pip install -r '
            'requirements/build.in".')
    return program


def _find_text(source, rule, where):
    pattern = re.escape(rule.body['find'].encode())
    if 'through' in rule.body:
        pattern += b'.*?' + re.escape(rule.body['through'].encode())
    # The lookahead counts overlapping places too.
    found = [(match.start(), match[1]) for match in
             re.finditer(b'(?s)(?=(' + pattern + b'))', source)]
    before = rule.body.get('before', '').encode()
    after = rule.body.get('after', '').encode()
    return [(start, start + len(text),
             rule.body['replace'].encode() if 'replace' in rule.body
             else before + text + after) for start, text in found]


def _find_code(source, rule, where):
    body = {'id': 'rule', 'language': 'python'} | rule.body
    body['fix'] = _without_last_newline(body['fix'])
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'source.py'), 'wb') as file:
            file.write(source)
        done = subprocess.run(
            [ast_grep(), 'scan', '--json=stream', '--inline-rules',
             json.dumps(body, ensure_ascii=False), 'source.py'],
            cwd=folder, capture_output=True)
    if done.returncode:
        cause = done.stderr.decode(errors='replace').strip().split('╰▻')[-1]
        raise errors.ToolError(
            f'{where}: ast-grep refuses it: {" ".join(cause.split())}')
    places = []
    for line in done.stdout.splitlines():
        match = json.loads(line)
        offsets = match['replacementOffsets']
        text = re.sub(rb'(?m)^[ \t]+$', b'', match['replacement'].encode())
        places.append((offsets['start'], offsets['end'], text))
    return places


def _without_last_newline(fix):
    if isinstance(fix, str):
        return fix.removesuffix('\n')
    if isinstance(fix.get('template'), str):
        return fix | {'template': fix['template'].removesuffix('\n')}
    return fix


def _check_places(source, rule, places, where):
    lines = [source.count(b'\n', 0, start) + 1 for start, _, _ in places]
    if len(places) != rule.count:
        told = f' (at line {", ".join(map(str, lines))})' if lines else ''
        raise errors.ToolError(
            f'{where} must match {rule.count} times but matches '
            f'{len(places)} times{told}.')
    for (_, end, _), (start, _, _), line in zip(places, places[1:], lines[1:]):
        if start < end:
            raise errors.ToolError(
                f'{where}: two matches overlap at line {line}.')


def _replace(source, start, end, text):
    if not text:
        # Nothing else on the line: take the line away, not its content only,
        # and leave the blank lines on one side of it.
        line_start = source.rfind(b'\n', 0, start) + 1
        line_end = source.find(b'\n', end) + 1 or len(source)
        if not (source[line_start:start] + source[end:line_end]).strip():
            start, end = line_start, line_end
            while source[end:end + 1] == source[start - 2:start - 1] == b'\n':
                start -= 1
    return source[:start] + text + source[end:]


def _check_white_space(source, result, where):
    for line in set(result.split(b'\n')) - set(source.split(b'\n')):
        if line != line.rstrip():
            told = line.decode(errors='replace')
            raise errors.ToolError(
                f'{where} leaves white space at the end of the line {told!r}.')


def _check_code(source, result, where):
    try:
        after = _long_strings(result)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, 'lineno', None)
        raise errors.ToolError(
            f'{where} leaves a file that is no Python: '
            f'{getattr(error, "msg", error)} at line {line}.')
    before = _long_strings(source)
    shifted = {_unindented(text) for text in after - before}
    for text in before - after:
        if _unindented(text) in shifted:
            raise errors.ToolError(
                f'{where} moves a string of several lines, whose text changes '
                f'with the indentation: {text!r}.')


# What one rule leaves of a file is what the next one gets.
@functools.lru_cache(maxsize=128)
def _long_strings(source):
    """Collect the strings of several lines that are no docstrings."""
    found = set()
    waiting = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        for child in ast.iter_child_nodes(node):
            if getattr(child, 'lineno', None) == getattr(
                    child, 'end_lineno', 0):
                continue
            waiting.append(child)
            # A text that stands alone as a statement may be indented at will.
            if (isinstance(child, ast.Constant) and
                    isinstance(child.value, str) and '\n' in child.value and
                    not isinstance(node, ast.Expr)):
                found.add(child.value)
    return found


def _unindented(text):
    return '\n'.join(line.strip() for line in text.split('\n'))
