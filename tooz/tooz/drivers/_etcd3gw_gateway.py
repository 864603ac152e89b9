#
# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Requests of the etcd3gw driver's locks to the server, with a bound each.

The client of etcd3gw has one bound for all requests. Its watch has none, and
hides its failures.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
import contextlib
import functools
import json
from typing import Any

import etcd3gw
import requests
from requests import adapters

import tooz
from tooz import coordination

CONNECTIONS = 100
"""How many connections are kept for reuse. More than those are closed."""

_ERRORS = {
    requests.codes['request_timeout']: coordination.OperationTimedOut,
    requests.codes['gateway_timeout']: coordination.OperationTimedOut,
    requests.codes['service_unavailable']: coordination.ToozConnectionError,
}

Json = dict[str, Any]


class LeaseNotFound(tooz.ToozError):
    """The server knows the lease of a request no more."""


def encode(data: bytes) -> str:
    """Return bytes as the gateway takes them."""
    return base64.b64encode(data).decode('ascii')


def key(name: bytes) -> Json:
    """Return one key."""
    return {'key': encode(name)}


def keys_below(name: bytes) -> Json:
    """Return the range of the keys that begin with a name and a slash."""
    return {'key': encode(name + b'/'), 'range_end': encode(name + b'0')}


def get(keys: Json, **options: Any) -> Json:
    """Return the operation that reads a key or a range."""
    return {'request_range': {**keys, **options}}


def delete(keys: Json) -> Json:
    """Return the operation that deletes a key or a range."""
    return {'request_delete_range': keys}


def compare(keys: Json, target: str, value: Any) -> Json:
    """Return a comparison of a key, or of each key of a range.

    :param target: ``value``, ``create_revision`` or ``mod_revision``; the
        revisions of a key that does not exist are 0.
    """
    kind = target.partition('_')[0].upper()
    return {**keys, 'target': kind, 'result': 'EQUAL', target: value}


def transaction(
    compare: Sequence[Json], success: Sequence[Json], failure: Sequence[Json]
) -> Json:
    """Return a transaction, which can be an operation of another one.

    The server compares for all of them before it does anything.
    """
    txn = {'compare': compare, 'success': success, 'failure': failure}
    return {'request_txn': txn}


class Gateway:
    """The JSON gateway of a server.

    :param client: The client of the coordinator.
    :param http: Whose connections to use instead of those of the client.
    """

    def __init__(
        self,
        client: etcd3gw.Etcd3Client,
        http: requests.Session | None = None,
    ) -> None:
        self._client = client
        self._http = http or client.session
        self._prepared: dict[str, requests.PreparedRequest] = {}
        if http is not None:
            http.verify = client.session.verify
            http.cert = client.session.cert
        for scheme in ('http://', 'https://'):
            self._http.mount(
                scheme, adapters.HTTPAdapter(pool_maxsize=CONNECTIONS)
            )

    def ask(self, path: str, *messages: Json, timeout: float) -> list[Json]:
        """Send a request and return the answer.

        :param messages: One, or more if the request is a stream of them.
        :param timeout: Its bound in seconds.
        :returns: The answers, as many as messages.
        :raises tooz.ToozError: It failed. The server may have done it.
        """
        response = self._post(path, messages, timeout)
        try:
            answers = [json.loads(line) for line in response.text.splitlines()]
        except ValueError as error:
            raise tooz.ToozError('The answer of etcd is not JSON') from error
        if len(answers) != len(messages) or 'error' in answers[-1]:
            raise tooz.ToozError(f'etcd has failed: {response.text.strip()}')
        return answers

    def transact(
        self, transaction: Json, timeout: float
    ) -> tuple[list[bool], list[Json], int]:
        """Run a transaction.

        :returns: Which of the comparisons were true, from the outermost one
            on; the answers to the operations of the innermost branch; the
            revision of the server.
        :raises tooz.ToozError: It failed. The server may have done it.
        """
        (answer,) = self.ask(
            '/kv/txn', transaction['request_txn'], timeout=timeout
        )
        revision = int(answer['header']['revision'])
        path = []
        while True:
            path.append(answer.get('succeeded', False))
            answers = answer.get('responses', [])
            if not answers or 'response_txn' not in answers[0]:
                return path, answers, revision
            answer = answers[0]['response_txn']

    def watch(self, key: Json, revision: int, seconds: float) -> bool:
        """Wait until a key is deleted.

        :param revision: After which revision.
        :returns: Whether the end of the wait was this.
        :raises Exception: The wait has failed, in one of many ways.
        """
        create = {**key, 'start_revision': revision + 1, 'filters': ['NOPUT']}
        with contextlib.closing(
            self._post('/watch', [{'create_request': create}], seconds, True)
        ) as response:
            lines = response.iter_lines()
            next(lines)
            return b'"DELETE"' in next(lines)

    def _post(
        self,
        path: str,
        messages: Sequence[Json],
        timeout: float,
        stream: bool = False,
    ) -> requests.Response:
        try:
            response = self._http.send(
                self._prepare(path, messages),
                timeout=timeout,
                **{**self._settings, 'stream': stream},
            )
        except requests.Timeout as error:
            raise coordination.OperationTimedOut(
                f'No answer from etcd within {timeout:.3g} s'
            ) from error
        except requests.RequestException as error:
            raise coordination.ToozConnectionError(
                f'etcd cannot be reached: {error}'
            ) from error
        if response.ok:
            return response
        kind = _ERRORS.get(response.status_code, tooz.ToozError)
        if 'lease not found' in response.text:
            kind = LeaseNotFound
        raise kind(f'etcd has refused a request: {response.text.strip()}')

    @functools.cached_property
    def _settings(self) -> Json:
        """What requests finds in the environment again for each request."""
        settings = self._http.merge_environment_settings(
            self._client.base_url, {}, None, None, None
        )
        return dict(settings)

    def _prepare(
        self, path: str, messages: Sequence[Json]
    ) -> requests.PreparedRequest:
        """Return what to send, by a model, which saves a quarter of it all."""
        if path not in self._prepared:
            self._prepared[path] = self._http.prepare_request(
                requests.Request('POST', self._client.get_url(path), json={})
            )
        prepared = self._prepared[path].copy()
        body = '\n'.join(json.dumps(message) for message in messages)
        prepared.prepare_body(body.encode(), None)
        return prepared
