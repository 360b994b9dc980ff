/** A Unix socket at a path of its own: made for its owner alone from the first moment, in the place of one that a dead process left. */

import { chmodSync, lstatSync, mkdirSync, unlinkSync } from "node:fs";
import { connect, type Server } from "node:net";
import { dirname } from "node:path";
import { UsageError } from "./views.ts";

/** sun_path of unix(7) holds 108 bytes with the closing zero. */
const MAX_PATH_BYTES = 107;

export interface UnixSocketOptions {
  readonly path: string;
  /** "control socket", for messages. */
  readonly what: string;
  /** Who else may be there; default another starling. */
  readonly rival?: string;
  /** The key that names another path. */
  readonly key: string;
  /** Who may open it; default its owner alone. */
  readonly mode?: number;
}

/** Has the server listen there. True if a stale socket had to go. Throws UsageError, with what to do, when the path cannot be had. */
export async function listenAt(server: Server, options: UnixSocketOptions): Promise<boolean> {
  const { path, what } = options;
  const octets = Buffer.byteLength(path);
  if (octets > MAX_PATH_BYTES) {
    throw new UsageError(`${what} ${path}: the path has ${octets} bytes, and at most ${MAX_PATH_BYTES} are possible`);
  }
  makeDirectory(dirname(path), options);
  const wasStale = await removeStale(options);
  await listen(server, options);
  return wasStale;
}

function makeDirectory(directory: string, { what, key }: UnixSocketOptions): void {
  const shared = directory.startsWith("/tmp/");
  try {
    mkdirSync(directory, { recursive: true, mode: shared ? 0o700 : 0o755 });
    // In /tmp anybody could have made the directory first and could swap the socket under us.
    const owner = lstatSync(directory).uid;
    if (shared && directory.startsWith("/tmp/starling-") && owner !== process.getuid?.()) {
      throw new UsageError(`${directory} belongs to user ${owner}; name another path with ${key}`);
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `cannot make the directory ${directory} for the ${what}: ${reason(error)}; name another with ${key}`,
    );
  }
}

/** A socket file that nobody answers on was left behind by a process that died. */
async function removeStale({ path, what, key, rival = "another starling" }: UnixSocketOptions): Promise<boolean> {
  let isSocket: boolean;
  try {
    isSocket = lstatSync(path).isSocket();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw new UsageError(`cannot use ${path} as the ${what}: ${reason(error)}`);
  }
  if (!isSocket) throw new UsageError(`${path} exists and is not a socket; remove it or name another ${key}`);
  const failure = await probe(path);
  if (failure === undefined || failure === "EAGAIN") {
    throw new UsageError(`${rival} answers on ${path}; stop it first, or give this one a path of its own with ${key}`);
  }
  if (failure !== "ECONNREFUSED" && failure !== "ENOENT") {
    throw new UsageError(`cannot use ${path} as the ${what}: ${failure}`);
  }
  if (failure === "ENOENT") return false;
  try {
    unlinkSync(path);
  } catch (error) {
    throw new UsageError(`cannot remove the stale ${what} ${path}: ${reason(error)}`);
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

function listen(server: Server, { path, what, mode = 0o600 }: UnixSocketOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(new UsageError(`cannot open the ${what} ${path}: ${reason(error)}`));
    });
    // bind() happens inside listen(): with this mask there is no moment at which others could connect.
    const mask = process.umask(0o777 & ~mode);
    try {
      server.listen({ path, backlog: 128 }, () => {
        server.removeAllListeners("error");
        resolve();
      });
    } finally {
      process.umask(mask);
    }
    if (server.listening) chmodSync(path, mode);
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
