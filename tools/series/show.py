# SPDX-License-Identifier: Apache-2.0

"""Show what the series does, as a list or as a commit's diff."""

import contextlib
import itertools
import signal
import subprocess
import sys

from tools.common import errors
from tools.series import commits
from tools.series import tree


def show(root, chosen, wanted, endpoint=None):
    """Print the commits by topic, those of a file, or one as a diff.

    :param pathlib.Path root: the top of this repository
    :param chosen: the projects to search, each with the release for a diff
    :type chosen: list[tuple[tools.series.projects.Project, str]]
    :param str wanted: a commit as :func:`find` takes it, a file of a project,
        or None for all commits
    :param str endpoint: the address of the package index
    :raises ToolError: if there is no such commit, no commit touches the file,
        or the tree cannot be built
    """
    series = [commit for project, _ in chosen
              for commit in commits.load(root, project)]
    if wanted is None:
        _print(series)
    elif '/' in wanted or any(wanted in commit.paths for commit in series):
        _print(_touching(series, wanted.removeprefix('./')))
    else:
        _show_commit(root, wanted, *having(root, chosen, wanted), endpoint)


def having(root, chosen, wanted):
    """Find the first project that has a commit.

    :param pathlib.Path root: the top of this repository
    :param chosen: the projects to search, each with a release
    :type chosen: list[tuple[tools.series.projects.Project, str]]
    :param str wanted: a commit as :func:`find` takes it, or ``A..B``
    :returns: the project and its release; the last ones if none has it
    :rtype: tuple[tools.series.projects.Project, str]
    :raises ToolError: if a file of commits is malformed
    """
    for project, version in chosen:
        series = commits.load(root, project)
        with contextlib.suppress(errors.ToolError):
            find(series, wanted.partition('..')[0])
            break
    return project, version


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
    """Print number, name and subject of commits, by project and topic."""
    width = max((len(commit.name) for commit in series), default=0)
    several = len({commit.project for commit in series}) > 1
    for (project, topic), group in itertools.groupby(
            series, lambda commit: (commit.project, commit.topic)):
        print(f'[{topic}] of {project.title}' if several else f'[{topic}]')
        for commit in group:
            print(f'{commit.number:3}  {commit.name:{width}}  '
                  f'{commit.subject}')


def _touching(series, path):
    found = [commit for commit in series if path in commit.paths]
    if not found:
        raise errors.ToolError(f'no commit of the series touches {path}.')
    return found


def _show_commit(root, wanted, project, version, endpoint):
    """Print a commit as ``git show`` does, building the tree if need be."""
    series = commits.load(root, project)
    commit = find(series, wanted)
    if commit not in commits.of_release(series, version):
        raise errors.ToolError(
            f'Commit {commit.name} is left out on {project.title} {version}: '
            f'{commit.why}')
    path = tree.build(root, version, endpoint, project)
    made = {each.name: found for each, found in tree.made(path, series)}
    sys.stdout.flush()
    # The reader's own git, for his colours and his pager.
    done = subprocess.run(['git', 'show', made[commit.name]], cwd=path)
    if done.returncode not in (0, -signal.SIGPIPE):
        raise errors.ToolError(f'git show failed in {path}.')
