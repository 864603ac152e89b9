# SPDX-License-Identifier: Apache-2.0

"""A cloud's services, started in order and stopped in reverse order."""

from concurrent import futures
import contextlib

from tools.common import progress
from tools.series.git import uninterrupted


class Deployment:
    """Starts services on entering its ``with`` block, stops them on leaving.

    Whatever ends the start or the block, an interrupt included, every service
    that was launched is stopped. One that fails to stop does not keep the
    others running.

    :param stages: list of lists of tools.cloud.services.service.Service; the
        services of a stage start together, after those of earlier stages
    """

    def __init__(self, stages):
        self._stages = stages
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        try:
            for stage in self._stages:
                progress.say('starting ' + ', '.join(
                    service.name for service in stage))
                begun = []
                self._stack.callback(_stop, begun)
                for service in stage:
                    begun.append(service)
                    service.launch()
                for service in stage:
                    service.wait()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_exception):
        self._close()

    @property
    def services(self):
        """All services as a list, in the order of their start."""
        return [service for stage in self._stages for service in stage]

    def __getitem__(self, name):
        """Return the service of a name.

        :raises KeyError: if there is none
        """
        return {service.name: service for service in self.services}[name]

    def check(self):
        """Raise ToolError if a service has ended by itself."""
        for service in self.services:
            service.check()

    def _close(self):
        with uninterrupted():
            self._stack.close()


def _stop(services):
    """Stop services in parallel; raise the first error at the end."""
    progress.say('stopping ' + ', '.join(service.name
                                         for service in services))
    with futures.ThreadPoolExecutor() as pool:
        ended = [pool.submit(service.stop) for service in services]
    for end in ended:
        end.result()
