# SPDX-License-Identifier: Apache-2.0

"""Find the unit tests of a file of Cinder by its name.

A test that is touched is its own test.  For ``cinder/volume/manager.py`` they
are those in ``cinder/tests/unit/volume/`` that are named after the module or
its package: ``test_manager.py``, ``test_manager_*.py``,
``test_volume_manager.py`` and ``test_volume.py``; or, where there are none,
those in the folder above.
"""

import pathlib
import re

UNIT = 'cinder/tests/unit'


def tests_of(path, files):
    """Find the unit tests of a file.

    :param str path: the file, relative to the top of Cinder
    :param files: all the files of the commit
    :returns: those that test it
    :rtype: set[str]
    """
    file = pathlib.PurePosixPath(path)
    if path.startswith('cinder/tests/'):
        return {path} if _is_test(file) else set()
    if file.parts[0] != 'cinder' or file.suffix != '.py':
        return set()
    module, package = re.escape(file.stem), re.escape(file.parent.name)
    names = rf'test_({module}(_\w+)?|{package}_{module}|{package})\.py'
    mirrored = UNIT / file.parent.relative_to('cinder')
    for folder in (mirrored, mirrored.parent):
        found = {other for other in files
                 if re.fullmatch(f'{re.escape(str(folder))}/{names}', other)}
        if found:
            return found
    return set()


def _is_test(file):
    return file.is_relative_to(UNIT) and file.match('test_*.py')
