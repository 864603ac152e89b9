# SPDX-License-Identifier: Apache-2.0

"""Which environments of tox.ini ``make test``, ``make check`` and CI run.

Each plan is a list of environments in the order in which they start, two at a
time: what fails soonest first, and what takes long early enough for the other
processor to have work until the end.  An environment can have arguments behind
its name.
"""

TEST = [
    'pep8',
    'functional-threads ^(?!.*(two_hosts|exclusive_c|queued_c|_etcd|Workers))',
    'tools ^(?!.*(\\.Whole|series\\.test_onto))',
    'unit ^(?!.*(unit\\.(db|test_(db_api|cmd)|scheduler)|'
    'drivers\\.(?!test_(lvm|rbd))|a_storm))',
    'functional test_(parallel|exclusive|queued)_creates|test_two_hosts',
    'tooz file|redis:test_shared_locks(?!.*(storm|the_dead))',
]
"""What a contributor runs before a commit: the tests of our own tools without
those named ``Whole...``, which work on the whole of Cinder or make a virtual
environment, and those of ``series build --onto``, most functional tests in one
of the two modes, the unit tests without those of the database, the scheduler,
the commands and most drivers, and tooz's contract of shared locks on files and
on one server, without what waits for many leases to end."""

CHECK = [
    'pep8',
    'tooz',
    'linters',
    'specs',
    'tools',
    'unit',
    'unit-threads',
    'functional',
    'tooz-threads',
    'functional-threads',
    'commits',
    'models',
    'tooz-older',
    'docs',
    'releasenotes',
    'upstream',
    'cloud',
    'cloud-storm --form short',
    'cloud-faults --form short',
    'storm',
    'wheel',
    'builds',
    'release-25.3.1',
    'release-26.3.0',
    'release-27.0.0',
    'release-28.0.0',
    'upstream-threads',
    'mutants',
]
"""Everything."""

CI = [
    'pep8',
    'tooz file|etcd3gw|redis|zookeeper:tooz\\.tests\\.(drivers|test_shar)',
    'linters',
    'specs',
    'tools',
    'unit-threads ^(?!.*\\.drivers\\.(?!test_(lvm|rbd)))',
    'functional',
    'functional-threads',
    'commits --unit',
    'upstream-core',
    'cloud',
    'cloud-faults --form short',
    'storm',
    'docs',
    'releasenotes',
    'wheel',
    'release-25.3.1 (test_(parallel|queued)_creates|unit\\.volume\\.test_)',
    'builds',
]
"""What fits into 75 minutes on two cores: "upstream-core" has "unit" in it,
and the functional tests run on the last commit alone.
CI leaves out, besides: what is not about locks in tooz's suite, and all of it
with native threads or behind Sentinel, the tests of most drivers but in
"upstream-core", and on the oldest release what is not about volumes and most
functional tests."""

PLANS = {'test': TEST, 'check': CHECK, 'ci': CI}

AT_A_TIME = 2
APART = (
    ('tooz', 'tooz-older', 'tooz-threads'),
    ('storm', 'cloud', 'cloud-storm', 'cloud-faults', 'mutants', 'wheel'),
)
"""Environments that do not run beside each other: tests of leases, and those
that make ``build/trees`` anew."""


def next_of(waiting, running):
    """Choose the environment to start.

    :param list[str] waiting: the names of those to be run, in order
    :param list[str] running: the names of those that run
    :returns: a name; None if nothing can start now
    :rtype: str
    """
    if len(running) >= AT_A_TIME:
        return None
    busy = {environment(name) for name in running}
    barred = {other for group in APART if busy.intersection(group)
              for other in group}
    return next((name for name in waiting
                 if environment(name) not in barred), None)


def environment(name):
    """Return the name of an environment without its arguments."""
    return name.split()[0]


def left_out(names):
    """Tell which environments of :data:`CHECK` a plan does not run.

    :param list[str] names: one of the plans
    :returns: their names
    :rtype: list[str]
    """
    return [name for name in CHECK if name not in names]
