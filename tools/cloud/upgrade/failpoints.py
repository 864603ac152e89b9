# SPDX-License-Identifier: Apache-2.0

"""The steps of an upgrade: which hosts restart, and as what."""

import dataclasses
from typing import Optional

from tools.cloud import command
from tools.cloud.faults import failpoints

EXCLUSIVE = (('coordination', 'read_locks', 'False'),)


@dataclasses.dataclass(frozen=True)
class Step:
    """One step.

    :param name: text
    :param changes: which hosts restart, one after the other, and as what: a
        tuple of (host, key of tools.cloud.command.TREES, options of its
        cinder.conf)
    :param span: over how many seconds its traffic is spread
    :param size: how many sources its traffic has and how many creates each;
        None for as many as the others
    :param parallel: whether creates from one source run together afterwards;
        None if there may be too few of them to tell
    :param unsafe: with locks on which servers a create may meet the delete of
        its source, a tuple of keys of tools.cloud.layout.SERVERS
    """

    name: str
    changes: tuple
    span: int = 40
    size: Optional[tuple] = None
    parallel: Optional[bool] = False
    unsafe: tuple = ()

    def failpoint(self):
        """Return the step as a tools.cloud.faults.failpoints.Failpoint."""
        return failpoints.Failpoint(self.name, self.span, self._inject,
                                    self.size)

    def _inject(self, target, tell):
        tell('restart of ' + ', '.join(
            f'{host} as {tree} with ' + (
                ', '.join(f'{name} = {value}'
                          for _section, name, value in options)
                or 'no option')
            for host, tree, options in self.changes))
        for host, tree, options in self.changes:
            agent = target.deployment[f'cinder-volume-{host}']
            agent.stop()
            agent.become(command.tree_of(tree), options)
            agent.start()


STEPS = (
    Step('one upgraded, read_locks = False',
         (('one', 'patched', EXCLUSIVE),)),
    Step('two upgraded, read_locks = False',
         (('two', 'patched', EXCLUSIVE),)),
    Step('option removed',
         (('one', 'patched', ()), ('two', 'patched', ())), span=80,
         parallel=True),
    Step('option set again',
         (('one', 'patched', EXCLUSIVE), ('two', 'patched', EXCLUSIVE)),
         span=80),
    Step('two downgraded',
         (('two', 'upstream', ()),)),
    # A create shows it only when it is alone on its host and the delete comes
    # to the other: many sources, few creates.
    Step('option removed from one alone',
         (('one', 'patched', ()),), span=70, size=(70, 2), parallel=None,
         unsafe=('etcd3',)),
)
"""Upgrade, downgrade, and the mistake that the option prevents."""
