# SPDX-License-Identifier: Apache-2.0

"""Write files so that what stands under a name is always whole."""

import contextlib
import fcntl
import os
import pathlib
import tempfile


def write_whole(path, content):
    """Write a file, all of it or nothing.

    :param path: the file; its directory is made if need be
    :param content: a text or bytes
    :raises OSError: if it cannot be written; the old file is as it was then
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f'.{path.name}.',
                                     delete=False) as file:
        try:
            file.write(data)
            file.close()
            os.chmod(file.name, 0o644)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


@contextlib.contextmanager
def alone(path):
    """Keep other processes that do the same waiting.

    :param pathlib.Path path: a file that stands for what is done; it is left
        behind, in a directory that is made if need be
    :returns: a context manager
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'w') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
