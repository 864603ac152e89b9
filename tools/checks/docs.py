# SPDX-License-Identifier: Apache-2.0

"""Build Cinder's documentation and the release notes of the series.

Both are built of a copy, so that the tree of the series stays as it was made.
Every warning is a failure, and none is suppressed: Cinder as released has
none.

Of the release notes only those of the series are built. reno learns from the
tags, branches and commits of a repository to which release a note belongs,
and a source release has none of them: all of its notes stand in one commit,
two of them with the same id, which reno refuses. So the copy is a repository
with the release as a tag and our notes after it.
"""

import pathlib
import shutil
import subprocess
import sys

from tools.checks import results
from tools.common import errors
from tools.common import progress
from tools.series import apply
from tools.series import git

FOLDER = pathlib.Path('build/docs')
NOTES = 'releasenotes/notes'


def build_pages(root, cinder):
    """Build the documentation, with its style and redirects checked.

    :param pathlib.Path root: the top of this repository
    :param pathlib.Path cinder: the tree of the series
    :rtype: tools.checks.results.Result
    :raises ToolError: if the tree cannot be copied
    """
    folder = _fresh(root / FOLDER / 'cinder')
    git.Git(folder, ours=True).run('clone', '--quiet', str(cinder), '.')
    html = root / FOLDER / 'html'
    return _run(folder, {
        'Checking the style': ['doc8', '--quiet'],
        'Building the pages, which takes a minute or two': [
            *_sphinx(html), '--jobs', 'auto', 'doc/source', html],
        'Checking the redirects': [
            'whereto', f'{html}/.htaccess', 'doc/test/redirect-tests.txt']})


def build_notes(root, cinder):
    """Build the release notes of the series, and check their form.

    :param pathlib.Path root: the top of this repository
    :param pathlib.Path cinder: the tree of the series
    :rtype: tools.checks.results.Result
    :raises ToolError: if the notes cannot be copied
    """
    folder = _fresh(root / FOLDER / 'notes')
    repository = git.init(folder)
    release = git.Git(cinder, ours=True)
    for path in ('reno.yaml', 'releasenotes/source/conf.py',
                 'releasenotes/source/unreleased.rst'):
        _copy(cinder / path, folder / path)
    for path in ('_static', '_templates'):
        (folder / 'releasenotes/source' / path).mkdir()
    _commit(repository, 'The release')
    repository.run('tag', cinder.name.removeprefix('cinder-'))
    for path in release.line('diff', '--name-only', 'upstream', 'HEAD',
                             '--', NOTES).splitlines():
        _copy(cinder / path, folder / path)
    _commit(repository, 'The series')
    html = root / FOLDER / 'notes-html'
    return _run(folder, {
        'Checking the form': ['reno', '--quiet', 'lint'],
        'Building the notes': [
            *_sphinx(html), '--define', 'master_doc=unreleased',
            'releasenotes/source', html]})


def _fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _copy(source, destination):
    destination.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, destination)


def _commit(repository, message):
    repository.run('add', '--all')
    repository.run('commit', '--quiet', f'--message={message}',
                   env=git.identity(apply.BASE_TIME))


def _sphinx(html):
    shutil.rmtree(html, ignore_errors=True)
    return ['sphinx-build', '--fail-on-warning', '--keep-going', '--quiet',
            '--fresh-env', '--doctree-dir', f'{html}.doctrees']


def _run(folder, commands):
    """Run commands, all of them even if one fails.

    :param pathlib.Path folder: where
    :param commands: what is told of a command -> its words
    :rtype: results.Result
    :raises ToolError: if there is no such command beside this Python
    """
    failed = []
    for told, (name, *options) in commands.items():
        command = shutil.which(name, path=pathlib.Path(sys.executable).parent)
        if command is None:
            raise errors.ToolError(
                f'{name} is not installed: use "tox -e docs" or '
                '"tox -e releasenotes".')
        progress.say(told)
        if subprocess.run([command, *options], cwd=folder).returncode:
            failed.append(name)
    return results.Result(len(commands) - len(failed), tuple(failed))
