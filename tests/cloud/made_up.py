# SPDX-License-Identifier: Apache-2.0

"""Directories and journals for the tests of the cloud."""

from tests.temporary import folder  # noqa: F401
from tools.cloud import journal


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
