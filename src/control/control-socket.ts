/** The control socket: a Unix socket that only its owner may open, with a bounded number of clients. */

import { chmodSync, lstatSync, mkdirSync, unlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import type { Clock, Logger } from "../bgp/model/ports.ts";
import { ControlConnection } from "./control-connection.ts";
import { type DaemonView, UsageError } from "./views.ts";

const DEFAULT_CLIENTS = 32;
/** A client that has not read for so long gives up its place when somebody else needs it. */
const STALLED_MILLISECONDS = 30_000;
/** sun_path of unix(7) holds 108 bytes with the closing zero. */
const MAX_PATH_BYTES = 107;

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
  const octets = Buffer.byteLength(path);
  if (octets > MAX_PATH_BYTES) {
    throw new UsageError(
      `control socket ${path}: the path has ${octets} bytes, and at most ${MAX_PATH_BYTES} are possible`,
    );
  }
  makeDirectory(dirname(path));
  if (await removeStale(path)) log.info({ socket: path }, "removed the control socket of a process that is gone");
  const clients = new Set<ControlConnection>();
  const server = createServer({ allowHalfOpen: true }, (socket) => accept(socket, clients, options));
  // Those that are being told that there is no room hold a descriptor for a second: they too are bounded.
  server.maxConnections = 4 * (options.maxClients ?? DEFAULT_CLIENTS);
  await listen(server, path);
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

function makeDirectory(directory: string): void {
  const shared = directory.startsWith("/tmp/");
  try {
    mkdirSync(directory, { recursive: true, mode: shared ? 0o700 : 0o755 });
    // In /tmp anybody could have made the directory first and could swap the socket under us.
    const owner = lstatSync(directory).uid;
    if (shared && directory.startsWith("/tmp/starling-") && owner !== process.getuid?.()) {
      throw new UsageError(`${directory} belongs to user ${owner}; name another path with control.socket or --socket`);
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `cannot make the directory ${directory} for the control socket: ${reason(error)}; name another with control.socket or --socket`,
    );
  }
}

/** A socket file that nobody answers on was left behind by a process that died. */
async function removeStale(path: string): Promise<boolean> {
  let isSocket: boolean;
  try {
    isSocket = lstatSync(path).isSocket();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw new UsageError(`cannot use ${path} as the control socket: ${reason(error)}`);
  }
  if (!isSocket) throw new UsageError(`${path} exists and is not a socket; remove it or name another control.socket`);
  const failure = await probe(path);
  if (failure === undefined || failure === "EAGAIN") {
    throw new UsageError(`another starling answers on ${path}; stop it first, or give this one its own control.socket`);
  }
  if (failure !== "ECONNREFUSED" && failure !== "ENOENT") {
    throw new UsageError(`cannot use ${path} as the control socket: ${failure}`);
  }
  if (failure === "ENOENT") return false;
  try {
    unlinkSync(path);
  } catch (error) {
    throw new UsageError(`cannot remove the stale control socket ${path}: ${reason(error)}`);
  }
  return true;
}

/** Undefined when somebody accepts; otherwise the errno's name. */
function probe(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once("error", (error) => resolve(codeOf(error)));
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(new UsageError(`cannot open the control socket ${path}: ${reason(error)}`));
    });
    // bind() happens inside listen(): with this mask there is no moment at which others could connect.
    const mask = process.umask(0o177);
    try {
      server.listen({ path, backlog: 128 }, () => {
        server.removeAllListeners("error");
        resolve();
      });
    } finally {
      process.umask(mask);
    }
    if (server.listening) chmodSync(path, 0o600);
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}

function reason(error: unknown): string {
  switch (codeOf(error)) {
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EROFS":
      return "the file system is read-only";
    case "ENOTDIR":
    case "EEXIST":
      return "a part of the path is not a directory";
    case "ENOSPC":
      return "the file system is full";
    case "EADDRINUSE":
      return "it is in use";
    default:
      return codeOf(error);
  }
}
