# SPDX-License-Identifier: Apache-2.0

"""The releases that a series is for, and what differs in them.

All facts about those of a project stand in one file.  A rule or commit that is
not for all of them has a version specifier such as ``<27``, as pip has it,
under ``releases``.
"""

import dataclasses
import datetime
import re

from packaging import specifiers
from packaging import version as versions

from tools.common import errors
from tools.series import documents
from tools.series import projects

_KEYS = {'version', 'sha256', 'tests', 'pins'}


@dataclasses.dataclass(frozen=True)
class Release:
    """One release.

    :param str version: the release
    :param str sha256: the hash of its source release
    :param str tests: what is tested on it, in words
    :param datetime.date pins: the date whose dependencies it is tested with;
        None for today's
    :param tools.series.projects.Project project: what it is a release of
    """

    version: str
    sha256: str
    tests: str
    pins: datetime.date
    project: projects.Project


def load(root, project=projects.CINDER):
    """Read the list.

    :param pathlib.Path root: the top of this repository
    :param tools.series.projects.Project project: the project
    :returns: the releases by version, the default first
    :rtype: dict[str, Release]
    :raises ToolError: if there is no list, or something else is in it
    """
    found, file = {}, project.releases
    for item in documents.load_list(root / file, file):
        where = f'{file}: release {item.get("version", len(found) + 1)}'
        documents.refuse_unknown_keys(item, _KEYS, where)
        version = documents.take(item, 'version', str, where)
        parse(version)
        sha256 = documents.take(item, 'sha256', str, where)
        if not re.fullmatch('[0-9a-f]{64}', sha256):
            raise errors.ToolError(
                f'{where}: sha256 must be 64 hexadecimal digits, not '
                f'{sha256!r}.')
        pins = item.get('pins')
        if not isinstance(pins, (datetime.date, type(None))):
            raise errors.ToolError(
                f'{where}: pins must be a date such as 2026-05-01, not '
                f'{pins!r}.')
        found[version] = Release(
            version, sha256, documents.take(item, 'tests', str, where), pins,
            project)
    if not found:
        raise errors.ToolError(f'{file} lists no release.')
    return found


def default(root, project=projects.CINDER):
    """Return the version of the release that is listed first.

    :param pathlib.Path root: the top of this repository
    :param tools.series.projects.Project project: the project
    :rtype: str
    :raises ToolError: as :func:`load` does
    """
    return next(iter(load(root, project)))


def find(root, version, project=projects.CINDER):
    """Find a release.

    :param pathlib.Path root: the top of this repository
    :param str version: the release
    :param tools.series.projects.Project project: the project
    :rtype: Release
    :raises ToolError: if it is not listed
    """
    listed = load(root, project)
    if version not in listed:
        raise errors.ToolError(
            f'{project.releases} has no release {version!r}; it has '
            f'{", ".join(listed)}. "./series build --onto DIR" takes a '
            f'checkout of any other.')
    return listed[version]


def parse(version):
    """Make a version of its text.

    :param str version: the text
    :rtype: packaging.version.Version
    :raises ToolError: if it is none
    """
    try:
        return versions.Version(version)
    except versions.InvalidVersion:
        raise errors.ToolError(f'{version!r} is no version.')


def take(item, where):
    """Take the releases that a rule or a commit is for.

    :param dict item: its mapping
    :param str where: what to call the mapping in an error
    :returns: all releases when it does not say
    :rtype: packaging.specifiers.SpecifierSet
    :raises ToolError: if it is no version specifier
    """
    if 'releases' not in item:
        return specifiers.SpecifierSet(prereleases=True)
    text = documents.take(item, 'releases', str, where)
    try:
        return specifiers.SpecifierSet(text, prereleases=True)
    except specifiers.InvalidSpecifier:
        raise errors.ToolError(
            f'{where}: releases must be a version specifier such as "<27", '
            f'not {text!r}.')
