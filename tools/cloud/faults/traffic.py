# SPDX-License-Identifier: Apache-2.0

"""The traffic around a fault: creates from sources that are deleted.

What is sent, and when, follows from a seed.
"""

import collections
from concurrent import futures
import threading
import time

from tools.cloud.faults import records

Request = collections.namedtuple('Request', 'offset kind source')
"""Seconds after the start of the traffic; 'create' or 'delete'; the number of
the source."""

CLIENTS = 24
EARLIEST = 3
SPREAD = 4
RACE = 0.3


def plan(rng, sources, creates, span):
    """Spread the creates and the delete of each source over some time.

    Each source is deleted at random. The creates from it come in the seconds
    before, so that they are under way then, and the last at the same time.

    :param rng: a random.Random
    :param sources: how many sources there are, as an integer
    :param creates: how many creates each gets, as an integer
    :param span: seconds over which to spread the deletes, as a number
    :returns: list of Request, sorted by time
    """
    requests = []
    for source in range(sources):
        delete = rng.uniform(EARLIEST, span)
        requests.append(Request(delete, 'delete', source))
        offsets = [delete - rng.uniform(0, SPREAD)
                   for _create in range(creates - 1)]
        offsets.append(delete + rng.uniform(-RACE, RACE))
        requests += [Request(max(offset, 0), 'create', source)
                     for offset in offsets]
    return sorted(requests)


class Traffic(threading.Thread):
    """Sends requests at their time, and ends when all are answered.

    An interrupt does not wait for the rest of them.

    :param client: tools.cloud.faults.client.Client
    :param fault: name of the fault
    :param requests: list of Request
    :param sources: list of tools.cloud.faults.records.Source
    :ivar operations: list of tools.cloud.faults.records.Operation, one for
        each request
    """

    def __init__(self, client, fault, requests, sources):
        super().__init__(daemon=True)
        self._client = client
        self._requests = requests
        self._sources = sources
        self.operations = [
            records.Operation(
                fault, request.kind, sources[request.source].source_id,
                f'{fault}: {number}' if request.kind == 'create' else None)
            for number, request in enumerate(requests)]

    def run(self):
        begin = time.monotonic()
        with futures.ThreadPoolExecutor(CLIENTS) as pool:
            for request, operation in zip(self._requests, self.operations):
                time.sleep(max(begin + request.offset - time.monotonic(), 0))
                pool.submit(getattr(self._client, request.kind), operation,
                            self._sources[request.source].kind)
