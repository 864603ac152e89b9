from tools.series.test import tests_of  # noqa
