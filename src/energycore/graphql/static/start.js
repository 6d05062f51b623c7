// Starts GraphiQL in the page that energycore.graphql.graphiql makes; its settings are attributes
// of the element that it fills, so that the page needs no inline script.
"use strict";
const place = document.getElementById("graphiql");
// Subscriptions are served at the same place, over graphql-transport-ws.
const socket = new URL(place.dataset.endpoint, window.location.href);
socket.protocol = socket.protocol === "https:" ? "wss:" : "ws:";
ReactDOM.createRoot(place).render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({
      url: place.dataset.endpoint,
      subscriptionUrl: socket.href,
      headers: JSON.parse(place.dataset.headers),
    }),
    defaultQuery: place.dataset.example || undefined,
  }),
);
