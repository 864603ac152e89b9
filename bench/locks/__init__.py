#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""What read and write locks cost on each backend, on real servers.

Run as ``python -m bench.locks --tree TREE``. Each server is started once.
Whatever is compared is timed on the same server, turn by turn, and judged by
the ratio, so a slow machine and a fast one come to the same verdict. Round
trips are counted on the wire. The result is a page for Cinder's documentation
with a chart beside it.
"""
