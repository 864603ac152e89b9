#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""Write into ``dist/`` so that what stands there is always whole.

Everything is made in a temporary directory beside and renamed at the end.
"""

import contextlib
import os
import pathlib
import tempfile

from series import git

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
