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

"""Show what the series does to Cinder, as a list or as a commit's diff."""

import signal
import subprocess
import sys

from series import commits
from series import errors
from series import git
from series import release
from series import tree


def list_commits(root):
    """Print number, id and subject of every commit.

    :param pathlib.Path root: the top of this repository
    :raises SeriesError: if the list is malformed
    """
    series = commits.load(root)
    width = max((len(commit.id) for commit in series), default=0)
    for commit in series:
        print(f'{commit.number:3}  {commit.id:{width}}  {commit.subject}')


def show_commit(root, wanted, version, endpoint=release.PYPI):
    """Print a commit as ``git show`` does, building the tree if need be.

    :param pathlib.Path root: the top of this repository
    :param str wanted: number, id or unique start of the Change-Id
    :param str version: the release of Cinder
    :param str endpoint: the address of the package index
    :raises SeriesError: if there is no such commit, or the tree cannot be
        built
    """
    series = commits.load(root)
    commit = find(series, wanted)
    kept = commits.of_release(series, version)
    if commit not in kept:
        raise errors.SeriesError(
            f'Commit {commit.id} is left out on Cinder {version}: '
            f'{commit.why}')
    path = tree.build(root, version, endpoint)
    hashes = git.Git(path, ours=True).line(
        'rev-list', '--reverse', f'upstream..{tree.BRANCH}').split()
    sys.stdout.flush()
    # The reader's own git, for his colours and his pager.
    done = subprocess.run(
        ['git', 'show', hashes[kept.index(commit)]], cwd=path)
    if done.returncode not in (0, -signal.SIGPIPE):
        raise errors.SeriesError(f'git show failed in {path}.')


def find(series, wanted):
    """Find a commit.

    :param list[series.commits.Commit] series: the commits to search
    :param str wanted: number, id or unique start of the Change-Id
    :rtype: series.commits.Commit
    :raises SeriesError: if none or several can be called so
    """
    found = [commit for commit in series
             if wanted in (str(commit.number), commit.id)]
    if not found and wanted.startswith('I'):
        found = [commit for commit in series
                 if commit.change_id.startswith(wanted)]
    if len(found) != 1:
        what = 'several commits' if found else 'no commit'
        raise errors.SeriesError(
            f'{what} of the series can be called {wanted!r}; "python -m '
            f'series show" lists them.')
    return found[0]
