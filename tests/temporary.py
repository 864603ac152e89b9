# SPDX-License-Identifier: Apache-2.0

"""Directories that go with a test."""

import pathlib
import tempfile


def folder(test, files=None):
    """Return the pathlib.Path of a directory.

    :param test: unittest.TestCase, after which it is removed
    :param files: dict of path -> text, the files in it; default is none
    """
    made = pathlib.Path(test.enterContext(tempfile.TemporaryDirectory()))
    for path, text in (files or {}).items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_text(text)
    return made
