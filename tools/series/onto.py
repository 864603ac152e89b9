# SPDX-License-Identifier: Apache-2.0

"""Put the commits of the series on top of somebody's checkout of Cinder.

The commits are made in a scratch repository that borrows the checkout's
objects, so the checkout is only read until all of them exist.  Then their
objects are handed over and the branch is made and checked out, as one step
that Ctrl-C does not cut; if git fails in it, the checkout is put back.

Commits of an earlier run, if nobody touched them, are made anew on what was
below them: the same series gives the same commits, and there is nothing to do.
"""

import configparser
import contextlib
import email
import os
import pathlib
import tempfile
import tomllib

from tools.common import errors
from tools.common import progress
from tools.series import apply
from tools.series import commits
from tools.series import git
from tools.series import releases
from tools.series.tree import BRANCH


def put_onto(root, directory):
    """Make the commits on top of what is checked out, on a branch.

    :param pathlib.Path root: the top of this repository
    :param pathlib.Path directory: the top of the checkout
    :raises ToolError: if it is no clean checkout of Cinder, has a part of
        the series already or a branch of that name that was not made here, or
        for whatever keeps the series from being applied; the checkout is as
        it was then
    """
    series = commits.load(root)
    checkout = git.Git(directory, ours=False)
    _check_checkout(checkout, directory)
    head = checkout.line('rev-parse', 'HEAD')
    _check_cinder(checkout, directory)
    base = _below_ours(checkout, head)
    version = _release(checkout, base, root)
    kept = commits.of_release(series, version)
    if _has_series(checkout, directory, kept, base):
        progress.say(f'{directory} has all commits of the series already, '
                     f'made elsewhere; they stay as they are')
        return
    _check_branch(checkout, directory)
    if base == head:
        _check_clean(checkout, directory)
    _check_room(checkout, directory, kept)
    progress.say(f'Taking {directory} for Cinder {version}')
    with tempfile.TemporaryDirectory() as folder:
        scratch = _borrow(checkout, pathlib.Path(folder))
        hashes = apply.apply_series(
            scratch, base, series, root, releases.parse(version),
            str(directory), pathlib.Path(folder, 'index'))
        if not hashes:
            raise errors.ToolError(f'{commits.ORDER} lists no commits.')
        if hashes[-1] == head:
            progress.say(f'{directory} is up to date')
            return
        pack = scratch.run(
            'pack-objects', '--revs', '--stdout', '--quiet',
            stdin=f'{hashes[-1]}\n^{base}\n'.encode())
    with git.uninterrupted():
        _check_unchanged(checkout, directory, head)
        checkout.run('unpack-objects', '-q', stdin=pack)
        _switch(checkout, head, hashes[-1])
    progress.say(f'{directory} is on branch {BRANCH} now')


def _check_checkout(checkout, directory):
    if not directory.is_dir():
        raise errors.ToolError(f'{directory} is no directory.')
    try:
        top = checkout.line('rev-parse', '--show-toplevel')
    except git.GitError as error:
        if 'dubious ownership' in str(error):
            raise
        raise errors.ToolError(f'{directory} is no git checkout.')
    if not os.path.samefile(top, directory):
        raise errors.ToolError(
            f'{directory} is not the top of a git checkout, {top} is.')
    if not checkout.succeeds('rev-parse', '--verify', '--quiet', 'HEAD'):
        raise errors.ToolError(f'{directory} has no commit yet.')


def _check_cinder(checkout, directory):
    if _project_name(checkout) != 'cinder':
        raise errors.ToolError(
            f'{directory} is a git checkout, but not of Cinder.')


def _project_name(checkout):
    try:
        config = configparser.ConfigParser(interpolation=None)
        config.read_string(_content(checkout, 'setup.cfg'))
        name = config.get('metadata', 'name', fallback=None)
        project = tomllib.loads(_content(checkout, 'pyproject.toml'))
        return name or project.get('project', {}).get('name')
    except (configparser.Error, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None


def _content(checkout, path):
    if not checkout.succeeds('cat-file', '-e', f'HEAD:{path}'):
        return ''
    return checkout.run('cat-file', 'blob', f'HEAD:{path}').decode()


def _release(checkout, commit, root):
    """Find out which release a commit is of, or comes after.

    Git has its tag, unless the history is cut; an unpacked release says it in
    PKG-INFO. Without either it is taken for the default. Master is tagged with
    the first candidate of a release and goes on to the next one from there.
    """
    described = checkout.run('describe', '--tags', '--long',
                             '--match=[0-9]*.[0-9]*', commit,
                             allowed=(0, 128))
    tag, _, rest = described.decode().strip().partition('-')
    information = email.message_from_string(_content(checkout, 'PKG-INFO'))
    version = releases.parse(
        tag or information['Version'] or releases.default(root))
    if tag and version.pre == ('rc', 1) and not rest.startswith('0-'):
        return f'{version.major + 1}.0.0'
    return version.base_version


def _below_ours(checkout, commit):
    """Find the first commit, from one downwards, that was not made here."""
    while checkout.line(
            'log', '-1', '--format=%ce %(trailers:key=Change-Id)',
            commit).startswith(f'{git.IDENTITY[1]} Change-Id: '):
        commit = checkout.line('rev-parse', f'{commit}^')
    return commit


def _has_series(checkout, directory, series, commit):
    """Tell whether a commit stands on the series as somebody else made it."""
    patterns = [f'--grep=Change-Id: {change.change_id}' for change in series]
    found = patterns and checkout.line(
        'log', '--fixed-strings', *patterns,
        '--format=%(trailers:key=Change-Id,valueonly)', commit).split()
    missing = [change.name for change in series
               if change.change_id not in found]
    if found and missing:
        raise errors.ToolError(
            f'{directory} has commits of the series already, but not '
            f'{", ".join(missing)}; check out the commit below them first.')
    return bool(found)


def _check_branch(checkout, directory):
    """Refuse to move a branch off anything but our own commits."""
    tip = _tip(checkout)
    if not tip:
        return
    base = _below_ours(checkout, tip)
    if base == tip or checkout.run(
            'rev-list', '-1', base, '--not',
            f'--exclude=refs/heads/{BRANCH}', '--all'):
        raise errors.ToolError(
            f'{directory} has a branch {BRANCH} already, with commits that '
            f'were not made here; rename or delete it first.')


def _tip(checkout):
    return checkout.line('for-each-ref', '--format=%(objectname)',
                         f'refs/heads/{BRANCH}')


def _check_clean(checkout, directory):
    if checkout.run('status', '--porcelain', '--untracked-files=all'):
        raise errors.ToolError(
            f'{directory} has changes or files that are not committed; '
            f'commit, stash or remove them first.')


def _check_room(checkout, directory, series):
    """Refuse to write over files that git ignores."""
    for commit in series:
        for path in commit.adds:
            if os.path.lexists(directory / path) and not checkout.succeeds(
                    'cat-file', '-e', f'HEAD:{path}'):
                raise errors.ToolError(
                    f'{directory} has {path} already, which commit '
                    f'{commit.name} adds.')


def _borrow(checkout, folder):
    """Make an empty repository that sees the checkout's objects."""
    path = folder / 'scratch.git'
    path.mkdir()
    scratch = git.init(path, '--bare')
    objects = checkout.line('rev-parse', '--path-format=absolute',
                            '--git-path', 'objects')
    (path / 'objects/info/alternates').write_text(f'{objects}\n')
    return scratch


def _check_unchanged(checkout, directory, head):
    if checkout.line('rev-parse', 'HEAD') != head:
        raise errors.ToolError(
            f'Something else was checked out in {directory} while the commits '
            f'were made; try again.')
    _check_clean(checkout, directory)


def _switch(checkout, head, tip):
    """Make and check out the branch; undo it all if git cannot."""
    before = checkout.line('rev-parse', '--symbolic-full-name', 'HEAD')
    was = _tip(checkout)
    paths = [pathlib.Path(checkout.line(
        'rev-parse', '--path-format=absolute', '--git-path', name))
        for name in ('index', 'logs/HEAD', f'logs/refs/heads/{BRANCH}')]
    kept = {path: path.read_bytes() for path in paths if path.exists()}
    try:
        checkout.run('checkout', '--quiet', '-B', BRANCH, tip)
    except errors.ToolError:
        _undo(checkout, before, was, head, tip, kept)
        raise


def _undo(checkout, before, was, head, tip, kept):
    if before == 'HEAD':
        checkout.run('update-ref', '--no-deref', 'HEAD', head)
    else:
        checkout.run('symbolic-ref', 'HEAD', before)
    if _tip(checkout) != was:
        branch = f'refs/heads/{BRANCH}'
        checkout.run('update-ref', *([branch, was] if was else ['-d', branch]))
    for path, content in kept.items():
        path.write_bytes(content)
    # By the index of before, so that only what was written is written anew.
    checkout.run('checkout-index', '--all', '--force', '--quiet')
    added = checkout.run('diff-tree', '-r', '-z', '--name-only',
                         '--diff-filter=A', head, tip).split(b'\0')
    for path in filter(None, added):
        file = os.path.join(os.fsencode(checkout.path), path)
        with contextlib.suppress(OSError):
            os.unlink(file)
            os.removedirs(os.path.dirname(file))
