# SPDX-License-Identifier: Apache-2.0

"""What Cinder's reader-writer locks on files cost, held against bounds.

Run as ``python -m tools.measure.files --tree TREE``. Whatever is compared is timed in one
run, turn by turn, and judged by the ratio, so the figures of a slow or busy
machine and of a fast one are alike. The one bound in milliseconds is that of
a hand-over, which is a requirement.
"""
