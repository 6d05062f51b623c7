"""The helpers of the tests keep their own promises."""

import pytest
import sqlalchemy as sa

from tests.support import postgresql


def test_each_test_gets_an_empty_database_that_is_gone_afterwards(postgresql_server):
    with postgresql.new_database(postgresql_server) as url:
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            assert sa.inspect(connection).get_table_names() == []
            name = connection.scalar(sa.text("SELECT current_database()"))
            connection.execute(sa.text("CREATE TABLE reading (at bigint)"))
        # The pool still holds a connection: dropping must not wait for it.
    engine.dispose()
    rest = sa.create_engine(postgresql_server)
    with rest.connect() as connection:
        names = connection.scalars(sa.text("SELECT datname FROM pg_database")).all()
    rest.dispose()
    assert name.startswith("energycore_test_")
    assert name not in names


def test_without_a_named_server_one_is_started_and_stopped(monkeypatch):
    monkeypatch.delenv(postgresql.VARIABLE, raising=False)
    try:
        with postgresql.server() as url, postgresql.new_database(url) as own:
            engine = sa.create_engine(own)
            with engine.connect() as connection:
                assert connection.scalar(sa.text("SELECT 1")) == 1
            engine.dispose()
    except postgresql.NoServer as reason:
        pytest.skip(str(reason))
    with pytest.raises(sa.exc.OperationalError), sa.create_engine(url).connect():
        pass


def test_without_any_server_the_message_says_what_to_do(monkeypatch):
    monkeypatch.delenv(postgresql.VARIABLE, raising=False)
    monkeypatch.setattr(postgresql, "programs", lambda: None)
    monkeypatch.setattr(postgresql, "WHEELS", ())
    with pytest.raises(postgresql.NoServer, match="set ENERGYCORE_TEST_"), postgresql.server():
        pass
