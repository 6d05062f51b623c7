"""Opening a channel by its URL."""

from urllib.parse import urlsplit

from energycore.channels.local import LocalChannel
from energycore.errors import UnsupportedChannel
from energycore.protocols.channel import Channel

__all__ = ["check_channel_url", "open_channel"]

_SCHEMES = ("redis", "rediss", "unix")


def open_channel(url: str | None) -> Channel:
    """Open a channel.

    Args:
        url: `redis://host:6379/0`, `rediss://...` or `unix:///path?db=0` for one between
            processes; None for one within this process.

    Raises:
        UnsupportedChannel: there is no channel of such a URL.
        MissingExtra: its client is not installed.
    """
    if url is None:
        return LocalChannel()
    check_channel_url(url)
    from energycore.channels.redis import RedisChannel

    return RedisChannel(url)


def check_channel_url(url: str) -> None:
    """Refuse what cannot be the URL of a channel, without connecting.

    Raises:
        UnsupportedChannel: there is no channel of such a URL; the message has no password.
    """
    if urlsplit(url).scheme not in _SCHEMES:
        # Without what follows, which may be a password.
        begins = url.partition(":")[0][:20]
        raise UnsupportedChannel(f"the URL of a channel begins with redis://, not {begins!r}")
