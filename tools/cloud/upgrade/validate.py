# SPDX-License-Identifier: Apache-2.0

"""What has to hold after each step of an upgrade."""

from tools.cloud.upgrade import failpoints
from tools.measure.storm import figures


def most_at_once(run, fault):
    """Return how many creates from one source the storage did at once.

    :param run: tools.cloud.faults.records.Run
    :param fault: the tools.cloud.faults.records.Fault; copies that began
        before its end do not count
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
    """Return what did not hold, as a list of sentences.

    :param run: tools.cloud.faults.records.Run
    :param violations: list of tools.cloud.faults.validate.Violation in it
    :param coordination: where the locks were, a key of
        tools.cloud.layout.SERVERS
    """
    unsafe = [step.name for step in failpoints.STEPS
              if coordination in step.unsafe]
    met = [one for one in violations
           if one.fault in unsafe and one.rule in ('data', 'overlap')]
    found = [f'{coordination}: {one.text}, in the step "{one.fault}"'
             for one in violations if one not in met]
    found += [f'{coordination}: expected creates that meet a delete in the '
              f'step "{name}", found none: the traffic shows nothing'
              for name in unsafe if name not in {one.fault for one in met}]
    for step, fault in zip(failpoints.STEPS, run.faults):
        most = most_at_once(run, fault)
        if not {None: True, True: most > 1, False: most == 1}[step.parallel]:
            found.append(
                f'{coordination}: expected '
                f'{"several creates" if step.parallel else "one create"} at '
                f'once from one source after the step "{step.name}", found '
                f'{most}')
    return found
