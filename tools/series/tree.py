# SPDX-License-Identifier: Apache-2.0

"""Build ``build/<project>-<release>/``, the release with its series on top.

The tree is made in a temporary directory beside and renamed at the very end,
so that what stands under the name is always whole.  Inside its ``.git`` a
record tells what it was made from and which commits it had: with nothing
changed since there is nothing to do, and a tree that somebody worked in is
never replaced.
"""

import os
import pathlib
import shutil
import tarfile
import tempfile

from tools.common import files
from tools.common import progress
from tools.series import apply
from tools.series import commits
from tools.series import git
from tools.series import projects
from tools.series import record
from tools.series import release
from tools.series import releases

FOLDER = 'build'
BRANCH = record.BRANCH
# What running a project's own tools leaves behind is nobody's work.
_LEFT_BEHIND = """\
__pycache__/
*.pyc
.coverage*
.datacore_chap
.mypy_cache/
.ruff_cache/
.stestr/
.tox/
.venv/
mypy-report/
cover/
doc/build/
"""


def folder_of(root, version, project=projects.CINDER):
    """Return where the tree of a release is built.

    :param pathlib.Path root: the top of this repository
    :param str version: the release
    :param tools.series.projects.Project project: the project
    :rtype: pathlib.Path
    """
    return root / FOLDER / f'{project.name}-{version}'


def build(root, version, endpoint=None, project=projects.CINDER):
    """Make the tree, unless it is there and nothing has changed.

    :param pathlib.Path root: the top of this repository
    :param str version: the release
    :param str endpoint: the address of the package index
    :param tools.series.projects.Project project: the project
    :returns: the tree
    :rtype: pathlib.Path
    :raises ToolError: if the tree was changed by hand, or for whatever
        keeps the series from being applied
    """
    series = commits.load(root, project)
    folder = root / FOLDER
    sdist = release.fetch(
        releases.find(root, version, project), folder / 'cache', endpoint)
    tree = folder_of(root, version, project)
    wanted = record.fingerprint(root, series, sdist)
    # Whoever comes second finds what the first has built.
    with files.alone(folder / 'cache/lock'):
        if tree.exists():
            if record.intact(tree)['fingerprint'] == wanted:
                progress.say(f'{record.shown(tree)} is up to date')
                return tree
        _replace(tree, root, series, sdist, wanted)
    progress.say(f'{record.shown(tree)} is ready')
    return tree


def _replace(tree, root, series, sdist, fingerprint):
    """Make a tree beside, and put it where it belongs."""
    with tempfile.TemporaryDirectory(prefix='.new-', dir=tree.parent) as new:
        made = pathlib.Path(new, 'tree')
        repository, _ = lay_out(made, root, series, sdist)
        record.write(made, repository, fingerprint)
        with git.uninterrupted():
            replaced = pathlib.Path(new, 'replaced')
            if tree.exists():
                os.rename(tree, replaced)
            os.rename(made, tree)
            shutil.rmtree(replaced, ignore_errors=True)


def made(built, series):
    """Pair the commits of the series with those of a built tree.

    :param pathlib.Path built: the tree
    :param list[tools.series.commits.Commit] series: the series
    :returns: an iterator of a commit and its hash, in order
    """
    listed = git.Git(built, ours=True).line(
        'log', '--reverse', f'upstream..{BRANCH}',
        '--format=%H %(trailers:key=Change-Id,valueonly,separator=%x20)')
    by_change = {commit.change_id: commit for commit in series}
    for line in listed.splitlines():
        found, change = line.split()
        yield by_change[change], found


def lay_out(path, root, series, sdist, report=apply.fail):
    """Make a git tree of a release with the series on top of it.

    :param pathlib.Path path: where, not existing yet
    :param pathlib.Path root: the top of this repository
    :param list[tools.series.commits.Commit] series: the commits
    :param tools.series.release.Sdist sdist: the release
    :param report: passed on to :func:`tools.series.apply.apply_series`
    :returns: the repository and the hashes of the commits
    :rtype: tuple[tools.series.git.Git, list[str]]
    :raises ToolError: whatever keeps the series from being applied
    """
    progress.say(f'Laying out {sdist.shown}')
    path.mkdir()
    repository = git.init(path)
    # Before the release's files, of which one could have the same name.
    (path / '.git/info').mkdir(exist_ok=True)
    (path / '.git/info/exclude').write_text(_LEFT_BEHIND)
    _extract(sdist.path, path)
    repository.run('add', '--all', '--force')
    repository.run('commit', '--quiet', f'--message={sdist.shown}',
                   env=git.identity(apply.BASE_TIME))
    repository.run('tag', 'upstream')
    base = repository.line('rev-parse', 'HEAD')
    hashes = apply.apply_series(
        repository, base, series, root, releases.parse(sdist.version),
        sdist.shown, path / '.git/series-index', report)
    (path / '.git/series-index').unlink()
    if hashes:
        repository.run('merge', '--quiet', '--ff-only', hashes[-1],
                       env=git.identity(apply.BASE_TIME))
    return repository, hashes


def _extract(sdist, path):
    """Unpack a release without the folder that everything in it is below."""
    with tarfile.open(sdist) as archive:
        # Python before 3.11.4 has no filters.
        archive.extraction_filter = getattr(tarfile, 'data_filter', None)
        for member in archive:
            _, _, member.name = member.name.partition('/')
            if member.name:
                archive.extract(member, path)
