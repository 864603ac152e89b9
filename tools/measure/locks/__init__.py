# SPDX-License-Identifier: Apache-2.0

"""What read and write locks cost on each backend, on real servers.

Run as ``python -m tools.measure.locks --tree TREE``. Each server is started
once. Whatever is compared is timed on the same server, turn by turn, and
judged by the ratio, so a slow machine and a fast one come to the same verdict.
Round trips are counted on the wire. The only bounds in milliseconds are those
of a hand-over, which are requirements.
"""
