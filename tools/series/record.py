# SPDX-License-Identifier: Apache-2.0

"""Note what a tree was built from, and tell what somebody did in it since.

The record stands inside the tree's ``.git``: a sum of all that the tree was
made from, and the commits, branches and tags that it had.
"""

import hashlib
from importlib import metadata
import json
import os
import pathlib
import re

from tools.common import errors
from tools.series import git

BRANCH = 'enhance-locks'
FILE = '.git/series.json'


def fingerprint(root, series, sdist):
    """Sum up all that the built tree depends on.

    :param pathlib.Path root: the top of this repository
    :param list[tools.series.commits.Commit] series: the commits
    :param tools.series.release.Sdist sdist: the release
    :rtype: str
    """
    package = pathlib.Path(__file__).parent
    inputs = [*package.glob('*.py'), root / sdist.project.order]
    for commit in series:
        inputs += [root / path for path in (commit.file, *map(
            commit.project.place_of, commit.adds))]
    facts = [sdist.version, sdist.sha256, _version_of_ast_grep()]
    for path in sorted(set(inputs)):
        if path.is_file():
            facts += [os.path.relpath(path, root), os.access(path, os.X_OK),
                      hashlib.sha256(path.read_bytes()).hexdigest()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _version_of_ast_grep():
    return metadata.version('ast-grep-cli')


def write(tree, repository, wanted):
    """Note what a tree was built from and which commits it has.

    :param pathlib.Path tree: the tree
    :param tools.series.git.Git repository: its repository
    :param str wanted: what :func:`fingerprint` gives
    :raises OSError: if it cannot be written
    """
    record = {'fingerprint': wanted, 'commits': _commits_of(repository)}
    (tree / FILE).write_text(json.dumps(record))


def _commits_of(repository):
    return [repository.line('rev-parse', '--symbolic-full-name', 'HEAD'),
            repository.line('for-each-ref')]


def worked_in(tree, root, series, sdist):
    """Find what somebody committed in a built tree.

    :param pathlib.Path tree: the tree
    :param pathlib.Path root: the top of this repository
    :param list[tools.series.commits.Commit] series: the commits
    :param tools.series.release.Sdist sdist: the release
    :returns: the last commit as built and the last now, None if they are the
        same
    :rtype: tuple[str, str]
    :raises ToolError: if anything but the branch has changed, in the tree or
        in what it was built from
    """
    record = _clean(tree, 'Build it first.', 'Commit them, then take again.')
    repository = git.Git(tree, ours=True)
    if record['fingerprint'] != fingerprint(root, series, sdist):
        raise errors.ToolError(
            f'The series, or the tool, has changed since {shown(tree)} was '
            f'built. Put the change aside (git stash), take, and bring it '
            f'back.')
    if _commits_of(repository) == record['commits']:
        return None
    branch = f'refs/heads/{BRANCH}'
    was, now = ([where, *(line for line in refs.splitlines()
                          if not line.endswith(f'\t{branch}'))]
                for where, refs in (record['commits'],
                                    _commits_of(repository)))
    if was != now:
        raise errors.ToolError(
            f'{shown(tree)} has other branches, tags or stashes than were '
            f'built, or another branch checked out, where only {BRANCH} is '
            f'taken. Remove them first ("git checkout {BRANCH}" goes back).')
    built = re.search(rf'(\w+) commit\t{branch}$', record['commits'][1],
                      re.MULTILINE)
    return built[1], repository.line('rev-parse', 'HEAD')


def intact(tree):
    """Read the record of a tree that nobody worked in.

    :param pathlib.Path tree: the tree
    :returns: the record
    :rtype: dict
    :raises ToolError: if it was not built here, or somebody worked in it
    """
    advice = f'move or delete {shown(tree)} and build again.'
    record = _clean(tree, f'To replace it, {advice}', (
        f'Commit them and "./series take" brings them home; or, without '
        f'them, {advice}'))
    if _commits_of(git.Git(tree, ours=True)) != record['commits']:
        raise errors.ToolError(
            f'{shown(tree)} has other commits, branches or tags than were '
            f'built. "./series take" brings commits home, "git checkout '
            f'{BRANCH}" goes back to the branch; or, without them, {advice}')
    return record


def _clean(tree, foreign, dirty):
    try:
        record = json.loads((tree / FILE).read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise errors.ToolError(
            f'{shown(tree)} was not built by this tool. {foreign}')
    if git.Git(tree, ours=True).run('status', '--porcelain'):
        raise errors.ToolError(
            f'{shown(tree)} has changes that are not committed. {dirty}')
    return record


def shown(tree):
    """Return what to call a tree.

    :param pathlib.Path tree: the tree
    :rtype: str
    """
    return f'{tree.parent.name}/{tree.name}'
