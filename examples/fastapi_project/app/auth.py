"""Who asks: customers with a token, in a table of the project's own beside those of energycore."""

import secrets
from collections.abc import Iterable
from hashlib import sha256
from typing import Self

from fastapi import HTTPException
from fastapi.requests import HTTPConnection
from fastapi.security.utils import get_authorization_scheme_param
from sqlalchemy import String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.schema import CreateTable

from app.settings import Settings
from energycore import Scope

__all__ = ["Customer", "Customers"]


class Base(DeclarativeBase):
    """The tables of this project."""


class Customer(Base):
    """Somebody who may see one tenant's homes."""

    __tablename__ = "customer"

    tenant: Mapped[str] = mapped_column(String(200), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)


class Customers:
    """The customers in the database; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        url = settings.database_url.get_secret_value()
        self._engine = create_engine(url, hide_parameters=True, pool_pre_ping=True)
        with self._engine.begin() as connection:
            # A project that grows has migrations instead.
            connection.execute(CreateTable(Base.metadata.tables["customer"], if_not_exists=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    def new_token(self, tenant: str) -> str:
        """Make a token for a customer, who may be new; an older one is worth nothing then."""
        token = secrets.token_urlsafe(32)
        with Session(self._engine) as session:
            session.merge(Customer(tenant=tenant, token_hash=_hash(token)))
            session.commit()
        return token

    def tenants(self) -> Iterable[str]:
        """Whose devices tick."""
        with Session(self._engine) as session:
            return session.scalars(select(Customer.tenant)).all()

    def scope_of(self, connection: HTTPConnection) -> Scope:
        """Whose homes a request may see."""
        given = connection.headers.get("authorization")
        scheme, token = get_authorization_scheme_param(given)
        if scheme.lower() == "bearer":
            with Session(self._engine) as session:
                known = select(Customer.tenant).where(Customer.token_hash == _hash(token))
                if (tenant := session.scalar(known)) is not None:
                    return Scope(tenant)
        raise HTTPException(
            status_code=401,
            detail="send a token, as in Authorization: Bearer TOKEN",
            headers={"WWW-Authenticate": "Bearer"},
        )


def _hash(token: str) -> str:
    # A token is long and random: unlike a password it needs no slow hash.
    return sha256(token.encode()).hexdigest()
