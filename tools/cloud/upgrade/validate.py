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
    return [
        *(f'{coordination}: {one.text}, in the step "{one.fault}"'
          for one in violations),
        *(f'{coordination}: expected several creates at once from one source '
          f'after the step "{step.name}", found {most}'
          for step, most in ((step, most_at_once(run, fault))
                             for step, fault in zip(failpoints.STEPS,
                                                    run.faults))
          if step.parallel and most < 2)]
