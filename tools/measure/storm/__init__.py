# SPDX-License-Identifier: Apache-2.0

"""The storm: many creates from one source, on real Cinder services."""
