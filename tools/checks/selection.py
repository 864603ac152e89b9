# SPDX-License-Identifier: Apache-2.0

"""Which tests run where, as it follows from what the commits add and edit.

Of the tests that the series adds, the functional ones run in ``functional``
and the unit tests in ``unit``.  ``unit`` also runs those of Cinder's own unit
tests that belong to a file that the series touches: by its name, or, for a
module directly in a package of Cinder, all that stand directly in the
package's folder of tests.
"""

import re

from tools.series import tests_of

UNIT = 'cinder/tests/unit/'
FUNCTIONAL = 'cinder/tests/functional/'


def ours(series):
    """Find the test modules that the series adds.

    :param list[tools.series.commits.Commit] series: the commits
    :returns: their paths
    :rtype: set[str]
    """
    return {path for commit in series for path in commit.adds
            if re.search(r'/test_\w+\.py$', path)}


def unit(series, files):
    """Find the unit tests of what the series touches.

    :param list[tools.series.commits.Commit] series: the commits
    :param list[str] files: all files of the built tree
    :returns: the paths of their modules
    :rtype: set[str]
    """
    found = {path for path in ours(series) if path.startswith(UNIT)}
    for path in {path for commit in series for path in commit.paths}:
        found |= tests_of.tests_of(path, files)
        package = re.fullmatch(r'cinder/(\w+)/\w+\.py', path)
        if package:
            found |= {test for test in files if re.fullmatch(
                rf'{UNIT}{package[1]}/test_\w+\.py', test)}
    return found


def functional(series):
    """Find the functional tests that the series adds.

    :param list[tools.series.commits.Commit] series: the commits
    :returns: the paths of their modules
    :rtype: set[str]
    """
    return set().union(*map(tests_of.functional, series))


def problems(series):
    """Find tests of ours that no environment runs.

    :param list[tools.series.commits.Commit] series: the commits
    :returns: a sentence for each
    :rtype: list[str]
    """
    return [f'{path} is added by the series, but no environment runs it: '
            f'expected it below {UNIT} or {FUNCTIONAL}.'
            for path in sorted(ours(series))
            if not path.startswith((UNIT, FUNCTIONAL))]
