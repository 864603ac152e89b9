# SPDX-License-Identifier: Apache-2.0

"""Show what the series does to Cinder, as a list or as a commit's diff."""

import signal
import subprocess
import sys

from tools.common import errors
from tools.series import commits
from tools.series import git
from tools.series import tree


def list_commits(root):
    """Print number, id and subject of every commit.

    :param pathlib.Path root: the top of this repository
    :raises ToolError: if the list is malformed
    """
    series = commits.load(root)
    width = max((len(commit.name) for commit in series), default=0)
    for commit in series:
        print(f'{commit.number:3}  {commit.name:{width}}  {commit.subject}')


def show_commit(root, wanted, version, endpoint=None):
    """Print a commit as ``git show`` does, building the tree if need be.

    :param pathlib.Path root: the top of this repository
    :param str wanted: number, id or unique start of the Change-Id
    :param str version: the release of Cinder
    :param str endpoint: the address of the package index
    :raises ToolError: if there is no such commit, or the tree cannot be
        built
    """
    series = commits.load(root)
    commit = find(series, wanted)
    kept = commits.of_release(series, version)
    if commit not in kept:
        raise errors.ToolError(
            f'Commit {commit.name} is left out on Cinder {version}: '
            f'{commit.why}')
    path = tree.build(root, version, endpoint)
    hashes = git.Git(path, ours=True).line(
        'rev-list', '--reverse', f'upstream..{tree.BRANCH}').split()
    sys.stdout.flush()
    # The reader's own git, for his colours and his pager.
    done = subprocess.run(
        ['git', 'show', hashes[kept.index(commit)]], cwd=path)
    if done.returncode not in (0, -signal.SIGPIPE):
        raise errors.ToolError(f'git show failed in {path}.')


def find(series, wanted):
    """Find a commit.

    :param list[tools.series.commits.Commit] series: the commits to search
    :param str wanted: number, id or unique start of the Change-Id
    :rtype: tools.series.commits.Commit
    :raises ToolError: if none or several can be called so
    """
    found = [commit for commit in series
             if wanted in (str(commit.number), commit.name)]
    if not found and wanted.startswith('I'):
        found = [commit for commit in series
                 if commit.change_id.startswith(wanted)]
    if len(found) != 1:
        what = 'several commits' if found else 'no commit'
        raise errors.ToolError(
            f'{what} of the series can be called {wanted!r}; "python -m '
            f'series show" lists them.')
    return found[0]
