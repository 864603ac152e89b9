# SPDX-License-Identifier: Apache-2.0

"""Verify all of the series at once and leave nothing behind.

The series is built in a temporary directory.  Everything that is wrong is
told together, so that one run is enough to see the work to do.
"""

import collections
import pathlib
import re
import tempfile

from tools.common import errors
from tools.common import progress
from tools.series import commits
from tools.series import projects
from tools.series import release
from tools.series import releases
from tools.series import style
from tools.series import tree

_SUBJECT_GOOD, _SUBJECT_MAX, _BODY_MAX = 50, 72, 72
# "Adds", "Added", "Adding", but not "Pass", "Embed", "Bring".
_NOT_IMPERATIVE = re.compile(
    r'(?!(Bring|Embed|Feed|Seed|Speed|Focus|Alias)\b)\w+(ing|ed|[^\Ws]s)\b')
_BUG = r'(Closes|Partial|Related)-Bug: #[1-9]\d*'
_FOOTERS = re.compile(
    rf'(Partially-)?Implements: blueprint [\w-]+|{_BUG}|'
    r'Depends-On: \S+|Co-Authored-By: .+ <\S+@\S+>|'
    r'(DocImpact|APIImpact|SecurityImpact|UpgradeImpact)(: .+)?|'
    r'Change-Id: I[0-9a-f]{40}')


def check(root, version, endpoint=None, project=projects.CINDER):
    """Verify the series of a project on a release.

    :param pathlib.Path root: the top of this repository
    :param str version: the release
    :param str endpoint: the address of the package index
    :param tools.series.projects.Project project: the project
    :raises ToolError: telling all that is wrong, one finding a line
    """
    series = commits.load(root, project)
    problems = [*_unclaimed(root), *_unused(root, project, series)]
    for commit in series:
        problems += _message(commit)
    sdist = release.fetch(releases.find(root, version, project),
                          root / tree.FOLDER / 'cache', endpoint)
    with tempfile.TemporaryDirectory() as folder:
        repository, hashes = tree.lay_out(
            pathlib.Path(folder, 'tree'), root, series, sdist,
            report=lambda error: problems.append(str(error)))
        for commit, made in zip(
                commits.of_release(series, sdist.version), hashes):
            progress.say(f'Checking {commit.name}')
            problems += style.findings(root, repository, commit, made)
    if problems:
        raise errors.ToolError('\n'.join(
            [f'{len(problems)} found by check:', *problems]))
    progress.say(f'{project.title}: {len(series)} commits, nothing to '
                 f'complain of')


def _unclaimed(root):
    """Find folders of commits that are of no project."""
    for path in sorted((root / 'commits').iterdir()):
        if path.name not in projects.PROJECTS:
            yield (f'commits/{path.name}: expected a project, '
                   f'{" or ".join(projects.PROJECTS)}.')


def _unused(root, project, series):
    """Find files of ours that are not in exactly one commit."""
    added = collections.Counter(
        path for commit in series for path in commit.adds)
    ours = {path for folder in project.ours
            for path in commits.files_below(root / project.home, folder)}
    for path in sorted(ours | set(added)):
        if added[path] != 1:
            yield (f'{project.place_of(path)} is added by {added[path]} '
                   f'commits, not by one.')


def _message(commit):
    """Find what a reviewer would object to in a commit message.

    The rules are those of OpenStack's GitCommitMessages and of Cinder's page
    on them.
    """
    where = f'Message of commit {commit.name}'
    subject, *rest = commit.message.rstrip('\n').split('\n')
    paragraphs = '\n'.join(rest).strip('\n').split('\n\n')
    if len(subject) > _SUBJECT_MAX:
        yield f'{where}: the subject has more than {_SUBJECT_MAX} characters.'
    elif len(subject) > _SUBJECT_GOOD:
        progress.say(
            f'{where}: the subject has more than {_SUBJECT_GOOD} characters')
    if subject.endswith('.'):
        yield f'{where}: the subject ends with a period.'
    if _NOT_IMPERATIVE.match(subject):
        yield (f'{where}: the subject begins with {subject.split()[0]!r}, '
               f'which is no imperative.')
    if not rest or rest[0]:
        yield f'{where}: the second line is not blank.'
    elif len(paragraphs) < 2:
        yield f'{where}: no paragraph tells why.'
    for line in [subject, *rest]:
        if line is not subject and len(line) > _BODY_MAX:
            yield (f'{where}: a line has more than {_BODY_MAX} characters: '
                   f'{line!r}.')
        if line != line.rstrip():
            yield f'{where}: white space ends the line {line!r}.'
        elif not line.isascii() or not line.isprintable():
            yield f'{where}: not all of it is printable ASCII: {line!r}.'
    yield from _footers(commit, where, paragraphs[-1].split('\n'))


def _footers(commit, where, footers):
    """Find what is wrong with the last paragraph of a message."""
    for footer in footers:
        if not _FOOTERS.fullmatch(footer):
            yield (f'{where}: the last paragraph has {footer!r}, which is no '
                   f'footer of a commit that is still to be signed off.')
    reason = (f'(Partially-)?Implements: blueprint '
              f'{commit.project.blueprint}|{_BUG}')
    if not any(re.fullmatch(reason, footer) for footer in footers):
        yield (f'{where}: the last paragraph names neither the blueprint '
               f'{commit.project.blueprint}, with Implements or '
               f'Partially-Implements, nor a bug, with Closes-Bug, '
               f'Partial-Bug or Related-Bug.')
    if footers[-1] != f'Change-Id: {commit.change_id}':
        yield f'{where}: the last line is not its Change-Id.'
