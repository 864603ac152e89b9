# SPDX-License-Identifier: Apache-2.0

"""A made-up storm, which tests bend to what they need."""

from tools.measure.storm import records

CHECKSUM = 'c0ffee'


def create(number, begin, end, checksum=CHECKSUM, status='available'):
    return records.Create(volume_id='volume-%d' % number, sent=100.0,
                          accepted=100.5, begin=begin, end=end,
                          status=status, checksum=checksum)


def run(name='patched'):
    """Return a TreeRun in which nothing is wrong.

    Four creates of 2 s, sent at 100 s; the delete sent at 101.5 s begins at
    104.25 s, a quarter of a second after the last create's end.
    """
    creates = [create(number, 101.0 + number / 3, 103.0 + number / 3)
               for number in range(4)]
    return records.TreeRun(
        name=name, versions={'cinder': '29.0.0', 'python': '3.11.7'},
        checksum=CHECKSUM,
        ideal=records.Wave([create(9, 51.0, 53.0)], settled=104.0),
        storm=records.Wave(creates, settled=105.0),
        delete=records.Delete('source', sent=101.5, begin=104.25, end=104.5,
                              gone=105.0),
        unrelated=records.Delete('other', sent=101.5, begin=101.6, end=101.7,
                                 gone=102.25))
