# SPDX-License-Identifier: Apache-2.0

"""Find what a project's own checks of style object to in a commit.

They take most of the time of ``./series check``.  Their findings are the same
whenever the files, their settings in the project, and what is installed of
them are the same.
"""

import functools
from importlib import metadata
import subprocess
import sys

from tools.common import errors
from tools.common import memory

FOLDER = 'build/cache/style'


def findings(root, repository, commit, made):
    """Find stray white space and what the project's checks object to.

    :param pathlib.Path root: the top of this repository
    :param tools.series.git.Git repository: a tree to check it out in
    :param tools.series.commits.Commit commit: the commit
    :param str made: its hash
    :returns: an iterator of the findings, each a text
    """
    stray = repository.run('diff-tree', '--check', '--no-commit-id', made,
                           allowed=(0, 2)).decode(errors='replace')
    for line in stray.splitlines():
        if not line.startswith('+'):
            yield f'Commit {commit.name}: {line}'
    python = [path for path in repository.paths(
        'diff-tree', '-r', '--no-commit-id', '--name-only',
        '--diff-filter=d', made) if path.endswith('.py')]
    for check in commit.project.style:
        files = [path for path in python if path.startswith(check.package)]
        if not files:
            continue
        read = repository.line(
            'ls-tree', '-r', made, '--', *commit.project.settings,
            *([check.package] if check.package else files))
        try:
            told = memory.remember(
                root / FOLDER, [_installed(), check.command, files, read],
                lambda: _run(check, repository, made, files)).decode()
        except errors.ToolError as error:
            told = str(error)
        for line in told.splitlines():
            yield f'Commit {commit.name}: {line}'


def _run(check, repository, made, files):
    """Run a check; return what it prints when it objects to something."""
    repository.run('checkout', '--quiet', '--detach', made)
    done = subprocess.run(
        [sys.executable, '-m', *check.command, '--', *files],
        cwd=repository.path, capture_output=True, text=True)
    if done.stderr:
        raise errors.ToolError(
            f'{check.command[0]} fails: {" ".join(done.stderr.split())}')
    return done.stdout.encode() if done.returncode else b''


@functools.cache
def _installed():
    """List all that is installed, for a plugin can need anything."""
    return [sys.version, *sorted(
        f'{found.name} {found.version}'
        for found in metadata.distributions())]
