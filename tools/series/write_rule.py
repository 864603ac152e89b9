# SPDX-License-Identifier: Apache-2.0

"""Write rules that make a hunk, the most telling ones first.

A rule quotes no more of Cinder than it must find: an expression, or the first
line of a statement, in the function that it stands in.  Whether a rule that is
written here is right is for the caller to try.
"""

import ast
import io
import re
import tokenize

_KINDS = {
    'Expr': 'expression_statement', 'Assign': 'expression_statement',
    'AugAssign': 'expression_statement', 'AnnAssign': 'expression_statement',
    'Import': 'import_statement', 'ImportFrom': 'import_from_statement',
    'FunctionDef': 'function_definition',
    'AsyncFunctionDef': 'function_definition',
    'ClassDef': 'class_definition', 'AsyncFor': 'for_statement',
    'AsyncWith': 'with_statement'}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_CONTEXT = 3


def candidates(content, hunk, is_python):
    """Write rules that could make a hunk.

    :param bytes content: the file before it
    :param tools.series.hunks.Hunk hunk: the hunk
    :param bool is_python: whether the file is Python code
    :returns: an iterator of bodies of rules
    """
    lines = content.decode().splitlines(keepends=True)
    if not is_python:
        yield from _text(lines, hunk)
        return
    for body in _code(lines, hunk):
        if body['fix'].count('\n') == 1:
            body['fix'] = body['fix'].rstrip('\n')
        yield body


def statements(content, start, count):
    """Find the statements that begin in some lines.

    :param bytes content: the file
    :param int start: the first line, from 0
    :param int count: how many lines
    :returns: the lines of each, as ranges, outer ones first
    :rtype: list[range]
    """
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return []
    return [range(node.lineno - 1, node.end_lineno) for node in ast.walk(tree)
            if isinstance(node, ast.stmt) and
            start <= node.lineno - 1 and node.end_lineno <= start + count]


def indentations(lines):
    """List by how much lines can be moved to the left, most first.

    :param list[str] lines: the lines
    :rtype: list[int]
    """
    least = min((len(line) - len(line.lstrip(' ')) for line in lines
                 if line.strip()), default=0)
    return sorted({least, *range(0, least, 4)}, reverse=True)


def dedent(lines, width):
    """Move lines to the left.

    :param list[str] lines: the lines
    :param int width: by how many columns
    :rtype: list[str]
    """
    return [line[width:] if line.strip() else line for line in lines]


def difference(old, new):
    """Cut off what two texts have in common at both ends, up to a word.

    :param str old: the one text
    :param str new: the other
    :returns: what is left of both
    :rtype: tuple[str, str]
    """
    start, end = _span(old, new)
    while start and (start == end or re.match(r'\w', old[start - 1])):
        start -= 1
    while end < len(old) and re.match(r'\w', old[end]):
        end += 1
    return old[start:end], new[start:len(new) - (len(old) - end)]


def _span(old, new):
    """Find the part of a text that differs in another."""
    shorter = min(len(old), len(new))
    start = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    end = next((at for at in range(shorter - start)
                if old[-1 - at] != new[-1 - at]), shorter - start)
    return start, len(old) - end


def _text(lines, hunk):
    """Write rules of exact text, with as few lines around as will do."""
    stop = hunk.start + len(hunk.old)
    new = ''.join(hunk.new)
    if not hunk.old:
        for context in range(1, _CONTEXT + 1):
            above = ''.join(lines[max(hunk.start - context, 0):hunk.start])
            below = ''.join(lines[stop:stop + context])
            if above.strip():
                yield {'find': above, 'after': new}
            if below.strip():
                yield {'find': below, 'before': new}
        return
    for context in range(_CONTEXT + 1):
        above = ''.join(lines[max(hunk.start - context, 0):hunk.start])
        below = ''.join(lines[stop:stop + context])
        for first, last in ((above, ''), ('', below), (above, below)):
            yield {'find': first + ''.join(hunk.old) + last,
                   'replace': first + new + last}


def _code(lines, hunk):
    source = ''.join(lines)
    places = _Places(source)
    stop = hunk.start + len(hunk.old)
    if not hunk.old:
        yield from _elements(places, lines, hunk)
    inserted = {} if hunk.old else dict(_slid(lines, hunk))
    for node in places.statements:
        first, last = _first_line(node) - 1, node.end_lineno
        rule = places.find(node)
        for text in inserted.get(last, ()):
            yield {'rule': rule, 'fix': f'$FOUND\n{text}'}
        for text in inserted.get(first, ()):
            yield {'rule': rule, 'fix': f'{text}$FOUND\n'}
        if first <= hunk.start and stop <= last and not hasattr(node, 'body'):
            made = (lines[first:hunk.start] + hunk.new + lines[stop:last])
            fix = ''.join(dedent(made, node.col_offset))
            yield {'rule': {key: rule[key] for key in rule
                            if key != 'pattern'}, 'fix': fix}
        elif hunk.old and not hunk.new and (first, last) == _without_blank(
                hunk):
            yield {'rule': rule, 'fix': ''}
        elif hunk.old and isinstance(node, _FUNCTIONS) and (
                node.lineno <= hunk.start + 1 and stop < node.body[0].lineno):
            made = (lines[node.lineno - 1:hunk.start] + hunk.new +
                    lines[stop:node.body[0].lineno - 1])
            fix = _parameters(dedent(made, node.col_offset))
            if fix:
                yield {'rule': places.parameters(node), 'fix': fix}
    yield from _expressions(places, source, lines, hunk)


def _elements(places, lines, hunk):
    """Write rules that put elements behind one that has a line of its own."""
    before = lines[hunk.start - 1].strip() if hunk.start else ''
    last = hunk.new[-1].rstrip()
    if not before.endswith(',') or not last.endswith(','):
        return
    for node, _, _ in places.expressions:
        if node.lineno == node.end_lineno == hunk.start and (
                before == lines[hunk.start - 1][node.col_offset:].strip()):
            new = ''.join(dedent([*hunk.new[:-1], last[:-1]], node.col_offset))
            yield {'rule': {'pattern': before[:-1]} | places.inside(node),
                   'fix': f'{before}\n{new}'}


def _slid(lines, hunk):
    """Give the places of an insertion that all make the same of a file.

    A block and the blank line behind it can as well be put in with the blank
    line in front.

    :returns: an iterator of a place and the texts to try there
    """
    start, new = hunk.start, list(hunk.new)
    while True:
        yield start, [''.join(dedent(new, width))
                      for width in indentations(new)]
        if not start or lines[start - 1] != new[-1] or new[-1].strip():
            return
        start, new = start - 1, [new[-1], *new[:-1]]


def _without_blank(hunk):
    """Return first and last line of what is not blank of the old lines."""
    filled = [number for number, line in enumerate(hunk.old, hunk.start)
              if line.strip()]
    return (filled[0], filled[-1] + 1) if filled else (0, 0)


def _first_line(node):
    decorators = getattr(node, 'decorator_list', ())
    return min([node.lineno, *(each.lineno for each in decorators)])


def _parameters(header):
    """Cut the parameters, parentheses included, out of a function's header."""
    text = ''.join(header)
    starts = [0]
    for line in header:
        starts.append(starts[-1] + len(line))
    depth, begin = 0, None
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            depth += (token.string in '([{') - (token.string in ')]}') if (
                token.type == tokenize.OP) else 0
            if depth and begin is None:
                begin = starts[token.start[0] - 1] + token.start[1]
            elif begin is not None and not depth:
                return text[begin:starts[token.end[0] - 1] + token.end[1]]
    except (tokenize.TokenError, SyntaxError):
        pass
    return None


def _expressions(places, source, lines, hunk):
    """Write rules that find an expression, the smallest first."""
    if not hunk.old:
        return
    begin = len(''.join(lines[:hunk.start]).encode())
    old, new = ''.join(hunk.old).encode(), ''.join(hunk.new).encode()
    start, end = (begin + at for at in _span(old, new))
    grown = len(new) - len(old)
    data = source.encode()
    result = data[:begin] + new + data[begin + len(old):]
    for node, first, last in places.expressions:
        if first <= start and end <= last:
            yield {'rule': {'pattern': data[first:last].decode()} |
                   places.inside(node),
                   'fix': result[first:last + grown].decode()}


class _Places:
    """The statements and expressions of a file, and where they stand."""

    def __init__(self, source):
        tree = ast.parse(source)
        self._scopes = {}
        self._note(tree, ())
        starts = [0]
        for line in source.encode().splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        nodes = list(self._scopes)
        self.statements = sorted(
            (node for node in nodes if isinstance(node, ast.stmt)),
            key=lambda node: node.end_lineno - node.lineno)
        self.expressions = sorted(
            ((node, starts[node.lineno - 1] + node.col_offset,
              starts[node.end_lineno - 1] + node.end_col_offset)
             for node in nodes if isinstance(node, ast.expr)),
            key=lambda found: found[2] - found[1])
        self._lines = source.splitlines()

    def _note(self, node, scopes):
        for child in ast.iter_child_nodes(node):
            self._scopes[child] = scopes
            named = isinstance(child, (
                ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            self._note(child, (child, *scopes) if named else scopes)

    def find(self, node):
        """Find a statement by its kind and first line, or its name."""
        name = type(node).__name__
        if getattr(node, 'decorator_list', None):
            return {'kind': 'decorated_definition',
                    'has': _named(node), 'pattern': '$FOUND'} | self.inside(
                        node)
        line = self._lines[node.lineno - 1][node.col_offset:]
        if node.lineno == node.end_lineno:
            line = line[:node.end_col_offset - node.col_offset]
        elif line == '"""':
            line += f'\n{self._lines[node.lineno]}'
        kind = _KINDS.get(name, f'{name.lower()}_statement')
        end = '$' if node.lineno == node.end_lineno else ''
        return {'kind': kind, 'regex': f'^{_escape(line)}{end}',
                'pattern': '$FOUND'} | self.inside(node)

    def parameters(self, node):
        """Find the parameters of a function."""
        return {'kind': 'parameters',
                'inside': _named(node) | self.inside(node)}

    def inside(self, node):
        """Tell the function, and its class, that a node stands in."""
        found = {}
        for scope in reversed(self._scopes[node]):
            found = {'inside': _named(scope) | {'stopBy': 'end'} | found}
        return found


def _named(node):
    """Find a function or class by its name."""
    return {'kind': _KINDS[type(node).__name__],
            'has': {'field': 'name', 'regex': f'^{node.name}$'}}


def _escape(text):
    return re.sub(r'([\\.+*?()|\[\]{}^$])', r'\\\1', text)
