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

"""A WSGI application of OpenStack, served by uWSGI."""

import requests

from cloud import service
from cloud import site as sites


class WSGIServer(service.Command):
    """A WSGI application on a free port.

    :param site: the cloud.site.Site
    :param name: its name as text
    :param module: its module, which has an ``application``, as text
    :param environment: dict of its environment
    :param arguments: text that becomes the arguments of its program
    :ivar url: its address as text, without a slash at the end
    """

    def __init__(self, site, name, module, environment, arguments=''):
        port = site.port()
        folder = site.folder('uwsgi')
        self.url = f'http://{sites.ADDRESS}:{port}'
        super().__init__(
            name,
            ['uwsgi', '--ini', site.render(
                'uwsgi.ini', folder / f'{name}.ini', port=port,
                module=module, arguments=arguments)],
            site.log(name), environment, folder, self._get)

    def _get(self):
        if requests.get(self.url, timeout=30).status_code >= 500:
            raise ValueError(f'{self.name} is not ready')
