"""Every channel keeps the contract."""

import pytest

from energycore.channels import LocalChannel, open_channel
from energycore.errors import UnsupportedChannel
from energycore.testing import ChannelContract


class TestLocal(ChannelContract):
    @pytest.fixture
    def here(self):
        channel = LocalChannel()
        yield channel
        channel.close()

    @pytest.fixture
    def there(self, here):
        return here


class TestRedis(ChannelContract):
    @pytest.fixture
    def here(self, redis_url):
        channel = open_channel(redis_url)
        yield channel
        channel.close()

    @pytest.fixture
    def there(self, redis_url):
        channel = open_channel(redis_url)
        yield channel
        channel.close()


@pytest.mark.parametrize(
    "url", ["kafka://host", "http://user:secret@host/", "redis", "redis://host:port"]
)
def test_another_url_is_refused_without_a_password(url):
    with pytest.raises(UnsupportedChannel) as refused:
        open_channel(url)
    assert "secret" not in str(refused.value)
