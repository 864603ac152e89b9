# SPDX-License-Identifier: Apache-2.0

"""The processor time of each service: what a storm waits for otherwise."""

import contextlib

import psutil

from tools.cloud.services import service


def seconds(deployment):
    """Return the processor seconds that each service has used so far.

    :param deployment: the tools.cloud.deployment.Deployment
    :returns: dict of its name to seconds
    """
    return {found.name: sum(map(_of_process, found.processes()))
            for found in _daemons(deployment.services)}


def _daemons(services):
    for found in services:
        if isinstance(found, service.Daemon):
            yield found
        yield from getattr(found, 'members', ())


def _of_process(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return times.user + times.system
    return 0


def since(before, deployment):
    """Return what seconds() has grown by, the greatest first.

    :param before: what seconds() has returned
    :param deployment: the tools.cloud.deployment.Deployment
    :returns: dict of name to seconds, without those below 0.1
    """
    grown = {name: now - before.get(name, 0)
             for name, now in seconds(deployment).items()}
    return {name: round(spent, 1) for name, spent in sorted(
        grown.items(), key=lambda item: -item[1]) if spent >= 0.1}
