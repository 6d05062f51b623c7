"""The GraphQL interface of energycore: schema, documents and the HTTP engine without I/O."""
