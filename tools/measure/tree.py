# SPDX-License-Identifier: Apache-2.0

"""The Cinder trees that are measured."""

from tools.common.errors import ToolError


def check(tree, needed, what='a Cinder source tree with the series'):
    """Raise ToolError unless a tree has the files that it must have.

    :param pathlib.Path tree: the top of the tree
    :param needed: paths of files below it, as text
    :param str what: what the tree should be
    """
    missing = [path for path in needed if not (tree / path).is_file()]
    if missing:
        raise ToolError(f'expected {what} in {tree}, it has no {missing[0]}')
