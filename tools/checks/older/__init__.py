# SPDX-License-Identifier: Apache-2.0

"""Whether the exclusive locks of an older tooz and the shared ones meet.

Run as ``python -m tools.checks.older``.  In a cloud that is being upgraded,
some hosts have tooz with the series and others an older one, which knows
nothing of shared locks.  Its exclusive lock must keep everybody else out, and
be kept out by whoever has the lock, also when some of those who shared it have
died.  Each older tooz that a supported release of Cinder runs on is tried, on
each server on which locks can be shared.
"""
