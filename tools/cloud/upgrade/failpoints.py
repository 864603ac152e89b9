# SPDX-License-Identifier: Apache-2.0

"""The steps of an upgrade: which hosts restart, and as what."""

import dataclasses
from typing import Optional

from tools.cloud import command
from tools.cloud.faults import failpoints


@dataclasses.dataclass(frozen=True)
class Step:
    """One step.

    :param name: text
    :param changes: which hosts restart, one after the other, and as what: a
        tuple of (host, key of tools.cloud.command.TREES)
    :param span: over how many seconds its traffic is spread
    :param size: how many sources its traffic has and how many creates each;
        None for as many as the others
    :param parallel: whether creates from one source run together afterwards;
        False too if there may be too few of them to tell
    """

    name: str
    changes: tuple
    span: int = 40
    size: Optional[tuple] = None
    parallel: bool = True

    def failpoint(self):
        """Return the step as a tools.cloud.faults.failpoints.Failpoint."""
        return failpoints.Failpoint(self.name, self.span, self._inject,
                                    self.size)

    def _inject(self, target, tell):
        tell('restart of ' + ', '.join(
            f'{host} as {tree}' for host, tree in self.changes))
        for host, tree in self.changes:
            agent = target.deployment[f'cinder-volume-{host}']
            agent.stop()
            agent.become(command.tree_of(tree))
            agent.start()


STEPS = (
    Step('one upgraded', (('one', 'patched'),)),
    Step('two upgraded', (('two', 'patched'),)),
    Step('two downgraded', (('two', 'upstream'),)),
    Step('the other order',
         (('two', 'patched'), ('one', 'upstream'), ('two', 'upstream')),
         span=120, parallel=False),
    # A create meets the delete of its source only when it is alone on its
    # host and the delete comes to the other: many sources, few creates.
    Step('one alone upgraded', (('one', 'patched'),), span=70, size=(70, 2),
         parallel=False),
)
"""Upgrades and downgrades, in any order."""
