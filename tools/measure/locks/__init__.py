# SPDX-License-Identifier: Apache-2.0

"""What shared and exclusive locks of tooz cost, on real servers.

Run as ``python -m tools.measure.locks``. Each server is started once. tooz
with the series and tooz as released run in processes of their own. Whatever is
compared is timed on the same server, turn by turn, and judged by the ratio, so
a slow machine and a fast one come to the same verdict. Round trips are counted
on the wire. The only bounds in milliseconds are those of a hand-over, which
are requirements.
"""
