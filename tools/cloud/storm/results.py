# SPDX-License-Identifier: Apache-2.0

"""What was measured in a storm and in its ideal."""

import dataclasses


@dataclasses.dataclass
class Outcome:
    """What is known of one wave.

    :param wave: the tools.cloud.storm.traffic.Wave
    :param wrong: how many volumes differ from their source
    :param most: how many creates the storage did at once, at most
    :param spent: dict of a service to the processor seconds it used
    """

    wave: object
    wrong: int
    most: int
    spent: dict


@dataclasses.dataclass
class Result:
    """One storm on one tree, beside its ideal.

    :param cloud: the tools.cloud.layout.Settings
    :param case: the tools.cloud.storm.cases.Case
    :param tree: 'upstream' or 'patched'
    :param ideal: the Outcome of creates from as many sources
    :param storm: that of creates from one source
    """

    cloud: object
    case: object
    tree: str
    ideal: Outcome
    storm: Outcome

    @property
    def ratio(self):
        """The storm's time as a multiple of the ideal's."""
        return self.storm.wave.seconds / self.ideal.wave.seconds

    @property
    def backend(self):
        """The backend, and for RBD whether it cloned or copied."""
        if self.case.backend == 'rbd':
            return 'rbd, copied' if self.cloud.latency else 'rbd, cloned'
        return self.case.backend

    @property
    def mode(self):
        """How the services ran: 'threads' or 'eventlet'."""
        return 'threads' if self.cloud.threads else 'eventlet'
