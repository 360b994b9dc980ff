/** BIRD's control socket: `bird.ctl` or `bird6.ctl`, for BIRD's clients and for whatever reads BIRD's answers. */

import { createServer, type Socket } from "node:net";
import type { Clock, Logger } from "../../bgp/model/ports.ts";
import { listenAt } from "../unix-socket.ts";
import { BirdConnection } from "./bird-connection.ts";
import type { BirdFamily, BirdView } from "./bird-view.ts";
import { Code, Reply } from "./reply.ts";

const DEFAULT_CLIENTS = 64;
/** A client that has not read, or not asked, for so long gives up its place when somebody else needs it. */
const STALLED_MILLISECONDS = 30_000;
const IDLE_MILLISECONDS = 60_000;
/** BIRD's own: whoever may act for its user or group. */
const MODE = 0o660;

export interface BirdSocketOptions {
  readonly path: string;
  readonly family: BirdFamily;
  readonly view: BirdView;
  /** As `show status` names it. */
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly maxClients?: number;
}

export interface BirdSocket {
  readonly path: string;
  /** Drops the clients and removes the socket file. Idempotent. */
  close(): Promise<void>;
}

/** Throws UsageError, with what to do, when the path cannot be had. */
export async function openBirdSocket(options: BirdSocketOptions): Promise<BirdSocket> {
  const { path, family, log } = options;
  const clients = new Set<BirdConnection>();
  const server = createServer({ allowHalfOpen: true }, (socket) => accept(socket, clients, options));
  // Those that are being told that there is no room hold a descriptor for a moment: they too are bounded.
  server.maxConnections = 2 * (options.maxClients ?? DEFAULT_CLIENTS);
  const key = family === "ipv4" ? "control.birdSocket" : "control.bird6Socket";
  const wasStale = await listenAt(server, {
    path,
    what: "BIRD control socket",
    rival: "BIRD or another starling",
    key,
    mode: MODE,
  });
  if (wasStale) log.info({ socket: path }, "removed the BIRD control socket of a process that is gone");
  server.on("error", (error) => log.error({ err: error, socket: path }, "BIRD control socket failed"));
  return {
    path,
    async close(): Promise<void> {
      for (const client of clients) client.close();
      if (!server.listening) return;
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function accept(socket: Socket, clients: Set<BirdConnection>, options: BirdSocketOptions): void {
  const { view, family, version, clock, log, maxClients = DEFAULT_CLIENTS } = options;
  if (clients.size >= maxClients && !dropOne(clients)) {
    socket.on("error", () => undefined);
    socket.resume();
    socket.end(new Reply().end({ code: Code.Wrong, text: `starling serves ${maxClients} clients here already` }), () =>
      socket.destroy(),
    );
    return;
  }
  const at = { view, family, version, now: () => clock.wallTime(), isRestricted: false };
  const client = new BirdConnection(socket, at, clock, log, () => clients.delete(client));
  clients.add(client);
}

/** Whoever holds a place without use of it for the longest. */
function dropOne(clients: Set<BirdConnection>): boolean {
  const worst =
    longest(clients, (client) => client.stalledFor, STALLED_MILLISECONDS) ??
    longest(clients, (client) => client.idleFor, IDLE_MILLISECONDS);
  if (worst === undefined) return false;
  worst.close();
  clients.delete(worst);
  return true;
}

function longest(
  clients: Set<BirdConnection>,
  of: (client: BirdConnection) => number,
  atLeast: number,
): BirdConnection | undefined {
  let worst: BirdConnection | undefined;
  for (const client of clients)
    if (of(client) >= atLeast && of(client) > (worst === undefined ? 0 : of(worst))) worst = client;
  return worst;
}
