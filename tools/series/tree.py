# SPDX-License-Identifier: Apache-2.0

"""Build ``build/cinder-<release>/``, the release with the series on top.

The tree is made in a temporary directory beside and renamed at the very end,
so that what stands under the name is always whole.  Inside its ``.git`` a
record tells what it was made from and which commits it had: with nothing
changed since there is nothing to do, and a tree that somebody worked in is
never replaced.
"""

import hashlib
from importlib import metadata
import json
import os
import pathlib
import shutil
import tarfile
import tempfile

from tools.common import errors
from tools.common import progress
from tools.series import apply
from tools.series import commits
from tools.series import git
from tools.series import release
from tools.series import releases

FOLDER = 'build'
BRANCH = 'enhance-locks'
RECORD = 'series.json'
# What running Cinder's own tools leaves behind is nobody's work.
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


def build(root, version, endpoint=None):
    """Make the tree, unless it is there and nothing has changed.

    :param pathlib.Path root: the top of this repository
    :param str version: the release of Cinder
    :param str endpoint: the address of the package index
    :returns: the tree
    :rtype: pathlib.Path
    :raises ToolError: if the tree was changed by hand, or for whatever
        keeps the series from being applied
    """
    series = commits.load(root)
    folder = root / FOLDER
    sdist = release.fetch(
        releases.find(root, version), folder / 'cache', endpoint)
    tree = folder / f'cinder-{sdist.version}'
    wanted = fingerprint(root, series, sdist)
    if tree.exists():
        if _intact_record(tree)['fingerprint'] == wanted:
            progress.say(f'{shown(tree)} is up to date')
            return tree
    with tempfile.TemporaryDirectory(prefix='.new-', dir=folder) as new:
        made = pathlib.Path(new, 'tree')
        repository, _ = lay_out(made, root, series, sdist)
        write_record(made, repository, wanted)
        with git.uninterrupted():
            replaced = pathlib.Path(new, 'replaced')
            if tree.exists():
                os.rename(tree, replaced)
            os.rename(made, tree)
            shutil.rmtree(replaced, ignore_errors=True)
    progress.say(f'{shown(tree)} is ready')
    return tree


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
    progress.say(f'Laying out Cinder {sdist.version}')
    path.mkdir()
    repository = git.init(path)
    # Before the release's files, of which one could have the same name.
    (path / '.git/info').mkdir(exist_ok=True)
    (path / '.git/info/exclude').write_text(_LEFT_BEHIND)
    _extract(sdist.path, path)
    repository.run('add', '--all', '--force')
    repository.run('commit', '--quiet', f'--message=Cinder {sdist.version}',
                   env=git.identity(apply.BASE_TIME))
    repository.run('tag', 'upstream')
    base = repository.line('rev-parse', 'HEAD')
    hashes = apply.apply_series(
        repository, base, series, root, releases.parse(sdist.version),
        f'Cinder {sdist.version}', path / '.git/series-index', report)
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


def fingerprint(root, series, sdist):
    """Sum up all that the built tree depends on.

    :param pathlib.Path root: the top of this repository
    :param list[tools.series.commits.Commit] series: the commits
    :param tools.series.release.Sdist sdist: the release
    :rtype: str
    """
    package = pathlib.Path(__file__).parent
    inputs = [*package.glob('*.py'), root / commits.ORDER]
    for commit in series:
        inputs += [root / commit.file, *(root / path for path in commit.adds)]
    facts = [sdist.version, sdist.sha256, _version_of_ast_grep()]
    for path in sorted(set(inputs)):
        if path.is_file():
            facts += [os.path.relpath(path, root), os.access(path, os.X_OK),
                      hashlib.sha256(path.read_bytes()).hexdigest()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _version_of_ast_grep():
    return metadata.version('ast-grep-cli')


def write_record(tree, repository, wanted):
    """Note what a tree was built from and which commits it has.

    :param pathlib.Path tree: the tree
    :param tools.series.git.Git repository: its repository
    :param str wanted: what :func:`fingerprint` gives
    :raises OSError: if it cannot be written
    """
    record = {'fingerprint': wanted, 'commits': _commits_of(repository)}
    (tree / '.git' / RECORD).write_text(json.dumps(record))


def _commits_of(repository):
    return [repository.line('rev-parse', '--symbolic-full-name', 'HEAD'),
            repository.line('for-each-ref')]


def worked_in(tree, root, series, sdist):
    """Find what somebody committed in a built tree.

    :param pathlib.Path tree: the tree
    :param pathlib.Path root: the top of this repository
    :param list[tools.series.commits.Commit] series: the commits
    :param tools.series.release.Sdist sdist: the release
    :returns: the last commit, None if there are no others than were built
    :rtype: str
    :raises ToolError: if anything but the branch has changed, in the tree or
        in what it was built from
    """
    record = _clean_record(tree, 'Build it first.')
    repository = git.Git(tree, ours=True)
    if record['fingerprint'] != fingerprint(root, series, sdist):
        raise errors.ToolError(
            f'The series, or the tool, has changed since {shown(tree)} was '
            f'built. Put the change aside (git stash), take, and bring it '
            f'back.')
    if _commits_of(repository) == record['commits']:
        return None
    branch = f'refs/heads/{BRANCH}'
    was, now = ([where, *(line for line in refs.splitlines()
                          if not line.endswith(f'\t{branch}'))]
                for where, refs in (record['commits'],
                                    _commits_of(repository)))
    if was != now:
        raise errors.ToolError(
            f'{shown(tree)} has other branches, tags or stashes than were '
            f'built, or another branch checked out, where only {BRANCH} is '
            f'taken. Remove them first ("git checkout {BRANCH}" goes back).')
    return repository.line('rev-parse', 'HEAD')


def _intact_record(tree):
    """Read the record of a built tree and check that nobody worked in it."""
    advice = ('Keep what you need of it (as a patch, or in the commits of '
              f'the series), then move or delete {shown(tree)} and '
              'build again.')
    record = _clean_record(tree, advice)
    if _commits_of(git.Git(tree, ours=True)) != record['commits']:
        raise errors.ToolError(
            f'{shown(tree)} has other commits, branches or tags than were '
            f'built, or another one checked out ("git checkout {BRANCH}" '
            f'goes back). "./series take" brings commits home. {advice}')
    return record


def _clean_record(tree, advice):
    try:
        record = json.loads((tree / '.git' / RECORD).read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise errors.ToolError(
            f'{shown(tree)} was not built by this tool. {advice}')
    if git.Git(tree, ours=True).run('status', '--porcelain'):
        raise errors.ToolError(
            f'{shown(tree)} has changes that are not committed. {advice}')
    return record


def shown(tree):
    """Return what to call a tree.

    :param pathlib.Path tree: the tree
    :rtype: str
    """
    return f'{tree.parent.name}/{tree.name}'
