# SPDX-License-Identifier: Apache-2.0

"""Show what the series does to Cinder, as a list or as a commit's diff."""

import itertools
import operator
import signal
import subprocess
import sys

from tools.common import errors
from tools.series import commits
from tools.series import tree


def show(root, wanted, version, endpoint=None):
    """Print the commits by topic, those of a file, or one as a diff.

    :param pathlib.Path root: the top of this repository
    :param str wanted: a commit as :func:`find` takes it, a file of Cinder, or
        None for all commits
    :param str version: the release of Cinder, for a diff
    :param str endpoint: the address of the package index
    :raises ToolError: if there is no such commit, no commit touches the file,
        or the tree cannot be built
    """
    series = commits.load(root)
    if wanted is None:
        _print(series)
    elif '/' in wanted or any(wanted in commit.paths for commit in series):
        _print(_touching(series, wanted.removeprefix('./')))
    else:
        _show_commit(root, series, wanted, version, endpoint)


def find(series, wanted):
    """Find a commit.

    :param list[tools.series.commits.Commit] series: the commits to search
    :param str wanted: number, name or unique start of the Change-Id
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
            f'{what} of the series can be called {wanted!r}; "./series show" '
            f'lists them.')
    return found[0]


def _print(series):
    """Print number, name and subject of commits, by topic."""
    width = max((len(commit.name) for commit in series), default=0)
    for topic, group in itertools.groupby(
            series, operator.attrgetter('topic')):
        print(f'[{topic}]')
        for commit in group:
            print(f'{commit.number:3}  {commit.name:{width}}  '
                  f'{commit.subject}')


def _touching(series, path):
    found = [commit for commit in series if path in commit.paths]
    if not found:
        raise errors.ToolError(f'no commit of the series touches {path}.')
    return found


def _show_commit(root, series, wanted, version, endpoint):
    """Print a commit as ``git show`` does, building the tree if need be."""
    commit = find(series, wanted)
    if commit not in commits.of_release(series, version):
        raise errors.ToolError(
            f'Commit {commit.name} is left out on Cinder {version}: '
            f'{commit.why}')
    path = tree.build(root, version, endpoint)
    made = {each.name: found for each, found in tree.made(path, series)}
    sys.stdout.flush()
    # The reader's own git, for his colours and his pager.
    done = subprocess.run(['git', 'show', made[commit.name]], cwd=path)
    if done.returncode not in (0, -signal.SIGPIPE):
        raise errors.ToolError(f'git show failed in {path}.')
