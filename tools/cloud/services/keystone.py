# SPDX-License-Identifier: Apache-2.0

"""Keystone, and the users and endpoints in it."""

from cryptography import fernet

from tools.cloud.services import service
from tools.cloud.services.wsgi import WSGIServer

REGION = 'RegionOne'


def failures():
    """Return what a request to an API raises that fails or is refused.

    :returns: tuple of exception classes
    """
    # Not installed where the tests of this run.
    from keystoneauth1 import exceptions as keystone_errors
    from openstack import exceptions

    return exceptions.SDKException, keystone_errors.ClientException


class Keystone(WSGIServer):
    """Keystone with its database, an administrator and itself in it.

    :param site: the tools.cloud.site.Site
    :param database: URL of its database as text
    """

    def __init__(self, site, database):
        self._site = site
        folder = site.folder('keystone')
        # As keystone-manage fernet_setup does, but at once.
        for number in range(2):
            (site.folder('keystone', 'keys') / str(number)).write_bytes(
                fernet.Fernet.generate_key())
        self._config = site.render('keystone.conf', folder / 'keystone.conf',
                                   database=database, folder=folder)
        environment = site.environment(
            OS_KEYSTONE_CONFIG_FILES=self._config)
        super().__init__(site, 'keystone', 'keystone.wsgi.api:application',
                         environment)
        self._made = False

    def credentials(self):
        """Return the administrator's ``OS_*`` variables as a dict."""
        return {'OS_AUTH_URL': f'{self.url}/v3',
                'OS_USERNAME': 'admin',
                'OS_PASSWORD': self._site.password('admin'),
                'OS_PROJECT_NAME': 'admin',
                'OS_USER_DOMAIN_ID': 'default',
                'OS_PROJECT_DOMAIN_ID': 'default',
                'OS_REGION_NAME': REGION,
                'OS_IDENTITY_API_VERSION': '3',
                'OS_VOLUME_API_VERSION': '3'}

    def connect(self):
        """Return an openstack.connection.Connection of the administrator."""
        # Not installed where the tests of this run.
        import openstack

        credentials = self.credentials()
        return openstack.connect(
            load_yaml_config=False, load_envvars=False,
            region_name=credentials.pop('OS_REGION_NAME'),
            auth={name.removeprefix('OS_').lower(): value
                  for name, value in credentials.items()
                  if 'VERSION' not in name})

    def launch(self):
        if not self._made:
            self._manage('db_sync')
            self._manage(
                'bootstrap', '--bootstrap-service-name', 'keystone',
                '--bootstrap-region-id', REGION,
                *(word for interface in ('admin', 'internal', 'public')
                  for word in (f'--bootstrap-{interface}-url',
                               f'{self.url}/v3')))
            self._made = True
        super().launch()

    def _manage(self, command, *arguments):
        service.run(
            f'keystone-manage {command}',
            ['keystone-manage', '--config-file', self._config, command,
             *arguments], self.log,
            {**self._environment,
             'OS_BOOTSTRAP_PASSWORD': self._site.password('admin')})


class Catalog(service.Service):
    """The entry of another service in Keystone: a user and endpoints.

    :param site: the tools.cloud.site.Site
    :param keystone: the Keystone
    :param name: name of the service and its user, as text
    :param kind: type of the service, as text
    :param url: its address as text
    """

    def __init__(self, site, keystone, name, kind, url):
        super().__init__(f'the user and endpoint of {name}')
        self._site = site
        self._keystone = keystone
        self._entry = (name, kind, url)

    def launch(self):
        name, kind, url = self._entry
        with self._keystone.connect() as cloud:
            identity = cloud.identity
            project = identity.create_project(name='service',
                                              domain_id='default')
            user = identity.create_user(
                name=name, password=self._site.password(f'{name}-user'),
                domain_id='default', default_project_id=project.id)
            for role in ('admin', 'service'):
                role = identity.find_role(role) or identity.create_role(
                    name=role)
                identity.assign_project_role_to_user(project, user, role)
            entry = identity.create_service(name=name, type=kind)
            for interface in ('admin', 'internal', 'public'):
                identity.create_endpoint(
                    service_id=entry.id, region_id=REGION,
                    interface=interface, url=url)
