# SPDX-License-Identifier: Apache-2.0

"""The clients: ask Cinder's API, and write down what it said and when."""

import time

from keystoneauth1 import exceptions as keystone_errors
from openstack import exceptions
import tenacity

from tools.common.errors import ToolError

ANSWER_SECONDS = 60
API_SECONDS = 120
NEWEST = 200
"""How many of the newest volumes are looked at; a storm makes fewer."""


class Client:
    """Volumes and snapshots, through openstacksdk.

    :param volumes: the block storage API of an openstack.connection.Connection
    """

    FAILURES = (exceptions.SDKException, keystone_errors.ClientException)
    """What a request raises that fails or is refused."""

    def __init__(self, volumes):
        self.volumes = volumes
        volumes.session.timeout = ANSWER_SECONDS

    def insist(self, function, *arguments, **named):
        """Call a function again while the API or what it needs is down.

        :param function: a callable that may raise what openstacksdk raises
        :raises ToolError: if it does not work in time, or is refused
        """
        try:
            return tenacity.Retrying(
                wait=tenacity.wait_fixed(1),
                stop=tenacity.stop_after_delay(API_SECONDS),
                retry=tenacity.retry_if_exception(_may_work_later),
                reraise=True)(function, *arguments, **named)
        except self.FAILURES as error:
            raise ToolError(f'Cinder\'s API: {error}')

    def ask(self, operation, function, *arguments, **named):
        """Send one request, once, and record its times and its outcome.

        :param operation: the tools.cloud.faults.records.Operation to write it to
        :param function: the callable that sends it
        :returns: what the function returns, None if it was not accepted
        """
        operation.invoked = time.monotonic()
        try:
            answer = function(*arguments, **named)
            operation.outcome = 'accepted'
            return answer
        except self.FAILURES as error:
            if not _may_work_later(error):
                operation.outcome = 'refused'
            operation.told = ' '.join(str(error).split())
        finally:
            operation.answered = time.monotonic()

    def create(self, operation, kind):
        """Create a volume from a source.

        :param operation: the tools.cloud.faults.records.Operation
        :param kind: 'volume' or 'snapshot'
        """
        source = {'snapshot': 'snapshot_id', 'volume': 'source_volume_id'}
        volume = self.ask(operation, self.volumes.create_volume, size=1,
                          name=operation.name,
                          **{source[kind]: operation.source_id})
        if volume is not None:
            operation.volume_id = volume.id

    def delete(self, operation, kind):
        """Delete a source.

        :param operation: the tools.cloud.faults.records.Operation
        :param kind: 'volume' or 'snapshot'
        """
        self.ask(operation, getattr(self.volumes, f'delete_{kind}'),
                 operation.source_id, ignore_missing=False)

    def newest(self):
        """Return the newest volumes and all snapshots.

        :returns: dict of UUID -> (name, status)
        """
        return {found.id: (found.name, found.status) for found in [
            *self.volumes.volumes(sort='created_at:desc', limit=NEWEST,
                                  paginated=False),
            *self.volumes.snapshots()]}

    def all(self):
        """Return all volumes and snapshots.

        :returns: list of (kind, UUID, name, status)
        """
        return [(kind, found.id, found.name, found.status)
                for kind, listing in (('volume', self.volumes.volumes),
                                      ('snapshot', self.volumes.snapshots))
                for found in listing()]


def _may_work_later(error):
    """Tell a failure from a refusal."""
    status = getattr(error, 'status_code', None) or getattr(
        error, 'http_status', None)
    return isinstance(error, Client.FAILURES) and not (
        status and 400 <= status < 500)
