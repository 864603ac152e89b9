# SPDX-License-Identifier: Apache-2.0

"""Results of measures of the locks that nobody took."""

from unittest import mock

from tools.measure.locks import backends
from tools.measure.locks import verdict


class Run:
    """Stands for a run of a measure; what it is not told keeps its bound.

    :param told: (mode, backend, key) -> value, or a list of values, one a run
    """

    def __init__(self, told=None):
        self._told = {key: list(value) if isinstance(value, list) else value
                      for key, value in (told or {}).items()}
        self.asked = []

    def __call__(self, mode, measure):
        self.asked.append((mode, measure))
        name = measure.partition('.')[0]
        values = {key: self._value((mode, name, key), figure.bound or 1)
                  for key, figure in backends.measures(name)[measure].items()}
        return {'rounds': dict.fromkeys(values, 7), 'values': values}

    def _value(self, key, kept):
        value = self._told.get(key, kept)
        if isinstance(value, list):
            return value.pop(0) if value else kept
        return value


def lines(told=None, names=tuple(backends.BACKENDS)):
    """Return the lines of a run in which every bound is kept but what is told.

    :param told: as for Run
    """
    run = Run(told)
    return [line for name in names
            for line in verdict.measure_all(run, backends.measures(name))]


class Site:
    """Stands for a tools.measure.locks.program.Site.

    :param name: the backend
    :param answers: action -> function that answers it
    :ivar asked: worker, action and arguments of all requests
    :ivar ports: where the workers connect to
    """

    PROXY_PORT = 77

    def __init__(self, name, answers):
        self.name = name
        self._answers = answers
        self.asked = []
        self.ports = []

    def _start(self, greeting):
        number = len(self.ports)

        def ask(action, *args):
            self.asked.append((number, action, *args))
            return self._answers[action](*args)

        return mock.Mock(greeting=greeting, ask=ask)

    def patched(self, port=None):
        self.ports.append(port)
        return self._start(list(backends.KINDS))

    def released(self, port=None):
        self.ports.append(port)
        return self._start(list(backends.BACKENDS[self.name].peers))

    def proxy(self):
        return self._start(self.PROXY_PORT)
