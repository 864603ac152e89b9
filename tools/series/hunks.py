# SPDX-License-Identifier: Apache-2.0

"""Change the rules of a file so that they make what somebody made of it.

The old rules are applied and their result is compared with the file as it is
wanted.  Hunk by hunk, the rule that made the old lines gets a new outcome, or
a rule is added.  Whatever is tried counts only if applying it gives the wanted
lines, byte by byte.
"""

import dataclasses
import difflib

from tools.common import errors
from tools.series import edit
from tools.series import rules
from tools.series import write_rule

OUTCOMES = ('fix', 'replace', 'before', 'after')
"""The keys that say what a rule makes of what it finds."""


@dataclasses.dataclass(frozen=True)
class Hunk:
    """Lines that are replaced by others.

    :param int start: the first of the old lines, from 0
    :param list[str] old: the lines as they are, newlines included
    :param list[str] new: the lines as they are wanted
    """

    start: int
    old: list
    new: list

    def __str__(self):
        return ''.join([*(f'-{line}' for line in self.old),
                        *(f'+{line}' for line in self.new)]).rstrip('\n')


class CannotWriteError(errors.ToolError):
    """No rule that makes a hunk was found."""


def rewrite(before, after, listed, is_python, tell):
    """Change rules, and add some, until they make a file what it shall be.

    :param bytes before: the content of the file before the commit
    :param bytes after: its content after it
    :param listed: the rules that the commit has for it
    :type listed: list[tools.series.rules.Rule]
    :param bool is_python: whether it is Python code
    :param tell: called with each hunk, the number of its rule from 1, and
        whether that rule is new
    :returns: the new rules: those of before in their place, then new ones
    :rtype: list[tools.series.rules.Rule]
    :raises CannotWriteError: if one of the hunks is beyond this
    :raises ToolError: if a rule of before does not match any more
    """
    new = list(listed)
    while True:
        stages = _stages(before, new)
        if stages[-1] == after:
            return new
        hunk = _first_hunk(stages[-1], after)
        makers = _makers(stages, hunk)
        for part in _parts(stages[-1], hunk):
            found = _try(stages, new, part, makers, is_python)
            if found:
                break
        else:
            raise CannotWriteError(_told(hunk, makers))
        number, rule = found
        tell(part, number, number > len(new))
        new[number - 1:number] = [rule]


def _stages(before, listed):
    stages = [before]
    for rule in listed:
        stages.append(edit.apply(stages[-1], rule, 'Taking'))
    return stages


def _lines(content):
    return content.decode().splitlines(keepends=True)


def _first_hunk(old, new):
    old, new = _lines(old), _lines(new)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != 'equal':
            return Hunk(i, old[i:j], new[k:m])


def _makers(stages, hunk):
    """Find the numbers of the rules that made the lines of a hunk."""
    origins = [0] * len(_lines(stages[0]))
    for number, (old, new) in enumerate(zip(stages, stages[1:]), 1):
        made = []
        for kind, i, j, k, m in difflib.SequenceMatcher(
                None, _lines(old), _lines(new),
                autojunk=False).get_opcodes():
            made += origins[i:j] if kind == 'equal' else [number] * (m - k)
        origins = made
    if hunk.old:
        touched = origins[hunk.start:hunk.start + len(hunk.old)]
    else:
        touched = origins[max(hunk.start - 1, 0):hunk.start + 1]
    return sorted(set(touched) - {0}, reverse=True)


def _parts(content, hunk):
    """Give the hunk, then smaller steps on the way to it."""
    yield hunk
    if hunk.old and hunk.new:
        yield Hunk(hunk.start, [], hunk.new)
    for lines in write_rule.statements(content, hunk.start, len(hunk.old)):
        yield Hunk(lines.start, _lines(content)[lines.start:lines.stop], [])


def _try(stages, listed, hunk, makers, is_python):
    lines = _lines(stages[-1])
    lines[hunk.start:hunk.start + len(hunk.old)] = hunk.new
    wanted = ''.join(lines).encode()
    for number in makers:
        for rule in _other_outcomes(listed[number - 1], hunk):
            changed = [rule, *listed[number:]]
            if _makes(stages[number - 1], changed, wanted):
                return number, rule
    for body in write_rule.candidates(stages[-1], hunk, is_python):
        rule = rules.Rule('a new rule', 1, body)
        if _makes(stages[-1], [rule], wanted):
            return len(listed) + 1, rule
    return None


def _makes(content, listed, wanted):
    try:
        return _stages(content, listed)[-1] == wanted
    except errors.ToolError:
        return False


def _other_outcomes(rule, hunk):
    """Give the rule with its outcome changed as the hunk changes lines."""
    key = next(key for key in OUTCOMES if key in rule.body)
    outcome = rule.body[key]
    template = outcome if isinstance(outcome, str) else outcome['template']
    tried = {template}
    for text in [*_line_by_line(template, hunk), *_in_a_line(template, hunk)]:
        if text not in tried:
            tried.add(text)
            new = text if isinstance(outcome, str) else (
                outcome | {'template': text})
            yield dataclasses.replace(rule, body=rule.body | {key: new})


def _line_by_line(template, hunk):
    lines = template.splitlines(keepends=True)
    if lines and not lines[-1].endswith('\n'):
        lines[-1] += '\n'
    for width in write_rule.indentations(hunk.old + hunk.new):
        old = write_rule.dedent(hunk.old, width)
        new = write_rule.dedent(hunk.new, width)
        for start in range(len(lines) - len(old) + 1):
            if lines[start:start + len(old)] == old:
                made = ''.join(lines[:start] + new + lines[start + len(old):])
                yield made if template.endswith('\n') else made.rstrip('\n')


def _in_a_line(template, hunk):
    old, new = write_rule.difference(''.join(hunk.old), ''.join(hunk.new))
    parts = template.split(old) if old else []
    for place in range(1, len(parts)):
        yield old.join(parts[:place]) + new + old.join(parts[place:])


def _told(hunk, makers):
    made = (f'rule {", ".join(map(str, sorted(makers)))} made what was there'
            if makers else 'no rule of the commit made what was there')
    return (f'line {hunk.start + 1} needs a rule that take cannot write '
            f'({made}):\n{hunk}')
