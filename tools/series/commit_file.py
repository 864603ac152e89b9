# SPDX-License-Identifier: Apache-2.0

"""Change the file of a commit as a text, so that all else stays as it is.

Comments, order and layout of what is not changed are kept, byte by byte.
"""

import re

from ruamel import yaml

_MESSAGE = re.compile(r'^message:.*\n(?:[ \t]+\S.*\n|[ \t]*\n)*', re.MULTILINE)
_ITEM = re.compile(r'^ *- (.*?)\s*$')


def with_message(text, message):
    """Replace the message.

    :param str text: the file
    :param str message: the message, without a Change-Id
    :rtype: str
    """
    body = '\n'.join(_dump({'message': f'{message.strip()}\n'}, 0)) + '\n'
    found = _MESSAGE.search(text)
    if found is None:
        return body + text
    blank = re.search(r'\n*\Z', found[0])[0][1:]
    return text[:found.start()] + body + blank + text[found.end():]


def with_adds(text, new, gone):
    """Change which files are added.

    :param str text: the file
    :param list[str] new: the paths to list
    :param list[str] gone: the paths to list no more
    :rtype: str
    """
    lines = text.splitlines()
    place = _find(text, 'adds')
    listed = []
    if place:
        start, end = place[0] + 1, _end(lines, *place)
        listed = [line for line in lines[start:end]
                  if not (_ITEM.match(line) and _ITEM.match(line)[1] in gone)]
    else:
        start = end = _above(lines, _find(text, 'edits'))
    for path in new:
        later = (number for number, line in enumerate(listed)
                 if _ITEM.match(line) and _ITEM.match(line)[1] > path)
        listed.insert(next(later, len(listed)), f'  - {path}')
    if not place and listed:
        blank = [''] if start and lines[start - 1] else []
        listed = [*blank, 'adds:', *listed, '']
    elif place and not any(map(_ITEM.match, listed)):
        start -= 1
        listed = []
    return _joined(lines[:start] + listed + lines[end:])


def with_outcome(text, path, number, rule, key):
    """Replace the outcome of a rule.

    :param str text: the file
    :param str path: the file of the project
    :param int number: the rule's place in the list, from 1
    :param dict rule: the rule, all keys, as it shall be
    :param str key: the key of the outcome
    :rtype: str
    """
    lines = text.splitlines()
    item = _value(text, 'edits', path).value[number - 1]
    if item.flow_style:
        start = item.start_mark.line
        column = item.start_mark.column - 2
        made = _item(rule, column)
    else:
        found = next(k for k, _ in item.value if k.value == key)
        start, column = found.start_mark.line, found.start_mark.column
        made = _dump({key: rule[key]}, column)
        if start == item.start_mark.line:
            made[0] = lines[start][:column] + made[0][column:]
    end = _end(lines, start, column)
    return _joined(lines[:start] + made + lines[end:])


def with_rule(text, path, rule):
    """Add a rule after the others of a file.

    :param str text: the file
    :param str path: the file of the project
    :param dict rule: the rule
    :rtype: str
    """
    lines = text.splitlines()
    edits, place = _find(text, 'edits'), _find(text, 'edits', path)
    if place:
        items = _value(text, 'edits', path)
        end = _end(lines, *place)
        made = ['', *_item(rule, items.value[0].start_mark.column - 2)]
    else:
        end = _end(lines, *edits) if edits else len(lines)
        made = ['', *([] if edits else ['edits:']), f'  {path}:',
                *_item(rule, 4)]
        if not edits:
            while end and not lines[end - 1].strip():
                end -= 1
    return _joined(lines[:end] + made + lines[end:])


def without_rules(text, path):
    """Take away the rules of a file.

    :param str text: the file
    :param str path: the file of the project
    :rtype: str
    """
    lines = text.splitlines()
    keys = ('edits', path) if len(
        _value(text, 'edits').value) > 1 else ('edits',)
    start, column = _find(text, *keys)
    end = _end(lines, start, column)
    while end < len(lines) and not lines[end].strip():
        end += 1
    return _joined(lines[:start] + lines[end:])


def _joined(lines):
    return '\n'.join(lines).rstrip('\n') + '\n'


def _pair(text, *keys):
    node, key = yaml.YAML().compose(text), None
    for wanted in keys:
        key, node = next((pair for pair in getattr(node, 'value', None) or []
                          if pair[0].value == wanted), (None, None))
        if key is None:
            return None, None
    return key, node


def _value(text, *keys):
    return _pair(text, *keys)[1]


def _find(text, *keys):
    """Find line and column of a key; None if it is not there."""
    key, _ = _pair(text, *keys)
    return key and (key.start_mark.line, key.start_mark.column)


def _end(lines, start, column):
    """Find the line after a block, without the blank lines below it."""
    end = start + 1
    while end < len(lines) and (
            not lines[end].strip() or
            len(lines[end]) - len(lines[end].lstrip(' ')) > column):
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    return end


def _above(lines, place):
    return place[0] if place else len(lines)


def _item(rule, column):
    made = _dump(rule, column + 2)
    made[0] = f'{" " * column}- {made[0][column + 2:]}'
    return made


def _dump(mapping, column):
    lines = []
    for key, value in mapping.items():
        start = f'{" " * column}{key}:'
        if isinstance(value, dict):
            lines += [start, *_dump(value, column + 2)]
        elif isinstance(value, str) and '\n' in value:
            lines += _block(start, value, column + 2)
        else:
            lines.append(f'{start} {_scalar(value)}')
    return lines


def _block(start, value, column):
    body = value.rstrip('\n')
    ends = len(value) - len(body)
    sign = '2' if re.match(r'\n*[ \t]', value) else ''
    sign += '-' if not ends else '' if ends == 1 and body else '+'
    return [f'{start} |{sign}', *(
        f'{" " * column}{line}' if line else '' for line in
        [*body.split('\n'), *[''] * (ends - 1)])]


def _scalar(value):
    text = str(value)
    try:
        same = yaml.YAML(typ='safe', pure=True).load(f'a: {text}')
        if same == {'a': value} and text.strip() == text:
            return text
    except yaml.error.YAMLError:
        pass
    return "'" + text.replace("'", "''") + "'"
