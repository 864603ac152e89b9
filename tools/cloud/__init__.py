# SPDX-License-Identifier: Apache-2.0

"""A whole cloud on one machine, as operators run it, and what is tried on it.

``python -m tools.cloud`` starts it, tries every backend and stops it. The
packages below it do more with such clouds:

* ``storm``: many creates at once from one source, how fast and how right;
* ``faults``: creates and deletes while parts of the cloud fail;
* ``upgrade``: the same while hosts change between releases.

They use the words of etcd's robustness tests. A *client* sends requests, and
*traffic* is what it sends and when. A *failpoint* is what breaks meanwhile.
``validate`` holds the records against what was promised, and ``report`` shows
the result.
"""
