import pytest

from tests.fakes.daemon import daemon_process, serving, short_folder


@pytest.fixture
def folder():
    with short_folder() as made:
        yield made


@pytest.fixture(scope="module")
def client():
    """A client of a daemon with fake pipelines in this process, shared by a module's tests."""
    with short_folder() as made, serving(made) as found:
        yield found


@pytest.fixture(scope="module")
def daemon():
    """A daemon of fakes as a process, shared by a module's tests."""
    with short_folder() as made, daemon_process(made) as found:
        yield found
