# SPDX-License-Identifier: Apache-2.0

"""Turn this repository into git commits on releases, and back.

``./series`` is the command line.  A project, Cinder or tooz, has a folder in
``commits/`` with the order of the commits and each commit in a file of its
own: its message, the files that it adds, and the rules that edit the project's
files.  What is added to Cinder stands in this repository under the path that
it has in Cinder, what is added to tooz under that path below ``tooz/``.
"""
