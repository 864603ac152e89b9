# SPDX-License-Identifier: Apache-2.0

"""The copying driver for several hosts of one cluster.

They share its directory, as they would share a storage array.
"""

from cinder.tests.functional import copying_driver


class SharedDriver(copying_driver.CopyingDriver):
    """The copying driver, which any host of a cluster may run."""

    SUPPORTS_ACTIVE_ACTIVE = True

    def extend_volume(self, volume, new_size):
        """Do nothing: a file has the size of its data."""
