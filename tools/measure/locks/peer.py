# SPDX-License-Identifier: Apache-2.0

"""The process of the waiters, a program for cinder.tests.line_process."""

import sys

from cinder.tests import line_process

from tools.measure.locks import patched
from tools.measure.locks.waiters import Waiters

if __name__ == '__main__':
    line_process.serve(Waiters(patched.coordinator(sys.argv[1])))
