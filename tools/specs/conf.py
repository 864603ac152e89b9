# SPDX-License-Identifier: Apache-2.0

"""What Sphinx needs to build the specification as cinder-specs does."""

project = 'Cinder Specs'
copyright = 'OpenStack Cinder Team'
extensions = ['openstackdocstheme', 'sphinx.ext.todo', 'yasfb']
html_theme = 'openstackdocs'
exclude_patterns = ['README.rst']

openstackdocs_repo_name = 'openstack/cinder-specs'
openstackdocs_auto_name = False

feed_base_url = 'https://specs.openstack.org/openstack/cinder-specs'
feed_author = project
