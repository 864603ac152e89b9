# SPDX-License-Identifier: Apache-2.0

"""A client of Cinder's REST API that says which request failed, and how."""

import requests

from tools.common.errors import ToolError

PROJECT = '0123456789abcdef0123456789abcdef'
ANSWER_SECONDS = 300


class Client:
    """Volumes and snapshots over HTTP, as an administrator, without Keystone.

    An instance may be shared by threads: each request has its own connection.

    :param api: address of the API as text
    :param observer: address of the child's observer as text
    """

    def __init__(self, api, observer):
        self._api = '%s/v3/%s' % (api, PROJECT)
        self._observer = observer

    def _request(self, method, path, body=None, allowed=()):
        try:
            answer = requests.request(
                method, self._api + path, json=body, timeout=ANSWER_SECONDS,
                headers={'X-Auth-Token': 'storm:' + PROJECT})
        except requests.RequestException as error:
            raise ToolError(f'{method} {path} got no answer from the API: '
                            f'{error}')
        if not answer.ok and answer.status_code not in allowed:
            raise ToolError('%s %s was refused with HTTP status %d: %s' % (
                method, path, answer.status_code, answer.text.strip()))
        return answer

    def pools(self):
        """Return the scheduler's pools as a list of dicts."""
        return self._request('GET', '/scheduler-stats/get_pools'
                             ).json()['pools']

    def create_volume(self, **source):
        """Ask for a volume of 1 GiB and return its UUID.

        :param source: snapshot_id=UUID, source_volid=UUID, or nothing
        """
        body = {'volume': {'size': 1, **source}}
        return self._request('POST', '/volumes', body).json()['volume']['id']

    def create_snapshot(self, volume_id):
        """Ask for a snapshot of a volume and return its UUID."""
        body = {'snapshot': {'volume_id': volume_id}}
        return self._request('POST', '/snapshots', body
                             ).json()['snapshot']['id']

    def list(self, kind):
        """Return all 'volumes' or 'snapshots' as a dict of UUID to details."""
        found = self._request('GET', '/%s/detail' % kind).json()[kind]
        return {resource['id']: resource for resource in found}

    def delete(self, kind, resource_id):
        """Ask to delete one of the 'volumes' or 'snapshots'."""
        self._request('DELETE', '/%s/%s' % (kind, resource_id))

    def exists(self, kind, resource_id):
        """Return whether the API still knows a volume or snapshot."""
        return self._request('GET', '/%s/%s' % (kind, resource_id),
                             allowed=(404,)).ok

    def _observe(self, path):
        try:
            answer = requests.get(self._observer + path,
                                  timeout=ANSWER_SECONDS)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise ToolError('the storage cannot be observed: %s' % error)
        return answer.json()

    def journal(self):
        """Return the driver's finished calls.

        :returns: list of [operation, resource id, source id, begin, end]
        """
        return self._observe('/journal')

    def taken(self):
        """Return the ids of the volumes whose create a worker began with."""
        return self._observe('/taken')

    def checksum(self, resource_id):
        """Return the SHA-256 of a volume or snapshot as hexadecimal text."""
        return self._observe('/checksum/' + resource_id)
