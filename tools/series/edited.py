# SPDX-License-Identifier: Apache-2.0

"""Remember what a rule makes of a file.

To apply rules takes most of the time of a build.  A rule gives the same result
whenever it, the content and ast-grep are the same.
"""

import hashlib
from importlib import metadata
import pathlib

from tools.common import memory
from tools.series import edit

FOLDER = 'build/cache/edited'


class Edits:
    """Applies rules, and reads what they gave before.

    :param pathlib.Path root: the top of this repository
    """

    def __init__(self, root):
        self._folder = root / FOLDER
        self._tool = [metadata.version('ast-grep-cli'), hashlib.sha256(
            pathlib.Path(edit.__file__).read_bytes()).hexdigest()]

    def apply(self, content, rule, where):
        """Apply a rule.

        :param bytes content: the content of the file
        :param tools.series.rules.Rule rule: the rule
        :param str where: what to call the release in an error
        :returns: the new content
        :rtype: bytes
        :raises ToolError: as :func:`tools.series.edit.apply` does
        """
        return memory.remember(
            self._folder, [self._tool, hashlib.sha256(content).hexdigest(),
                           rule.count, rule.body],
            lambda: edit.apply(content, rule, where))
