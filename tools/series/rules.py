# SPDX-License-Identifier: Apache-2.0

"""What a rule says: where to edit a file, and what to make of it.

Python files are edited by ast-grep rules, which match code however it is laid
out; all other files by exact text: ``find``, which ``through`` extends to a
later text, and one of ``replace``, ``before`` and ``after``.  A rule must
match exactly once, or as often as its ``count`` says.  Where releases differ,
each rule says with ``releases`` which of them it is for.  ``why`` is for
readers.
"""

import dataclasses

from packaging import specifiers

from tools.common import errors
from tools.series import documents
from tools.series import releases

_COMMON = {'why', 'count', 'releases'}
_AST_GREP = {'rule', 'constraints', 'utils', 'transform', 'fix'}
_PLACES = ('replace', 'before', 'after')


@dataclasses.dataclass(frozen=True)
class Rule:
    """One rule.

    :param str where: where it stands, for errors
    :param int count: how often it must match
    :param dict body: the keys that say what to find and what to make of it
    :param packaging.specifiers.SpecifierSet releases: those that it is for
    """

    where: str
    count: int
    body: dict
    releases: specifiers.SpecifierSet = specifiers.SpecifierSet(
        prereleases=True)

    @property
    def is_text(self):
        """Whether the rule finds exact text rather than Python code."""
        return 'find' in self.body


def parse(item, where, is_python):
    """Make a rule of a mapping.

    :param dict item: the mapping
    :param str where: what to call it in an error
    :param bool is_python: whether the rule is for Python code
    :rtype: Rule
    :raises ToolError: if it is malformed
    """
    if not isinstance(item, dict):
        raise errors.ToolError(f'{where} must be a mapping, not {item!r}.')
    known = _AST_GREP if is_python else {'find', 'through', *_PLACES}
    documents.refuse_unknown_keys(item, _COMMON | known, where)
    count = documents.take(item, 'count', int, where, default=1)
    if count < 1:
        raise errors.ToolError(f'{where}: count must be at least 1.')
    body = {key: item[key] for key in item if key in known}
    if is_python:
        documents.take(item, 'rule', dict, where)
        if not isinstance(item.get('fix'), (str, dict)):
            raise errors.ToolError(
                f'{where}: fix must be a text or a mapping.')
    else:
        documents.take(item, 'find', str, where)
        given = [place for place in _PLACES if place in item]
        if len(given) != 1 or not isinstance(item[given[0]], str):
            raise errors.ToolError(
                f'{where} needs exactly one text of {", ".join(_PLACES)}.')
        if 'through' in item:
            documents.take(item, 'through', str, where)
    return Rule(where, count, body, releases.take(item, where))
