/** The control socket: a Unix socket that only its owner may open, with a bounded number of clients. */

import { createServer, type Socket } from "node:net";
import type { Clock, Logger } from "../bgp/model/ports.ts";
import { ControlConnection } from "./control-connection.ts";
import { listenAt } from "./unix-socket.ts";
import type { DaemonView } from "./views.ts";

const DEFAULT_CLIENTS = 32;
/** A client that has not read for so long gives up its place when somebody else needs it. */
const STALLED_MILLISECONDS = 30_000;

export interface ControlSocketOptions {
  readonly path: string;
  readonly view: DaemonView;
  readonly clock: Clock;
  readonly log: Logger;
  readonly maxClients?: number;
}

export interface ControlSocket {
  readonly path: string;
  /** Drops the clients and removes the socket file. Idempotent. */
  close(): Promise<void>;
}

/** Throws UsageError, with what to do, when the path cannot be had. */
export async function openControlSocket(options: ControlSocketOptions): Promise<ControlSocket> {
  const { path, log } = options;
  const clients = new Set<ControlConnection>();
  const server = createServer({ allowHalfOpen: true }, (socket) => accept(socket, clients, options));
  // Those that are being told that there is no room hold a descriptor for a second: they too are bounded.
  server.maxConnections = 4 * (options.maxClients ?? DEFAULT_CLIENTS);
  const wasStale = await listenAt(server, { path, what: "control socket", key: "control.socket or --socket" });
  if (wasStale) log.info({ socket: path }, "removed the control socket of a process that is gone");
  server.on("error", (error) => log.error({ err: error, socket: path }, "control socket failed"));
  return {
    path,
    async close(): Promise<void> {
      for (const client of clients) client.close();
      if (!server.listening) return;
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function accept(socket: Socket, clients: Set<ControlConnection>, options: ControlSocketOptions): void {
  const { view, clock, log, maxClients = DEFAULT_CLIENTS } = options;
  if (clients.size >= maxClients && !dropMostStalled(clients)) {
    const refused = new ControlConnection(socket, view, clock, log, () => undefined);
    refused.refuse("busy", `starling serves ${maxClients} control clients already; try again in a moment`);
    return;
  }
  const client = new ControlConnection(socket, view, clock, log, () => clients.delete(client));
  clients.add(client);
}

function dropMostStalled(clients: Set<ControlConnection>): boolean {
  let worst: ControlConnection | undefined;
  for (const client of clients) {
    if (client.stalledFor >= STALLED_MILLISECONDS && client.stalledFor > (worst?.stalledFor ?? 0)) worst = client;
  }
  if (worst === undefined) return false;
  worst.close();
  clients.delete(worst);
  return true;
}
