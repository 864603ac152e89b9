# SPDX-License-Identifier: Apache-2.0

"""Directories and journals for the tests of the cloud."""

import pathlib
import tempfile

from tools.cloud import journal


def folder(test):
    """Return the pathlib.Path of a directory that goes with the test.

    :param test: unittest.TestCase
    """
    made = tempfile.TemporaryDirectory()
    test.addCleanup(made.cleanup)
    return pathlib.Path(made.name)


def note_call(path, call, step, operation='copy', host='one@copying'):
    """Add the begin or the end of a call to a journal.

    :param path: pathlib.Path of the journal
    :param call: its id and the UUID of what it writes, as text
    :param step: 'begin' or 'end'
    :param operation: 'copy' or 'delete'
    :param host: the host and backend
    """
    journal.append(path, call=call, step=step, operation=operation,
                   resource_id=call, source_id='source', pid=7, host=host)
