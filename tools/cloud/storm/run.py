# SPDX-License-Identifier: Apache-2.0

"""Run one storm and its ideal, and hold the data against the sources'."""

from concurrent import futures

from tools.cloud import contents
from tools.cloud import journal
from tools.cloud.services.cinder import SOURCE_FIELDS
from tools.cloud.storm import client as clients
from tools.cloud.storm import load
from tools.cloud.storm import results
from tools.cloud.storm import traffic
from tools.common import progress
from tools.measure.storm import figures

CLIENTS = 8
"""How many volumes are filled, read or dropped at once."""


def run_case(site, deployment, volumes, case):
    """Run one storm and its ideal.

    :param site: the tools.cloud.site.Site
    :param deployment: the tools.cloud.deployment.Deployment
    :param volumes: the block storage API of openstacksdk
    :param case: the tools.cloud.storm.cases.Case
    :returns: a tools.cloud.storm.results.Outcome of the ideal, and one of the
        storm
    :raises ToolError: if the cloud does not work
    """
    client = clients.Client(volumes, case.backend, case.creates)
    held = contents.OF[case.backend](site, case.mebibytes)
    originals = client.create_volumes(case.creates)
    _each(held.fill, originals)
    sources = originals
    if case.source == 'snapshot':
        sources = client.create_snapshots(originals)
    expected = dict(zip(sources, _each(held.checksum, originals)))

    def outcome(name, sources):
        progress.say(f'{case}: the {name}')
        before = load.seconds(deployment)
        found = traffic.wave(client, [{SOURCE_FIELDS[case.source]: source}
                                      for source in sources])
        spent = load.since(before, deployment)
        progress.say(f'{case}: the {name} took {found.seconds:.1f} s; '
                     'checksums')
        wrong = sum(data != expected[source] for data, source in zip(
            _each(held.checksum, found.volumes), found.volumes.values()))
        most = most_at_once(found.volumes, journal.read(site.journal))
        _each(held.drop, found.volumes)
        return results.Outcome(found, wrong, most, spent)

    both = (outcome('ideal', sources),
            outcome('storm', sources[:1] * case.creates))
    # What a copy in error has in the storage may still need its source.
    if not any(found.wave.errors for found in both):
        _each(held.drop, originals)
    return both


def most_at_once(volumes, calls):
    """Return how many creates the storage did at once, at most.

    :param volumes: the ids of the volumes of one wave
    :param calls: list of tools.cloud.journal.Call
    """
    return figures.most_at_once([
        (call.begin, call.end) for call in calls
        if call.resource_id in volumes and call.end is not None])


def _each(work, ids):
    with futures.ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(work, ids))
