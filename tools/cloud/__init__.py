# SPDX-License-Identifier: Apache-2.0

"""The cloud: the deployment that operators run, whole, on one machine."""
