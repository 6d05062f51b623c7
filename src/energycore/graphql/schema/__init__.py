"""The GraphQL schema of energycore and its resolvers, over the services."""
