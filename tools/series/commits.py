# SPDX-License-Identifier: Apache-2.0

"""Read the commits of a project from its folder of ``commits/``.

``series`` lists them in order, a name a line, under the topic that they have
in Gerrit.  ``NAME.yml`` is one commit: its message, the files that it adds
and, for each file that it edits, the rules to apply, in order.  The
Change-Id follows from the name alone, so that Gerrit knows the change again
however often it is reworded.
"""

import dataclasses
import hashlib
import pathlib
import re

from packaging import specifiers

from tools.common import errors
from tools.series import documents
from tools.series import git
from tools.series import projects
from tools.series import releases
from tools.series import rules

_KEYS = {'message', 'adds', 'edits', 'releases', 'why'}
_SKIPPED = ('__pycache__', '.pyc')


@dataclasses.dataclass(frozen=True)
class Commit:
    """One commit of the series.

    :param int number: its place in the order, from 1
    :param str name: its short name, that of its file
    :param str topic: its topic in Gerrit
    :param str message: the whole message, Change-Id included
    :param tuple[str, ...] adds: the files that it adds, folders resolved
    :param dict[str, list[tools.series.rules.Rule]] edits: file of the
        project -> its rules
    :param packaging.specifiers.SpecifierSet releases: those that it is for
    :param str why: why it is not for the others, None if it is for all
    :param tools.series.projects.Project project: what it is for
    """

    number: int
    name: str
    topic: str
    message: str
    adds: tuple
    edits: dict
    releases: specifiers.SpecifierSet
    why: str
    project: projects.Project = projects.CINDER

    @property
    def change_id(self):
        """What identifies the change in Gerrit, made from the name alone."""
        digest = hashlib.sha1(
            f'{self.project.change}/{self.name}'.encode())
        return f'I{digest.hexdigest()}'

    @property
    def subject(self):
        """The first line of the message."""
        return self.message.partition('\n')[0]

    @property
    def file(self):
        """The file that holds it, relative to the top of this repository."""
        return self.project.file_of(self.name)

    @property
    def paths(self):
        """The files that it adds or edits, in order."""
        return (*self.adds, *self.edits)


def load(root, project=projects.CINDER):
    """Read the commits.

    :param pathlib.Path root: the top of this repository
    :param tools.series.projects.Project project: the project
    :returns: the commits in order
    :rtype: list[Commit]
    :raises ToolError: if a file is malformed, or a file to add is missing
    """
    series = [_load_commit(root, project, number, name, topic) for
              number, (name, topic) in enumerate(_order(root, project), 1)]
    unlisted = {path.name for path in (root / project.folder).glob('*.yml')}
    unlisted -= {pathlib.Path(project.releases).name, *(
        f'{commit.name}.yml' for commit in series)}
    if unlisted:
        raise errors.ToolError(
            f'{project.order} does not list {", ".join(sorted(unlisted))}.')
    return series


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

    :param pathlib.Path root: the folder that paths are relative to
    :param str folder: the folder
    :returns: the files' paths, sorted
    :rtype: list[str]
    """
    files = [path.relative_to(root) for path in (root / folder).rglob('*')
             if path.is_file()]
    return sorted(file.as_posix() for file in files
                  if not any(part.endswith(_SKIPPED) for part in file.parts))


def _order(root, project):
    """Read the order; return pairs of a commit's name and its topic."""
    try:
        lines = (root / project.order).read_text().splitlines()
    except FileNotFoundError:
        raise errors.ToolError(f'{project.order} does not exist.')
    order, topic = {}, None
    for number, line in enumerate(lines, 1):
        where = f'{project.order}, line {number}'
        text = line.partition('#')[0].strip()
        header = re.fullmatch(r'\[(\S+)\]', text)
        if not text:
            continue
        if header:
            topic = header[1]
        elif not re.fullmatch(r'[\w.-]+', text):
            raise errors.ToolError(
                f'{where}: expected a commit or a [topic], found {text!r}.')
        elif topic is None:
            raise errors.ToolError(f'{where}: {text} stands under no [topic].')
        elif text in order:
            raise errors.ToolError(f'{where}: {text} is listed twice.')
        else:
            order[text] = topic
    return order.items()


def _load_commit(root, project, number, name, topic):
    where = project.file_of(name)
    item = documents.load_mapping(root / where, where)
    documents.refuse_unknown_keys(item, _KEYS, where)
    return _with_change_id(Commit(
        number=number, name=name, topic=topic,
        message=documents.take(item, 'message', str, where),
        adds=tuple(_resolve(root / project.home, item, where)),
        edits=_edits(item, where), releases=releases.take(item, where),
        why=_why(item, where), project=project), where)


def _resolve(home, item, where):
    for path in documents.take(item, 'adds', list, where, default=[]):
        _check_path(path, where)
        if str(path).endswith('/'):
            found = files_below(home, path)
        else:
            found = [path] if (home / path).is_file() else []
        if not found:
            raise errors.ToolError(
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
    for path, listed in edits.items():
        _check_path(path, where)
        if not isinstance(listed, list) or not listed:
            raise errors.ToolError(
                f'{where}: edits of {path} must be a list of rules.')
    return {path: [rules.parse(rule, f'{where}: {path}: rule {number}',
                               path.endswith('.py'))
                   for number, rule in enumerate(listed, 1)]
            for path, listed in edits.items()}


def _check_path(path, where):
    if (not isinstance(path, str) or not path or
            pathlib.PurePosixPath(path).is_absolute() or
            '..' in pathlib.PurePosixPath(path).parts):
        raise errors.ToolError(
            f'{where}: {path!r} is no path below the top of the project.')


def _with_change_id(commit, where):
    if 'Change-Id:' in commit.message:
        raise errors.ToolError(
            f'{where}: leave the Change-Id out, it is made from the name.')
    return dataclasses.replace(commit, message=git.with_trailer(
        commit.message, f'Change-Id: {commit.change_id}'))
