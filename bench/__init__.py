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

"""What Cinder's reader-writer locks on files cost, held against bounds.

Run as ``python -m bench --tree TREE``. Whatever is compared is timed in one
run, turn by turn, and judged by the ratio, so the figures of a slow or busy
machine and of a fast one are alike. The one bound in milliseconds is that of
a hand-over, which is a requirement.
"""
