# SPDX-License-Identifier: Apache-2.0

"""The copying driver for a cluster, whose hosts share its directory."""

from cinder.tests.functional import copying_driver


class SharedDriver(copying_driver.CopyingDriver):
    """The copying driver, which any host of a cluster may run."""

    SUPPORTS_ACTIVE_ACTIVE = True

    def extend_volume(self, volume, new_size):
        """Do nothing: a file has the size of its data."""
