# SPDX-License-Identifier: Apache-2.0

"""The client: asks Cinder's API, and writes down what it said and when."""

import time

import tenacity

from tools.cloud.services import cinder
from tools.cloud import statuses
from tools.common.errors import ToolError

BACKEND = 'copying'
ANSWER_SECONDS = 60
MESSAGES = '3.5'
"""The microversion that lists user messages in pages."""
API_SECONDS = 120
STATUS_SECONDS = 120
NEWEST = 200
"""How many of the newest volumes are listed; a fault's traffic makes fewer."""


class Client:
    """Volumes and snapshots, through openstacksdk.

    :param volumes: the block storage API of an openstack.connection.Connection
    :param failures: what a request raises that fails or is refused, a tuple
        of exception classes
    """

    def __init__(self, volumes, failures):
        self.volumes = volumes
        self.failures = failures
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
                retry=tenacity.retry_if_exception(self._may_work_later),
                reraise=True)(function, *arguments, **named)
        except self.failures as error:
            raise ToolError(f'Cinder\'s API: {error}')

    def new_volume(self, name, **source):
        """Create a volume, even if the API is down for a while.

        :param name: its name as text
        :param source: the field of its source, if any
        :returns: its UUID
        :raises ToolError: as insist() does
        """
        return self.insist(self.volumes.create_volume, size=1, name=name,
                           volume_type=BACKEND, **source).id

    def new_snapshot(self, name, volume_id):
        """Create a snapshot in the same way.

        :param name: its name as text
        :param volume_id: UUID of the volume
        :returns: its UUID
        :raises ToolError: as insist() does
        """
        return self.insist(self.volumes.create_snapshot, volume_id=volume_id,
                           name=name).id

    def wait(self, ids, wanted):
        """Wait until all volumes and snapshots have one status.

        :param ids: list of UUIDs
        :param wanted: the status as text
        :raises ToolError: if one ends in error, or not in time
        """
        statuses.for_all(
            ids, wanted, lambda: {resource: status for resource, (
                _name, status) in self.newest().items()}, STATUS_SECONDS)

    def ask(self, operation, function, *arguments, **named):
        """Send one request, once, and record its times and its outcome.

        :param operation: the tools.cloud.faults.records.Operation to write
            it to
        :param function: the callable that sends it
        :returns: what the function returns, None if it was not accepted
        """
        operation.invoked = time.monotonic()
        try:
            answer = function(*arguments, **named)
            operation.outcome = 'accepted'
            return answer
        except self.failures as error:
            if not self._may_work_later(error):
                operation.outcome = 'refused'
            operation.told = ' '.join(str(error).split())
        finally:
            operation.answered = time.monotonic()

    def create(self, operation, kind):
        """Create a volume from a source.

        :param operation: the tools.cloud.faults.records.Operation
        :param kind: of the source, 'volume' or 'snapshot'
        """
        volume = self.ask(operation, self.volumes.create_volume, size=1,
                          name=operation.name,
                          **{cinder.SOURCE_FIELDS[kind]: operation.source_id})
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

    def hosts(self):
        """Return where all volumes are.

        :returns: dict of UUID -> name of the host, None for those without
        """
        return {found.id: found.host and found.host.partition('@')[0]
                for found in self.volumes.volumes()}

    def messages(self):
        """Return the user messages, which tell why requests failed.

        :returns: dict of UUID -> list of text, the oldest first
        """
        told = {}
        for found in sorted(self.volumes.messages(microversion=MESSAGES),
                            key=lambda found: found.created_at):
            told.setdefault(found.resource_uuid, []).append(
                found.user_message)
        return told

    def _may_work_later(self, error):
        """Tell a failure from a refusal."""
        status = getattr(error, 'status_code', None) or getattr(
            error, 'http_status', None)
        return isinstance(error, self.failures) and not (
            status and 400 <= status < 500)
