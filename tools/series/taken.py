# SPDX-License-Identifier: Apache-2.0

"""Read the commits that somebody made in the built tree.

They are read from a clone, in which ``fixup!`` and ``squash!`` commits are
folded, so that the tree itself is as it was whatever happens.
"""

import dataclasses
import re

from tools.common import errors
from tools.series import apply
from tools.series import git
from tools.series import tree

_TO_FOLD = re.compile(r'(fixup|squash|amend)! ')


@dataclasses.dataclass(frozen=True)
class Taken:
    """One commit as it was taken.

    :param tools.series.commits.Commit commit: the commit of the series; None
        for a new one
    :param str made: its hash
    :param str message: its message, without the Change-Id
    :param dict[str, tuple] changes: path -> its letter in ``git diff --raw``,
        modes before and after and blobs before and after
    :param dict[str, tuple] before: the same of the commit as it was built
    """

    commit: object
    made: str
    message: str
    changes: dict
    before: dict

    @property
    def subject(self):
        """The first line of the message."""
        return self.message.partition('\n')[0]


def clone(built, folder):
    """Clone a built tree and fold what is to be folded.

    :param pathlib.Path built: the tree
    :param pathlib.Path folder: where the clone goes
    :returns: the clone
    :rtype: tools.series.git.Git
    :raises ToolError: if a commit cannot be folded
    """
    git.Git(built, ours=True).run(
        'clone', '--quiet', '--shared', '--branch', tree.BRANCH, '.',
        str(folder))
    repository = git.Git(folder, ours=True)
    if repository.run('rev-list', '--merges', 'upstream..HEAD'):
        raise errors.ToolError(
            f'{built.name} has a merge; the commits must follow each other.')
    if _to_fold(repository):
        try:
            repository.run(
                'rebase', '--quiet', '--interactive', '--autosquash',
                'upstream', env=git.identity(apply.BASE_TIME) | {
                    'GIT_SEQUENCE_EDITOR': 'true', 'GIT_EDITOR': 'true'})
        except git.GitError:
            path = ', '.join(repository.paths(
                'diff', '--name-only', '--diff-filter=U'))
            raise errors.ToolError(
                f'A fixup does not fold without conflict, in {path}. Fold it '
                f'in {built} with "git rebase --interactive --autosquash '
                f'upstream" and take again.')
        for subject in _to_fold(repository):
            raise errors.ToolError(
                f'{subject!r} names no commit that it can be folded into.')
    return repository


def _to_fold(repository):
    return [subject for subject in repository.line(
        'log', '--format=%s', 'upstream..HEAD').splitlines()
        if _TO_FOLD.match(subject)]


def read(repository, series, tip):
    """Read the commits of a clone.

    :param tools.series.git.Git repository: the clone
    :param series: the commits that the tree was built with
    :type series: list[tools.series.commits.Commit]
    :param str tip: the last commit that was built
    :returns: the commits, in order
    :rtype: list[Taken]
    :raises ToolError: if a commit of the series is missing, there twice or
        in another place
    """
    by_change = {commit.change_id: commit for commit in series}
    built = dict(zip(by_change, repository.line(
        'rev-list', '--reverse', f'upstream..{tip}').split()))
    found = []
    for made in repository.line(
            'rev-list', '--reverse', 'upstream..HEAD').split():
        text = repository.run('log', '-1', '--format=%B', made).decode()
        known = [by_change[change] for change in re.findall(
            r'^Change-Id: (\S+)$', text, re.MULTILINE) if change in by_change]
        message = re.sub(r'^Change-Id: .*\n', '', text, flags=re.MULTILINE)
        found.append(Taken(known[0] if known else None, made,
                           message.strip() + '\n',
                           _changes(repository, made),
                           _changes(repository, built[known[0].change_id])
                           if known else {}))
    names = [taken.commit.name for taken in found if taken.commit]
    for commit in series:
        if names.count(commit.name) != 1:
            raise errors.ToolError(
                f'The tree has commit {commit.name} {names.count(commit.name)}'
                f' times, expected once. To drop it from the series, remove '
                f'{commit.file} and its line from the order by hand.')
    for name, commit in zip(names, series):
        if name != commit.name:
            raise errors.ToolError(
                f'The tree has commit {name} where the order has '
                f'{commit.name}; change the order by hand and build first.')
    return found


def _changes(repository, made):
    listed = repository.run(
        'diff-tree', '-r', '--raw', '-z', '--no-renames', '--no-commit-id',
        made).decode().split('\0')
    changes = {}
    for facts, path in zip(listed[::2], listed[1::2]):
        old_mode, mode, old, new, letter = facts[1:].split()
        changes[path] = letter, old_mode, mode, old, new
    return changes
