# SPDX-License-Identifier: Apache-2.0

"""What a tree of Cinder imports from.

Cinder with the series shares locks through the tooz with the series, which
takes precedence over the one that is installed.  Cinder as released runs on
the latter.
"""

import functools
import os

from tools.common.paths import ROOT
from tools.series import projects
from tools.series import releases
from tools.series import tree as trees

SERIES = 'cinder/volume/source_locks.py'
"""A file that Cinder has with the series."""


def folders(tree):
    """List the folders that come before what is installed.

    :param pathlib.Path tree: a source tree
    :rtype: list[pathlib.Path]
    :raises ToolError: if the tooz with the series cannot be built
    """
    found = [tree.resolve()]
    if (tree / SERIES).exists():
        found.append(_tooz())
    return found


@functools.cache
def _tooz():
    return trees.build(ROOT, releases.default(ROOT, projects.TOOZ),
                       project=projects.TOOZ)


def path(tree, *more):
    """Return the value of ``PYTHONPATH`` for a tree.

    :param pathlib.Path tree: a source tree
    :param pathlib.Path more: other folders, which come last
    :rtype: str
    """
    return os.pathsep.join(map(str, (*folders(tree), *more)))
