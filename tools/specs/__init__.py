# SPDX-License-Identifier: Apache-2.0

"""Turn this repository into git commits on a release of Cinder.

``python -m tools.series`` is the command line; ``series.yml`` lists the commits,
``edits/`` holds the rules that change Cinder's files, and the files that the
series adds stand in this repository under the path they have in Cinder.
"""
