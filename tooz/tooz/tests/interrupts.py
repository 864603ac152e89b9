#
# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""An interrupt at a line of choice, to see what it leaves behind."""

import linecache
import os
import sys
import unittest
from unittest import mock

from tooz.tests import lock_process


def interrupt(function, line, files):
    """Interrupt a function at one of the lines that it executes.

    :param function: What to call.
    :param line: The number of the line among those executed, from 0 on.
    :param files: The names of the files whose lines count.
    :returns: Where it was; None if the function executes less lines.
    """
    if lock_process.uses_eventlet():
        raise unittest.SkipTest('greenlet keeps the frames that are traced')
    left = [line]
    where = []

    def trace(frame, event, _argument):
        code = frame.f_code
        if os.path.basename(code.co_filename) not in files:
            return None
        # Python does not look for signals where a block is left.
        if event == 'line' and not linecache.getline(
            code.co_filename, frame.f_lineno
        ).strip().startswith('with '):
            left[0] -= 1
            if left[0] == -1:
                where.append(f'{code.co_name}:{frame.f_lineno}')
                raise KeyboardInterrupt
        return trace

    with mock.patch.object(sys, 'unraisablehook', str):
        sys.settrace(trace)
        try:
            function()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(None)
    return where[0] if where else None
