# SPDX-License-Identifier: Apache-2.0

"""Put the commits of a series on top of somebody's checkout of its project.

The commits are made in a scratch repository that borrows the checkout's
objects, so the checkout is only read until all of them exist.  Then their
objects are handed over and the branch is made and checked out, as one step
that Ctrl-C does not cut; if git fails in it, the checkout is put back.

Commits of an earlier run, if nobody touched them, are made anew on what was
below them: the same series gives the same commits, and there is nothing to do.
"""

import contextlib
import os
import pathlib
import tempfile

from tools.common import errors
from tools.common import progress
from tools.series import apply
from tools.series import checkout as checkouts
from tools.series import commits
from tools.series import git
from tools.series import releases
from tools.series.tree import BRANCH


def put_onto(root, directory, wanted=None):
    """Make the commits on top of what is checked out, on a branch.

    :param pathlib.Path root: the top of this repository
    :param pathlib.Path directory: the top of the checkout
    :param tools.series.projects.Project wanted: what it must be a checkout of;
        None for any project
    :raises ToolError: if it is no clean checkout of a project, has a part of
        the series already or a branch of that name that was not made here, or
        for whatever keeps the series from being applied; the checkout is as
        it was then
    """
    checkout = git.Git(directory, ours=False)
    checkouts.check_checkout(checkout)
    head = checkout.line('rev-parse', 'HEAD')
    project = checkouts.project_of(checkout, wanted)
    series = commits.load(root, project)
    base = checkouts.below_ours(checkout, head)
    version = checkouts.release_of(checkout, base, root, project)
    kept = commits.of_release(series, version)
    if checkouts.has_series(checkout, kept, base):
        progress.say(f'{directory} has all commits of the series already, '
                     f'made elsewhere; they stay as they are')
        return
    checkouts.check_branch(checkout)
    if base == head:
        checkouts.check_clean(checkout)
    checkouts.check_room(checkout, kept)
    progress.say(f'Taking {directory} for {project.title} {version}')
    with tempfile.TemporaryDirectory() as folder:
        scratch = _borrow(checkout, pathlib.Path(folder))
        hashes = apply.apply_series(
            scratch, base, series, root, releases.parse(version),
            str(directory), pathlib.Path(folder, 'index'))
        if not hashes:
            raise errors.ToolError(f'{project.order} lists no commits.')
        if hashes[-1] == head:
            progress.say(f'{directory} is up to date')
            return
        pack = scratch.run(
            'pack-objects', '--revs', '--stdout', '--quiet',
            stdin=f'{hashes[-1]}\n^{base}\n'.encode())
    with git.uninterrupted():
        _check_unchanged(checkout, head)
        checkout.run('unpack-objects', '-q', stdin=pack)
        _switch(checkout, head, hashes[-1])
    progress.say(f'{directory} is on branch {BRANCH} now')


def _borrow(checkout, folder):
    """Make an empty repository that sees the checkout's objects."""
    path = folder / 'scratch.git'
    path.mkdir()
    scratch = git.init(path, '--bare')
    objects = checkout.line('rev-parse', '--path-format=absolute',
                            '--git-path', 'objects')
    (path / 'objects/info/alternates').write_text(f'{objects}\n')
    return scratch


def _check_unchanged(checkout, head):
    if checkout.line('rev-parse', 'HEAD') != head:
        raise errors.ToolError(
            f'Something else was checked out in {checkout.path} while the '
            f'commits were made; try again.')
    checkouts.check_clean(checkout)


def _switch(checkout, head, tip):
    """Make and check out the branch; undo it all if git cannot."""
    before = checkout.line('rev-parse', '--symbolic-full-name', 'HEAD')
    was = checkouts.tip_of(checkout)
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
    if checkouts.tip_of(checkout) != was:
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
