// The official client of graphql-transport-ws, led over standard input and output: each line that
// comes in is a command, each line that goes out is something that happened, both as JSON.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.cwd()}/`);
const { createClient } = require("graphql-ws");
const WebSocket = require("ws");

const options = JSON.parse(process.argv[2]);
const tell = (event, more = {}) => console.log(JSON.stringify({ event, ...more }));

class Socket extends WebSocket {
  constructor(address, protocols) {
    super(address, options.protocols ?? protocols, { headers: options.headers ?? {} });
  }
}

let socket;
let reconnect;
const mayReconnect = new Promise((resolve) => {
  reconnect = resolve;
});
const client = createClient({
  url: options.url,
  webSocketImpl: Socket,
  connectionParams: options.connectionParams,
  keepAlive: options.keepAlive ?? 0,
  retryAttempts: options.retryAttempts ?? 0,
  retryWait: () => mayReconnect,
  shouldRetry: () => true,
  lazy: options.lazy ?? true,
  onNonLazyError: (error) => tell("failed", { code: error.code, reason: error.reason }),
  on: {
    connected: (opened) => {
      socket = opened;
      tell("connected");
    },
    closed: (event) => tell("closed", { code: event.code, reason: event.reason }),
    ping: (received) => tell("ping", { received }),
    pong: (received) => tell("pong", { received }),
  },
});

const ends = new Map();
const commands = {
  subscribe({ id, query, variables }) {
    const end = client.subscribe(
      { query, variables },
      {
        next: (value) => tell("next", { id, value }),
        error: (error) =>
          tell("error", {
            id,
            errors: Array.isArray(error) ? error : null,
            code: error.code ?? null,
          }),
        complete: () => tell("complete", { id }),
      },
    );
    ends.set(id, end);
  },
  end: ({ id }) => ends.get(id)(),
  cut: () => socket.terminate(),
  reconnect: () => reconnect(),
};

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const command = JSON.parse(line);
    commands[command.do](command);
  })
  .on("close", () => process.exit(0));
tell("ready");
