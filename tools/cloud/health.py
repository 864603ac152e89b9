# SPDX-License-Identifier: Apache-2.0

"""Does the cloud work? Tries every backend with the ``openstack`` command."""

import contextlib
import io
import json
import os

from openstackclient import shell

from tools.cloud.services import cinder
from tools.cloud import statuses
from tools.common.errors import ToolError
from tools.common import progress

PATIENCE = 120


class OpenStack:
    """The ``openstack`` command, in this process so as to start at once.

    The environment of this process becomes its environment.

    :param credentials: dict of ``OS_*`` variables
    """

    def __init__(self, credentials):
        for name in [name for name in os.environ if name.startswith('OS_')]:
            del os.environ[name]
        os.environ.update(credentials)

    def run(self, *words):
        """Run a command and return what it says.

        :param words: its arguments as text, without its name
        :returns: its JSON, as a dict or list
        :raises ToolError: if it fails
        """
        said = self._run(*words, '--format', 'json')
        return json.loads(said)

    def do(self, *words):
        """Run a command that says nothing."""
        self._run(*words)

    def _run(self, *words):
        said, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(said), \
                contextlib.redirect_stderr(errors):
            try:
                status = shell.main(list(words))
            except SystemExit as ended:
                status = ended.code
        if status:
            raise ToolError(f'"openstack {" ".join(words)}" failed: '
                            f'{errors.getvalue().strip()}')
        return said.getvalue()


def check(site, deployment, keystone):
    """Use every backend: a volume, its snapshot, a volume from that.

    :param site: the tools.cloud.site.Site
    :param deployment: the tools.cloud.deployment.Deployment, which runs
    :param keystone: the tools.cloud.services.keystone.Keystone in it
    :raises ToolError: if anything does not work, or if a password is in a
        log
    """
    client = OpenStack(keystone.credentials())
    down = [f'{found["Binary"]} on {found["Host"]}'
            for found in client.run('volume', 'service', 'list')
            if found['State'] != 'up']
    if down:
        raise ToolError(f'expected all services up, found down: '
                        f'{", ".join(down)}')
    progress.say(f'creating a volume on each of {", ".join(cinder.BACKENDS)}')
    create = ('volume', 'create', '--size', '1')
    sources = [client.run(*create, '--type', backend, backend)['id']
               for backend in cinder.BACKENDS]
    _wait(deployment, client, 'volume', sources, 'available')
    progress.say('creating their snapshots')
    snapshots = [client.run('volume', 'snapshot', 'create', '--volume',
                            source, 'health')['id'] for source in sources]
    _wait(deployment, client, 'volume snapshot', snapshots, 'available')
    progress.say('creating volumes from these')
    copies = [client.run(*create, '--snapshot', snapshot, 'copy')['id']
              for snapshot in snapshots]
    _wait(deployment, client, 'volume', copies, 'available')
    progress.say('deleting all')
    for kind, ids in (('volume', copies), ('volume snapshot', snapshots),
                      ('volume', sources)):
        client.do(*kind.split(), 'delete', *ids)
        _wait(deployment, client, kind, ids, statuses.GONE)
    leaks = site.leaks()
    if leaks:
        raise ToolError('found the password of {1} in the log {0}'.format(
            *leaks[0]))


def _wait(deployment, client, kind, ids, wanted):
    def look():
        deployment.check()
        return {row['ID']: row['Status']
                for row in client.run(*kind.split(), 'list')}
    statuses.for_all(ids, wanted, look, PATIENCE)
