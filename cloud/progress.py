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

"""Say on standard error what is being done, and when."""

import contextlib
import sys
import time

_BEGUN = time.monotonic()


def seconds():
    """Return the seconds since the start, as a number."""
    return time.monotonic() - _BEGUN


def say(text):
    """Print a line with the seconds since the start.

    :param text: the line
    """
    # A terminal that was closed must not keep us from stopping the services.
    with contextlib.suppress(OSError):
        print(f'{seconds():6.1f} s  {text}', file=sys.stderr,
              flush=True)
