# SPDX-License-Identifier: Apache-2.0

"""Write into ``dist/`` so that what stands there is always whole.

Everything is made in a temporary directory beside and renamed at the end.
"""

import contextlib
import os
import pathlib
import tempfile

from tools.series import git

FOLDER = 'dist'


@contextlib.contextmanager
def scratch(root):
    """Make a temporary directory in ``dist/``.

    :param pathlib.Path root: the top of this repository
    :returns: a context manager that gives the directory and removes it
    """
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='.new-', dir=folder) as new:
        yield pathlib.Path(new)


def put(made, place):
    """Put what was made where it belongs, instead of what was there.

    :param pathlib.Path made: a file or directory below :func:`scratch`
    :param pathlib.Path place: its place in ``dist/``
    """
    with git.uninterrupted():
        if place.exists():
            os.rename(place, made.with_name('replaced'))
        os.rename(made, place)
