# SPDX-License-Identifier: Apache-2.0

"""Find the tests of a file or commit of a project.

Unit tests are found by name.  A test that is touched is its own test.  For
``cinder/volume/manager.py`` they are those in ``cinder/tests/unit/volume/``
that are named after the module or its package: ``test_manager.py``,
``test_manager_*.py``, ``test_volume_manager.py`` and ``test_volume.py``; or,
where there are none, those in the folder above.  The other projects keep them
in the same way.
"""

import pathlib
import re

from tools.series import projects


def tests_of(path, files, project=projects.CINDER):
    """Find the unit tests of a file.

    :param str path: the file, relative to the top of the project
    :param files: all the files of the commit
    :param tools.series.projects.Project project: the project
    :returns: those that test it
    :rtype: set[str]
    """
    file = pathlib.PurePosixPath(path)
    if path.startswith(f'{project.name}/tests/'):
        return {path} if _is_test(file, project) else set()
    if file.parts[0] != project.name or file.suffix != '.py':
        return set()
    module, package = re.escape(file.stem), re.escape(file.parent.name)
    names = rf'test_({module}(_\w+)?|{package}_{module}|{package})\.py'
    mirrored = project.unit / file.parent.relative_to(project.name)
    for folder in (mirrored, mirrored.parent):
        found = {other for other in files
                 if re.fullmatch(f'{re.escape(str(folder))}/{names}', other)}
        if found:
            return found
    return set()


def functional(commit):
    """Find the functional tests that a commit adds.

    :param tools.series.commits.Commit commit: the commit
    :rtype: set[str]
    """
    return {path for path in commit.adds
            if re.fullmatch(r'cinder/tests/functional/(\w+/)*test_\w+\.py',
                            path)}


def _is_test(file, project):
    return file.is_relative_to(project.unit) and file.match('test_*.py')
