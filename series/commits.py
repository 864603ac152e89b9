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

"""Read ``series/series.yml``, the ordered list of the commits.

Every commit names the files that it adds and, for each file of Cinder that it
edits, the rules to apply.  Its Change-Id follows from its id alone, so that
Gerrit knows the change again however often it is reworded.
"""

import dataclasses
import hashlib
import pathlib

from packaging import specifiers

from series import documents
from series import errors
from series import git
from series import releases

LIST = 'series/series.yml'
_KEYS = {'id', 'message', 'adds', 'edits', 'releases', 'why'}
_SKIPPED = ('__pycache__', '.pyc')


@dataclasses.dataclass(frozen=True)
class Commit:
    """One commit of the series.

    :param int number: its place in the list, from 1
    :param str id: its short name
    :param str message: the whole message, Change-Id included
    :param tuple[str, ...] adds: the files that it adds, folders resolved
    :param dict[str, list[str]] edits: file of Cinder -> ids of its rules
    :param packaging.specifiers.SpecifierSet releases: those that it is for
    :param str why: why it is not for the others, None if it is for all
    """

    number: int
    id: str
    message: str
    adds: tuple
    edits: dict
    releases: specifiers.SpecifierSet
    why: str

    @property
    def change_id(self):
        """What identifies the change in Gerrit, made from the id alone."""
        digest = hashlib.sha1(f'enhance-locks/{self.id}'.encode())
        return f'I{digest.hexdigest()}'

    @property
    def subject(self):
        """The first line of the message."""
        return self.message.partition('\n')[0]


def load(root):
    """Read the list.

    :param pathlib.Path root: the top of this repository
    :returns: the commits in order
    :rtype: list[Commit]
    :raises SeriesError: if the list is malformed or a file to add is missing
    """
    commits = []
    for item in documents.load_list(root / LIST, LIST):
        number = len(commits) + 1
        where = f'{LIST}: commit {item.get("id", number)}'
        documents.refuse_unknown_keys(item, _KEYS, where)
        name = documents.take(item, 'id', str, where)
        if any(commit.id == name for commit in commits):
            raise errors.SeriesError(f'{where} is listed twice.')
        commit = Commit(
            number=number, id=name,
            message=documents.take(item, 'message', str, where),
            adds=tuple(_resolve(root, item, where)),
            edits=_edits(item, where),
            releases=releases.take(item, where), why=_why(item, where))
        commits.append(_with_change_id(commit, where))
    return commits


def of_release(series, version):
    """Leave out what is not for a release.

    :param list[Commit] series: the series
    :param str version: the release
    :returns: the commits that are for it
    :rtype: list[Commit]
    """
    wanted = releases.parse(version)
    return [commit for commit in series if wanted in commit.releases]


def files_below(root, folder):
    """List the files of a folder that a commit could add.

    What Python leaves behind when it runs a module is no file of ours.

    :param pathlib.Path root: the top of this repository
    :param str folder: the folder, relative to it
    :returns: the files' paths, relative to the top, sorted
    :rtype: list[str]
    """
    files = [path.relative_to(root) for path in (root / folder).rglob('*')
             if path.is_file()]
    return sorted(file.as_posix() for file in files
                  if not any(part.endswith(_SKIPPED) for part in file.parts))


def _resolve(root, item, where):
    for path in documents.take(item, 'adds', list, where, default=[]):
        _check_path(path, where)
        if str(path).endswith('/'):
            found = files_below(root, path)
        else:
            found = [path] if (root / path).is_file() else []
        if not found:
            raise errors.SeriesError(
                f'{where} adds {path}, which does not exist in this '
                f'repository.')
        yield from found


def _why(item, where):
    if 'releases' not in item and 'why' not in item:
        return None
    documents.take(item, 'releases', str, where)
    return documents.take(item, 'why', str, where)


def _edits(item, where):
    edits = documents.take(item, 'edits', dict, where, default={})
    for path, rules in edits.items():
        _check_path(path, where)
        if (not isinstance(rules, list) or not rules or
                not all(isinstance(rule, str) for rule in rules)):
            raise errors.SeriesError(
                f'{where}: edits of {path} must be a list of rule ids.')
    return edits


def _check_path(path, where):
    if (not isinstance(path, str) or not path or
            pathlib.PurePosixPath(path).is_absolute() or
            '..' in pathlib.PurePosixPath(path).parts):
        raise errors.SeriesError(
            f'{where}: {path!r} is no path below the top of Cinder.')


def _with_change_id(commit, where):
    if 'Change-Id:' in commit.message:
        raise errors.SeriesError(
            f'{where}: leave the Change-Id out, it is made from the id.')
    message = git.Git('/', ours=True).run(
        'interpret-trailers', '--no-divider',
        '--trailer', f'Change-Id: {commit.change_id}',
        stdin=f'{commit.message.strip()}\n'.encode())
    return dataclasses.replace(commit, message=message.decode())
