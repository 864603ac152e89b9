# SPDX-License-Identifier: Apache-2.0

"""The Cinder source tree that is measured."""

from tools.common.errors import ToolError


def check(tree, needed):
    """Raise ToolError unless this is a Cinder tree with the locks.

    :param tree: pathlib.Path
    :param needed: paths of files that it must have, as text
    """
    missing = [path for path in needed if not (tree / path).is_file()]
    if missing:
        raise ToolError('expected a Cinder source tree with the series in '
                         '%s, it has no %s' % (tree, missing[0]))
