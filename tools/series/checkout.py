# SPDX-License-Identifier: Apache-2.0

"""Find out what a checkout is of, and whether a series can go on it.

Nothing here writes.
"""

import configparser
import email
import os
import tomllib

from tools.common import errors
from tools.series import git
from tools.series import projects
from tools.series import releases
from tools.series.tree import BRANCH


def check_checkout(checkout):
    """Refuse what is not the top of a git checkout with a commit.

    :param tools.series.git.Git checkout: the checkout
    :raises ToolError: if it is not
    """
    if not os.path.isdir(checkout.path):
        raise errors.ToolError(f'{checkout.path} is no directory.')
    try:
        top = checkout.line('rev-parse', '--show-toplevel')
    except git.GitError as error:
        if 'dubious ownership' in str(error):
            raise
        raise errors.ToolError(f'{checkout.path} is no git checkout.')
    if not os.path.samefile(top, checkout.path):
        raise errors.ToolError(
            f'{checkout.path} is not the top of a git checkout, {top} is.')
    if not checkout.succeeds('rev-parse', '--verify', '--quiet', 'HEAD'):
        raise errors.ToolError(f'{checkout.path} has no commit yet.')


def project_of(checkout, wanted=None):
    """Find the project that a checkout is of.

    :param tools.series.git.Git checkout: the checkout
    :param tools.series.projects.Project wanted: the one that it must be of;
        None for any
    :rtype: tools.series.projects.Project
    :raises ToolError: if it is of another
    """
    found = projects.PROJECTS.get(_project_name(checkout))
    if found is None or wanted not in (None, found):
        expected = [wanted] if wanted else projects.PROJECTS.values()
        raise errors.ToolError(
            f'{checkout.path} is a git checkout, but not of '
            f'{" or ".join(project.title for project in expected)}.')
    return found


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


def release_of(checkout, commit, root, project):
    """Find out which release a commit is of, or comes after.

    Git has its tag, unless the history is cut; an unpacked release says it in
    PKG-INFO. Without either it is taken for the default. Master is tagged with
    the first candidate of a release and goes on to the next one from there.

    :param tools.series.git.Git checkout: the checkout
    :param str commit: the commit
    :param pathlib.Path root: the top of this repository
    :param tools.series.projects.Project project: what it is of
    :returns: the release
    :rtype: str
    :raises ToolError: if what says it is no version
    """
    described = checkout.run('describe', '--tags', '--long',
                             '--match=[0-9]*.[0-9]*', commit,
                             allowed=(0, 128))
    tag, _, rest = described.decode().strip().partition('-')
    information = email.message_from_string(_content(checkout, 'PKG-INFO'))
    version = releases.parse(
        tag or information['Version'] or releases.default(root, project))
    if tag and version.pre == ('rc', 1) and not rest.startswith('0-'):
        return f'{version.major + 1}.0.0'
    return version.base_version


def below_ours(checkout, commit):
    """Find the first commit, from one downwards, that was not made here.

    :param tools.series.git.Git checkout: the checkout
    :param str commit: the hash of the commit to begin with
    :returns: the hash of the commit found
    :rtype: str
    """
    while checkout.line(
            'log', '-1', '--format=%ce %(trailers:key=Change-Id)',
            commit).startswith(f'{git.IDENTITY[1]} Change-Id: '):
        commit = checkout.line('rev-parse', f'{commit}^')
    return commit


def has_series(checkout, series, commit):
    """Tell whether a commit stands on the series as somebody else made it.

    :param tools.series.git.Git checkout: the checkout
    :param list[tools.series.commits.Commit] series: the series
    :param str commit: the commit
    :rtype: bool
    :raises ToolError: if it stands on a part of it
    """
    patterns = [f'--grep=Change-Id: {change.change_id}' for change in series]
    found = patterns and checkout.line(
        'log', '--fixed-strings', *patterns,
        '--format=%(trailers:key=Change-Id,valueonly)', commit).split()
    missing = [change.name for change in series
               if change.change_id not in found]
    if found and missing:
        raise errors.ToolError(
            f'{checkout.path} has commits of the series already, but not '
            f'{", ".join(missing)}; check out the commit below them first.')
    return bool(found)


def check_branch(checkout):
    """Refuse to move a branch off anything but our own commits.

    :param tools.series.git.Git checkout: the checkout
    :raises ToolError: if the branch has other commits
    """
    tip = tip_of(checkout)
    if not tip:
        return
    base = below_ours(checkout, tip)
    if base == tip or checkout.run(
            'rev-list', '-1', base, '--not',
            f'--exclude=refs/heads/{BRANCH}', '--all'):
        raise errors.ToolError(
            f'{checkout.path} has a branch {BRANCH} already, with commits '
            f'that were not made here; rename or delete it first.')


def tip_of(checkout):
    """Find the commit that the branch is at.

    :param tools.series.git.Git checkout: the checkout
    :returns: its hash, empty if there is no such branch
    :rtype: str
    """
    return checkout.line('for-each-ref', '--format=%(objectname)',
                         f'refs/heads/{BRANCH}')


def check_clean(checkout):
    """Refuse a checkout with changes that are not committed.

    :param tools.series.git.Git checkout: the checkout
    :raises ToolError: if it has some
    """
    if checkout.run('status', '--porcelain', '--untracked-files=all'):
        raise errors.ToolError(
            f'{checkout.path} has changes or files that are not committed; '
            f'commit, stash or remove them first.')


def check_room(checkout, series):
    """Refuse to write over files that git ignores.

    :param tools.series.git.Git checkout: the checkout
    :param list[tools.series.commits.Commit] series: the commits to come
    :raises ToolError: if a file stands where a commit adds one
    """
    for commit in series:
        for path in commit.adds:
            if os.path.lexists(checkout.path / path) and not checkout.succeeds(
                    'cat-file', '-e', f'HEAD:{path}'):
                raise errors.ToolError(
                    f'{checkout.path} has {path} already, which commit '
                    f'{commit.name} adds.')
