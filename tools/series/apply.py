# SPDX-License-Identifier: Apache-2.0

"""Make the commits of the series on top of a base commit.

All is done with git's plumbing on an index of its own: no work tree is
touched, and what is made are objects only, which no branch names yet.  The
same base and the same series give the same commits, hash by hash, because
identity and dates are fixed: each commit is a minute later than the one
before.
"""

import datetime
import os

from tools.common import errors
from tools.common import progress
from tools.series import edited
from tools.series import git

BASE_TIME = int(datetime.datetime(
    2026, 10, 1, tzinfo=datetime.timezone.utc).timestamp())


def fail(error):
    """Stop at an error, as opposed to collecting it.

    :param ToolError error: the error
    :raises ToolError: always
    """
    raise error


def apply_series(repository, base, commits, root, version, name, index,
                 report=fail):
    """Make the commits that are for a release.

    :param tools.series.git.Git repository: where the objects go
    :param str base: the commit to start from
    :param list[tools.series.commits.Commit] commits: the series
    :param pathlib.Path root: the top of this repository
    :param packaging.version.Version version: the release of the base
    :param str name: what to call the base in an error
    :param pathlib.Path index: where to keep the index, a file to be made
    :param report: called with each error of a commit; raises it by default
    :returns: the hashes of the commits, in order
    :rtype: list[str]
    :raises ToolError: if a rule does not match, a file to add exists
        already, or a commit changes nothing
    """
    stage = _Stage(repository, index, root, version, name)
    stage.run('read-tree', base)
    parent, hashes = base, []
    for commit in commits:
        if version not in commit.releases:
            progress.say(f'[{commit.number}/{len(commits)}] left out: '
                         f'{commit.subject}: {commit.why}')
            continue
        progress.say(f'[{commit.number}/{len(commits)}] {commit.subject}')
        for path in commit.adds:
            _attempt(report, stage.add, path, commit)
        for path, listed in commit.edits.items():
            _attempt(report, stage.edit, path, listed, commit, report)
        tree = stage.line('write-tree')
        if tree == stage.line('rev-parse', f'{parent}^{{tree}}'):
            report(errors.ToolError(
                f'{name}: commit {commit.name} changes nothing.'))
        parent = stage.line(
            'commit-tree', tree, '-p', parent, stdin=commit.message.encode(),
            env=git.identity(BASE_TIME + 60 * commit.number))
        hashes.append(parent)
    return hashes


def _attempt(report, step, *args):
    try:
        step(*args)
    except errors.ToolError as error:
        report(error)


class _Stage:
    """The index that the commits are made from."""

    def __init__(self, repository, index, root, version, name):
        self._repository = repository
        self._env = {'GIT_INDEX_FILE': os.fspath(index)}
        self._root = root
        self._version = version
        self._name = name
        self._edits = edited.Edits(root)

    def run(self, *args, stdin=b'', env=None):
        return self._repository.run(
            *args, stdin=stdin, env=self._env | (env or {}))

    def line(self, *args, stdin=b'', env=None):
        return os.fsdecode(self.run(*args, stdin=stdin, env=env)).strip()

    def add(self, path, commit):
        if self._entry(path):
            raise errors.ToolError(
                f'{self._name} has {path} already, which commit {commit.name} '
                f'adds.')
        source = self._root / commit.project.place_of(path)
        mode = '100755' if os.access(source, os.X_OK) else '100644'
        self._put(path, mode, source.read_bytes())

    def edit(self, path, listed, commit, report):
        chosen = [rule for rule in listed if self._version in rule.releases]
        if not chosen:
            return
        entry = self._entry(path)
        if not entry:
            raise errors.ToolError(
                f'{self._name} has no file {path}, which commit {commit.name} '
                f'edits.')
        mode, blob = entry
        content = self.run('cat-file', 'blob', blob)
        for rule in chosen:
            try:
                content = self._edits.apply(content, rule, self._name)
            except errors.ToolError as error:
                report(error)
        self._put(path, mode, content)

    def _entry(self, path):
        """Find a file's mode and blob; None if it is not there."""
        listed = self.run('ls-files', '--stage', '-z', '--', path)
        for entry in listed.split(b'\0'):
            facts, _, found = entry.partition(b'\t')
            if found == path.encode():
                mode, blob, _ = facts.decode().split()
                return mode, blob
        return None

    def _put(self, path, mode, content):
        blob = self.line('hash-object', '-w', '--stdin', stdin=content)
        self.run('update-index', '-z', '--add', '--index-info',
                 stdin=f'{mode} {blob}\t{path}\0'.encode())
