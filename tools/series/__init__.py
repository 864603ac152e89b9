# SPDX-License-Identifier: Apache-2.0

"""Turn this repository into git commits on a release of Cinder, and back.

``./series`` is the command line.  ``commits/cinder/`` holds the order of the
commits and each commit in a file of its own: its message, the files that it
adds, which stand in this repository under the path they have in Cinder, and
the rules that edit Cinder's files.
"""
