# SPDX-License-Identifier: Apache-2.0

"""Remember what rules make of a file.

To apply the rules of a commit takes most of the time of a build, and they give
the same result whenever the content, the rules and ast-grep are the same.
"""

import hashlib
from importlib import metadata
import json
import pathlib
import zlib

from tools.common import files
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

    def apply(self, content, rules, where):
        """Apply rules, one after the other.

        :param bytes content: the content of the file
        :param list[tools.series.rules.Rule] rules: the rules
        :param str where: what to call the release in an error
        :returns: the new content
        :rtype: bytes
        :raises ToolError: as :func:`tools.series.edit.apply` does
        """
        facts = [self._tool, hashlib.sha256(content).hexdigest(),
                 [[rule.count, rule.body] for rule in rules]]
        kept = self._folder / hashlib.sha256(
            json.dumps(facts).encode()).hexdigest()
        try:
            return zlib.decompress(kept.read_bytes())
        except (FileNotFoundError, zlib.error):
            for rule in rules:
                content = edit.apply(content, rule, where)
            files.write_whole(kept, zlib.compress(content))
            return content
