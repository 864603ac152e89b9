# SPDX-License-Identifier: Apache-2.0

"""Which environments of tox.ini ``make test``, ``make check`` and CI run.

Each plan is a list of steps.  The environments of one step run side by side:
one waits now and then while another computes.  An environment can have
arguments behind its name.
"""

TEST = [
    ['pep8', 'functional'],
    ['tools ^(?!tests.series.test_(cinder|wheel))', 'functional-threads'],
    ['unit ^(?!.*\\.drivers\\.(?!test_(lvm|rbd)))', 'locks test_redis'],
]
"""What a contributor runs before a commit: the tests of our own tools without
the slowest, the unit tests without those of most drivers, one server."""

CHECK = [
    ['pep8'],
    ['linters', 'specs'],
    ['tools'],
    ['unit'],
    ['unit-threads'],
    ['functional'],
    ['functional-threads'],
    ['locks'],
    ['locks-threads'],
    ['docs', 'releasenotes'],
    ['commits', 'storm'],
    ['wheel', 'release-25.3.1'],
    ['builds'],
    ['release-26.3.0', 'release-27.0.0'],
    ['release-28.0.0'],
    ['cloud'],
    ['cloud-storm --form short'],
    ['mutants'],
    ['upstream', 'cloud-faults --form short'],
    ['upstream-threads'],
]
"""Everything, in the order of what fails soonest."""

CI = [
    ['pep8'],
    ['linters', 'specs'],
    ['tools'],
    ['unit-threads'],
    ['functional', 'docs', 'releasenotes'],
    ['functional-threads'],
    ['locks'],
    ['locks-threads'],
    ['commits', 'storm'],
    ['wheel', 'release-25.3.1'],
    ['builds'],
    ['cloud'],
    ['cloud-storm --form short'],
    ['upstream-core', 'cloud-faults --form short'],
]
"""What fits into 75 minutes on two cores; "upstream-core" has "unit" in it."""

PLANS = {'test': TEST, 'check': CHECK, 'ci': CI}


def left_out(plan):
    """Tell which environments of :data:`CHECK` a plan does not run.

    :param plan: one of the plans
    :returns: their names
    :rtype: list[str]
    """
    return [name for step in CHECK for name in step
            if name not in {other for mine in plan for other in mine}]
