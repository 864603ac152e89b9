# SPDX-License-Identifier: Apache-2.0

"""The steps of an upgrade, what each changes, and what has to hold then."""

import dataclasses
from typing import Optional

from tools.cloud import command
from tools.cloud.faults import kinds
from tools.measure.storm import figures

EXCLUSIVE = (('coordination', 'read_locks', 'False'),)


@dataclasses.dataclass(frozen=True)
class Step:
    """One step.

    :param name: what it is called
    :param changes: which hosts start anew, one after the other: a tuple of
        (host, key of tools.cloud.command.TREES, options of its cinder.conf)
    :param span: over how many seconds its storm is spread
    :param size: how many sources its storm has and how many creates each of
        them, if not as many as the others
    :param parallel: whether creates from one source run together afterwards;
        None if there may be too few of them to tell
    :param unsafe: where the locks are when creates may meet the delete of
        their source, a tuple of keys of tools.cloud.deployment.SERVERS
    """

    name: str
    changes: tuple
    span: int = 40
    size: Optional[tuple] = None
    parallel: Optional[bool] = False
    unsafe: tuple = ()

    def kind(self):
        """Return the step as a tools.cloud.faults.kinds.Kind."""
        return kinds.Kind(self.name, self.span, self._make, self.size)

    def _make(self, target, tell):
        tell('new start of ' + ', '.join(
            f'{host} as {tree} with ' + (
                ', '.join(f'{name} = {value}'
                          for _section, name, value in options)
                or 'no option')
            for host, tree, options in self.changes))
        for host, tree, options in self.changes:
            agent = target.cloud[f'cinder-volume-{host}']
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
    # A create has to be alone, on the one host, when the delete comes to the
    # other: many sources, few creates.
    Step('option removed from one alone',
         (('one', 'patched', ()),), span=70, size=(70, 2), parallel=None,
         unsafe=('etcd3',)),
)
"""Upgrade, downgrade, and the mistake against which the option is there."""


def most_at_once(run, fault):
    """Return how many creates from one source the storage did at once.

    :param run: tools.cloud.faults.records.Run
    :param fault: the tools.cloud.faults.records.Fault; copies that began before
        its end do not count
    :returns: an integer; None if it has not ended
    """
    if fault.end is None:
        return None
    return max((figures.most_at_once(
        [(call.begin, call.end) for call in run.calls
         if call.operation == 'copy' and call.source_id == source.source_id
         and call.begin > fault.end and call.end is not None])
        for source in run.sources if source.fault == fault.name), default=0)


def problems(run, violations, coordination):
    """Say what was not as it had to be, as a list of sentences.

    :param run: tools.cloud.faults.records.Run
    :param violations: list of tools.cloud.faults.checker.Violation in it
    :param coordination: where the locks were, a key of
        tools.cloud.deployment.SERVERS
    """
    unsafe = [step.name for step in STEPS if coordination in step.unsafe]
    met = [one for one in violations
           if one.fault in unsafe and one.rule in ('data', 'overlap')]
    found = [f'{coordination}: {one.text}, in the step "{one.fault}"'
             for one in violations if one not in met]
    found += [f'{coordination}: expected creates that meet a delete in the '
              f'step "{name}", found none: the storm shows nothing'
              for name in unsafe if name not in {one.fault for one in met}]
    for step, fault in zip(STEPS, run.faults):
        most = most_at_once(run, fault)
        if not {None: True, True: most > 1, False: most == 1}[step.parallel]:
            found.append(
                f'{coordination}: expected '
                f'{"several creates" if step.parallel else "one create"} at '
                f'once from one source after the step "{step.name}", found '
                f'{most}')
    return found
