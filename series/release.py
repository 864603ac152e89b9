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

"""Fetch the source release of Cinder from PyPI and keep it.

The file's hash is compared with the one PyPI tells, whether the file was just
downloaded or was kept from an earlier time.  PyPI's hash is kept beside the
file, so that a release once fetched can be used where there is no network.
"""

import bisect
import dataclasses
import hashlib
import os
import pathlib
import tempfile

from packaging import version as versions
import pypi_simple
import requests

from series import errors
from series import progress
from series import releases

PYPI = pypi_simple.PYPI_SIMPLE_ENDPOINT
_NEAR = 3
_TIMEOUT = 30


@dataclasses.dataclass(frozen=True)
class Sdist:
    """A source release on this disk, its hash checked.

    :param str version: the release
    :param pathlib.Path path: the file
    :param str sha256: its hash
    """

    version: str
    path: pathlib.Path
    sha256: str


def fetch(version, cache, endpoint=PYPI):
    """Bring the source release here, unless it is already.

    :param str version: the release
    :param pathlib.Path cache: the directory to keep it in
    :param str endpoint: the address of the package index
    :returns: the file
    :rtype: Sdist
    :raises SeriesError: if there is no such release, no network and nothing
        kept, or the file has another hash than PyPI tells
    """
    wanted = releases.parse(version)
    path = cache / f'cinder-{wanted}.tar.gz'
    note = cache / f'{path.name}.sha256'
    with pypi_simple.PyPISimple(endpoint) as index:
        try:
            package = _find(index, wanted)
            sha256 = package.digests['sha256']
        except requests.RequestException as error:
            if not (path.exists() and note.exists()):
                raise errors.SeriesError(
                    f'Cinder {wanted} cannot be fetched, PyPI is not '
                    f'reachable: {_cause(error)}')
            progress.say(
                'PyPI is not reachable, using the release kept earlier')
            sha256 = note.read_text().strip()
        if not path.exists():
            progress.say(f'Downloading {path.name}')
            _download(index, package, path, note)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise errors.SeriesError(
            f'{path} has the wrong hash: expected sha256 {sha256}, found '
            f'{found}. Delete the file to fetch it anew.')
    return Sdist(version=str(wanted), path=path, sha256=sha256)


def _find(index, wanted):
    packages = {
        versions.Version(package.version): package
        for package in index.get_project_page(
            'cinder', timeout=_TIMEOUT).packages
        if package.package_type == 'sdist' and
        package.filename.endswith('.tar.gz') and package.version}
    if wanted not in packages:
        final = sorted(known for known in packages if not known.is_prerelease)
        place = bisect.bisect(final, wanted)
        near = final[max(place - _NEAR, 0):place + _NEAR]
        told = ', '.join(str(known) for known in near)
        raise errors.SeriesError(
            f'PyPI has no source release of Cinder {wanted}; near it are '
            f'{told or "none"}.')
    return packages[wanted]


def _download(index, package, path, note):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        partial = pathlib.Path(folder, path.name)
        try:
            index.download_package(package, partial, timeout=_TIMEOUT)
        except pypi_simple.DigestMismatchError as error:
            raise errors.SeriesError(
                f'{package.filename} from PyPI has the wrong hash: expected '
                f'{error.algorithm} {error.expected_digest}, found '
                f'{error.actual_digest}.')
        except requests.RequestException as error:
            raise errors.SeriesError(
                f'{package.filename} cannot be downloaded: {_cause(error)}')
        note.write_text(f'{package.digests["sha256"]}\n')
        os.replace(partial, path)


def _cause(error):
    return ' '.join(str(error).split())
