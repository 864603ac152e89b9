# SPDX-License-Identifier: Apache-2.0

"""Remember on disk what took long to find out."""

import hashlib
import json
import zlib

from tools.common import files


def remember(folder, facts, make):
    """Return what was made of the same facts before, or make it.

    :param pathlib.Path folder: where it is kept
    :param facts: all that the result depends on, as JSON can have it
    :param make: callable without parameters that returns the result, as bytes;
        what it raises is not remembered
    :rtype: bytes
    """
    kept = folder / hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    try:
        return zlib.decompress(kept.read_bytes())
    except (FileNotFoundError, zlib.error):
        made = make()
        files.write_whole(kept, zlib.compress(made))
        return made
