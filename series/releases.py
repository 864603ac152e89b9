#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""The releases of Cinder that the series is for, and what differs in them.

They are listed in one file.  A rule or commit that is not for all of them has
a version specifier such as ``<27``, as pip has it, under ``releases``.
"""

import pathlib

from packaging import specifiers
from packaging import version as versions

from series import documents
from series import errors

LIST = 'series/releases.txt'


def load(root):
    """Read the list.

    :param pathlib.Path root: the top of this repository
    :returns: the releases, the default first
    :rtype: list[str]
    :raises SeriesError: if there is no list, or something else is in it
    """
    try:
        lines = pathlib.Path(root, LIST).read_text().splitlines()
    except FileNotFoundError:
        raise errors.SeriesError(f'{LIST} does not exist.')
    listed = [line for line in lines if line and not line.startswith('#')]
    if not listed:
        raise errors.SeriesError(f'{LIST} lists no release.')
    for line in listed:
        parse(line)
    return listed


def parse(version):
    """Make a version of its text.

    :param str version: the text
    :rtype: packaging.version.Version
    :raises SeriesError: if it is none
    """
    try:
        return versions.Version(version)
    except versions.InvalidVersion:
        raise errors.SeriesError(f'{version!r} is no version of Cinder.')


def take(item, where):
    """Take the releases that a rule or a commit is for.

    :param dict item: its mapping
    :param str where: what to call the mapping in an error
    :returns: all releases when it does not say
    :rtype: packaging.specifiers.SpecifierSet
    :raises SeriesError: if it is no version specifier
    """
    if 'releases' not in item:
        return specifiers.SpecifierSet(prereleases=True)
    text = documents.take(item, 'releases', str, where)
    try:
        return specifiers.SpecifierSet(text, prereleases=True)
    except specifiers.InvalidSpecifier:
        raise errors.SeriesError(
            f'{where}: releases must be a version specifier such as "<27", '
            f'not {text!r}.')
