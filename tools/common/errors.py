# SPDX-License-Identifier: Apache-2.0

"""The one exception that a user of the tools is meant to read."""


class ToolError(Exception):
    """An expected failure, told in one or two sentences.

    The command line prints the text and exits with status 1, without a
    traceback.
    """
