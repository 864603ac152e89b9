# SPDX-License-Identifier: Apache-2.0

"""Find what Cinder's own checks of style object to in a commit.

flake8 takes most of the time of ``./series check``.  Its findings are the same
whenever the files, its settings in Cinder, and what is installed of it are the
same.
"""

import functools
from importlib import metadata
import subprocess
import sys

from tools.common import errors
from tools.common import memory

FOLDER = 'build/cache/style'
SETTINGS = ('.flake8', 'setup.cfg', 'tox.ini', 'cinder/tests/hacking')
"""What flake8 reads of Cinder beside the files."""


def findings(root, repository, commit, made):
    """Find stray white space and what Cinder's flake8 objects to.

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
    if not python:
        return
    read = repository.line('ls-tree', '-r', made, '--', *SETTINGS, *python)
    try:
        told = memory.remember(
            root / FOLDER, [_installed(), python, read],
            lambda: _flake8(repository, made, python)).decode()
    except errors.ToolError as error:
        yield f'Commit {commit.name}: {error}'
    else:
        for line in told.splitlines():
            yield f'Commit {commit.name}: {line}'


def _flake8(repository, made, python):
    repository.run('checkout', '--quiet', '--detach', made)
    done = subprocess.run([sys.executable, '-m', 'flake8', '--', *python],
                          cwd=repository.path, capture_output=True, text=True)
    if done.stderr:
        raise errors.ToolError(
            f'flake8 fails: {" ".join(done.stderr.split())}')
    return done.stdout.encode()


@functools.cache
def _installed():
    """List all that is installed, for a plugin can need anything."""
    return [sys.version, *sorted(
        f'{found.name} {found.version}'
        for found in metadata.distributions())]
