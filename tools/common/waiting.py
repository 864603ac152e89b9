# SPDX-License-Identifier: Apache-2.0

"""Wait for something to work."""

import tenacity

from tools.common.errors import ToolError


def wait_for(what, attempt, seconds):
    """Call something until it raises no exception, and return its result.

    A ToolError ends the wait: what it tells will not get better.

    :param what: what is waited for, as text
    :param attempt: callable without parameters, called every 0.1 s
    :param seconds: how long to wait at most, as a number
    :raises ToolError: if the time is over
    """
    try:
        return tenacity.Retrying(
            wait=tenacity.wait_fixed(0.1),
            stop=tenacity.stop_after_delay(seconds),
            retry=tenacity.retry_if_exception(
                lambda error: isinstance(error, Exception) and
                not isinstance(error, ToolError)),
            reraise=True)(attempt)
    except ToolError:
        raise
    except Exception as error:
        raise ToolError(f'waited in vain for {what}, {seconds} seconds: '
                        f'{error}')
