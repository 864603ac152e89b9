# SPDX-License-Identifier: Apache-2.0

"""A run: traffic around each fault, and what remains of it."""

import time

from tools.cloud import contents
from tools.cloud.faults import client as clients
from tools.cloud.faults import failpoints
from tools.cloud.faults import probe
from tools.cloud.faults import records
from tools.cloud.faults import remains
from tools.cloud.faults import sources
from tools.cloud.faults import traffic
from tools.cloud.faults import watch
from tools.cloud import journal
from tools.cloud.services import keystone
from tools.common import progress

OPTIONS = (('copying', 'volume_driver',
            'tools.cloud.faults.driver.JournalingDriver'),)
"""What cinder.conf needs for it."""


def follow(faults, run, rng, size, site, deployment, cinder, server):
    """Inject all faults, restart the volume services, and note what remains.

    What the storage did is noted in any case.

    :param faults: list of tools.cloud.faults.failpoints.Failpoint
    :param run: the tools.cloud.faults.records.Run to write all to
    :param rng: a random.Random
    :param size: how many sources a fault's traffic has and how many creates
        each, where its failpoint does not say so
    :param site: the tools.cloud.site.Site
    :param deployment: the tools.cloud.deployment.Deployment, which runs
    :param cinder: the tools.cloud.services.cinder.Cinder in it
    :param server: the service that has the locks
    :raises ToolError: if the cloud does not work
    """
    client = clients.Client(cinder.volumes, keystone.failures())
    held = contents.Copying(site)
    target = failpoints.Target(deployment, server, site.journal)
    try:
        base = client.new_volume('base')
        client.wait([base], 'available')
        for failpoint in faults:
            number, creates = failpoint.size or size
            progress.say(f'{failpoint.name}: making {number} sources')
            made = sources.make(client, held, base, failpoint.name, number)
            run.sources += made
            requests = traffic.Traffic(
                client, failpoint.name, traffic.plan(
                    rng, number, creates, failpoint.span), made)
            inject(failpoint, target, client, requests, run)
            remains.note_locks(server, run.faults[-1])
            run.probes.append(probe.probe(client, held, site.journal,
                                          failpoint.name))
        remains.restart(deployment, server, run)
        remains.note_statuses(client, run)
        remains.note_reasons(client, run)
        remains.note_checksums(held, run)
        remains.note_locks(server, run)
        run.finished = True
    finally:
        run.calls = journal.read(site.journal)


def inject(failpoint, target, client, requests, run):
    """Inject a fault in the middle of traffic, and wait for all to settle.

    :param failpoint: a tools.cloud.faults.failpoints.Failpoint
    :param target: the tools.cloud.faults.failpoints.Target
    :param client: tools.cloud.faults.client.Client
    :param requests: a tools.cloud.faults.traffic.Traffic
    :param run: the tools.cloud.faults.records.Run, which gets the fault
    :raises ToolError: if the fault cannot be injected
    """
    name = failpoint.name
    fault = records.Fault(name)
    run.faults.append(fault)
    run.operations += requests.operations
    progress.say(f'{name}: {len(requests.operations)} requests in '
                 f'{failpoint.span} s')
    fault.started = time.monotonic()
    requests.start()
    watching = watch.Watch(client, requests.operations)
    watching.start()

    def tell(text, hosts=failpoints.HOSTS):
        fault.what = text
        fault.hosts = list(hosts)
        fault.begin = time.monotonic()
        progress.say(text)

    time.sleep(traffic.EARLIEST)
    failpoint.inject(target, tell)
    fault.end = time.monotonic()
    progress.say(f'{name}: over')
    requests.join()
    watching.settle()
    fault.settled = time.monotonic()
    progress.say(f'{name}: settled, {watch.counts(requests.operations)}')
