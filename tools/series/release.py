# SPDX-License-Identifier: Apache-2.0

"""Fetch the source release of a project from the package index and keep it.

Its hash stands in the list of releases.  A file that is here and has that
hash is taken as it is, without a look at the index.
"""

import dataclasses
import hashlib
import os
import pathlib
import tempfile

from tools.common import errors
from tools.common import progress
from tools.series import projects

_TIMEOUT = 30


@dataclasses.dataclass(frozen=True)
class Sdist:
    """A source release on this disk, its hash checked.

    :param str version: the release
    :param pathlib.Path path: the file
    :param str sha256: its hash
    :param tools.series.projects.Project project: what it is a release of
    """

    version: str
    path: pathlib.Path
    sha256: str
    project: projects.Project

    @property
    def shown(self):
        """What to call it."""
        return f'{self.project.title} {self.version}'


def fetch(release, cache, endpoint=None):
    """Bring a source release here, unless it is here already.

    :param tools.series.releases.Release release: the release
    :param pathlib.Path cache: the directory to keep it in
    :param str endpoint: the address of the package index; PyPI by default
    :rtype: Sdist
    :raises ToolError: if the index cannot be reached or has no such file, or
        if the file has another hash than is listed
    """
    path = cache / f'{release.project.name}-{release.version}.tar.gz'
    if not path.exists():
        _download(path, release, endpoint)
    _check(path, release.sha256, f'Delete {path} to fetch it anew.')
    return Sdist(release.version, path, release.sha256, release.project)


def _download(path, release, endpoint):
    # Not needed for a release that is here, and slow to import.
    import pypi_simple
    import requests
    progress.say(f'Downloading {path.name}')
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with pypi_simple.PyPISimple(
                endpoint or pypi_simple.PYPI_SIMPLE_ENDPOINT) as index, \
                tempfile.TemporaryDirectory(dir=path.parent) as folder:
            partial = pathlib.Path(folder, path.name)
            package = _find(index, release.project.name, path.name)
            index.download_package(package, partial, verify=False,
                                   timeout=_TIMEOUT)
            _check(partial, release.sha256, 'It came from the package index.')
            os.replace(partial, path)
    except requests.RequestException as error:
        raise errors.ToolError(
            f'{path.name} cannot be downloaded: '
            f'{" ".join(str(error).split())}')


def _find(index, project, name):
    for package in index.get_project_page(project, timeout=_TIMEOUT).packages:
        if package.filename == name:
            return package
    raise errors.ToolError(f'The package index has no {name}.')


def _check(path, sha256, advice):
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise errors.ToolError(
            f'{path.name} has the wrong hash: expected sha256 {sha256}, found '
            f'{found}. {advice}')
