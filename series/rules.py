#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""Read the rules for one file of Cinder from ``edits/<path>.yml``.

Python files are edited by ast-grep rules, which match code however it is laid
out; all other files by exact text.  Where releases differ, rules of the same
id say which one of them is for which release.
"""

import dataclasses

from packaging import specifiers

from series import documents
from series import errors
from series import releases

FOLDER = 'edits'
_COMMON = {'id', 'why', 'count', 'releases'}
_AST_GREP = {'rule', 'constraints', 'utils', 'transform', 'fix'}
_PLACES = ('replace', 'before', 'after')


@dataclasses.dataclass(frozen=True)
class Rule:
    """One rule.

    :param str id: its name
    :param int count: how often it must match
    :param dict body: the keys that say what to find and what to make of it
    :param packaging.specifiers.SpecifierSet releases: those that it is for
    """

    id: str
    count: int
    body: dict
    releases: specifiers.SpecifierSet = specifiers.SpecifierSet(
        prereleases=True)

    @property
    def is_text(self):
        """Whether the rule finds exact text rather than Python code."""
        return 'find' in self.body


def load(root, path):
    """Read the rules for a file.

    :param pathlib.Path root: the top of this repository
    :param str path: the file's path in Cinder
    :returns: the rules by id, in the file's order
    :rtype: dict[str, list[Rule]]
    :raises SeriesError: if the file of rules is missing or malformed
    """
    name = f'{FOLDER}/{path}.yml'
    rules = {}
    for item in documents.load_list(root / name, name):
        where = f'{name}: rule {item.get("id", len(rules) + 1)}'
        rule = parse(item, where, path.endswith('.py'))
        variants = rules.setdefault(rule.id, [])
        variants.append(rule)
        if len(variants) > 1 and not all(
                variant.releases for variant in variants):
            raise errors.SeriesError(f'{where} is defined twice.')
    return rules


def choose(variants, version, where):
    """Choose the rule for a release among those of the same id.

    :param list[Rule] variants: the rules
    :param packaging.version.Version version: the release
    :param str where: what to call the release and its file in an error
    :returns: the rule; None if the release needs none
    :rtype: Rule
    :raises SeriesError: if there are several
    """
    chosen = [rule for rule in variants if version in rule.releases]
    if len(chosen) > 1:
        raise errors.SeriesError(
            f'{where}: {len(chosen)} rules {chosen[0].id} are for this '
            f'release.')
    return chosen[0] if chosen else None


def parse(item, where, is_python):
    """Make a rule of a mapping.

    :param dict item: the mapping
    :param str where: what to call it in an error
    :param bool is_python: whether the rule is for Python code
    :rtype: Rule
    :raises SeriesError: if it is malformed
    """
    known = _AST_GREP if is_python else {'find', 'through', *_PLACES}
    documents.refuse_unknown_keys(item, _COMMON | known, where)
    count = documents.take(item, 'count', int, where, default=1)
    if count < 1:
        raise errors.SeriesError(f'{where}: count must be at least 1.')
    body = {key: item[key] for key in item if key in known}
    if is_python:
        documents.take(item, 'rule', dict, where)
        if not isinstance(item.get('fix'), (str, dict)):
            raise errors.SeriesError(
                f'{where}: fix must be a text or a mapping.')
    else:
        documents.take(item, 'find', str, where)
        given = [place for place in _PLACES if place in item]
        if len(given) != 1 or not isinstance(item[given[0]], str):
            raise errors.SeriesError(
                f'{where} needs exactly one text of {", ".join(_PLACES)}.')
        if 'through' in item:
            documents.take(item, 'through', str, where)
    return Rule(id=documents.take(item, 'id', str, where), count=count,
                body=body, releases=releases.take(item, where))
