# SPDX-License-Identifier: Apache-2.0

"""A WSGI application of OpenStack, served by uWSGI."""

import requests

from tools.cloud.services import service
from tools.cloud import site as sites


class WSGIServer(service.Daemon):
    """A WSGI application on a free port.

    :param site: the tools.cloud.site.Site
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
