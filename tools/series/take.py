# SPDX-License-Identifier: Apache-2.0

"""Take home what somebody committed in the built tree.

The new files of the series are made in a scratch copy of this repository, and
the series is built from them: commit by commit it must give the trees that
were taken.  Only then the files are put here and the tree gets the commits
that were built, as one step that Ctrl-C does not cut and that is undone if it
fails.
"""

import contextlib
import os
import pathlib
import shutil
import tempfile

from tools.common import errors
from tools.common import files
from tools.common import progress
from tools.series import apply
from tools.series import bring_home
from tools.series import commits
from tools.series import git
from tools.series import projects
from tools.series import record
from tools.series import release
from tools.series import releases
from tools.series import taken
from tools.series import tree


def take(root, version, endpoint=None, project=projects.CINDER):
    """Change the series so that it gives the commits of the built tree.

    :param pathlib.Path root: the top of this repository
    :param str version: the release
    :param str endpoint: the address of the package index
    :param tools.series.projects.Project project: the project
    :raises ToolError: if the tree is not as it must be, a hunk is beyond
        what rules can be written for, or what was written gives other trees;
        this repository and the tree are as they were then
    """
    series = commits.load(root, project)
    sdist = release.fetch(releases.find(root, version, project),
                          root / tree.FOLDER / 'cache', endpoint)
    built = tree.folder_of(root, version, project)
    tips = record.worked_in(built, root, series, sdist)
    if tips is None:
        progress.say(f'{record.shown(built)} has nothing to take')
        return
    with tempfile.TemporaryDirectory(
            prefix='.take-', dir=built.parent) as folder:
        clone = taken.clone(built, pathlib.Path(folder, 'tree'))
        found = taken.read(clone, commits.of_release(series, version),
                           tips[0])
        copy = pathlib.Path(folder, 'repository')
        changed = bring_home.files_of(
            root, clone, series, found, version, project)
        new = {path for path in changed if not (root / path).exists()}
        _copy(root, project, series, changed, copy)
        tip, pack = _build(copy, clone, found, sdist)
        with git.uninterrupted():
            _put(root, copy, changed, lambda: _renew(
                built, root, sdist, tips[1], tip, pack))
    for path in changed:
        progress.say(f'{path} is ' + (
            'removed' if changed[path] is None else
            'new' if path in new else 'changed'))
    progress.say(f'{record.shown(built)} is taken')


def _copy(root, project, series, changed, copy):
    """Copy what the series is made of, with the changes."""
    shutil.copytree(root / project.folder, copy / project.folder)
    for path in {project.place_of(path) for commit in series
                 for path in commit.adds}:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / path, copy / path)
    for path, content in changed.items():
        _write(copy / path, content)


def _write(path, content):
    """Write a file given by its content and mode, or leave no trace."""
    if content is None:
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            os.removedirs(path.parent)
    else:
        files.write_whole(path, content[0])
        path.chmod(content[1])


def _read(path):
    if not path.exists():
        return None
    return path.read_bytes(), path.stat().st_mode & 0o777


def _build(copy, clone, found, sdist):
    """Build the copy; return the last commit and a pack of all."""
    base = clone.line('rev-parse', 'upstream')
    made = apply.apply_series(
        clone, base, commits.load(copy, sdist.project), copy,
        releases.parse(sdist.version), sdist.shown,
        clone.path / '.git/series-index')
    for each, hash_ in zip(found, made):
        differ = clone.paths('diff', '--name-only', each.made, hash_)
        if differ:
            raise errors.ToolError(
                f'What was written for {each.subject!r} gives another '
                f'{", ".join(differ)} than was taken.')
    if len(found) != len(made):
        raise errors.ToolError(
            f'What was written gives {len(made)} commits, not {len(found)}.')
    pack = clone.run('pack-objects', '--revs', '--stdout', '--quiet',
                     stdin=f'{made[-1]}\n^{base}\n'.encode())
    return made[-1], pack


def _put(root, copy, changed, finish):
    """Put the files here and finish; undo it all if something fails."""
    before = {path: _read(root / path) for path in changed}
    try:
        for path, content in changed.items():
            _write(root / path, content)
        finish()
    except BaseException:
        for path, content in before.items():
            _write(root / path, content)
        raise


def _renew(built, root, sdist, head, tip, pack):
    """Give the tree the commits that were built, which have its files."""
    repository = git.Git(built, ours=True)
    noted = built / record.FILE
    before = noted.read_bytes()
    repository.run('unpack-objects', '-q', stdin=pack)
    branch = f'refs/heads/{tree.BRANCH}'
    repository.run('update-ref', branch, tip, head)
    try:
        record.write(built, repository, record.fingerprint(
            root, commits.load(root, sdist.project), sdist))
    except BaseException:
        repository.run('update-ref', branch, head, tip)
        files.write_whole(noted, before)
        raise
