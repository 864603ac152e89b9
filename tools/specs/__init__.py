# SPDX-License-Identifier: Apache-2.0

"""Build, check and submit the specification in ``specs/``."""
