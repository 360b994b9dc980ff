/** Where the control socket is when nobody names it: the one rule that daemon and client share. */

import { accessSync, constants } from "node:fs";
import { join } from "node:path";

export const SYSTEM_SOCKET = "/run/starling/starling.sock";

export interface SocketPathFacts {
  readonly uid: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** This process may make files in that directory. */
  readonly writable: (directory: string) => boolean;
}

/**
 * /run/starling for root, and for a service user whom root gave that directory; otherwise the user's own runtime directory, or
 * one in /tmp that carries the user's number.
 */
export function defaultSocketPath(facts: SocketPathFacts = socketPathFacts(process.env)): string {
  if (facts.uid === 0 || facts.writable("/run/starling")) return SYSTEM_SOCKET;
  const runtime = facts.environment["XDG_RUNTIME_DIR"];
  if (runtime?.startsWith("/") && facts.writable(runtime)) return join(runtime, "starling.sock");
  return `/tmp/starling-${facts.uid}/starling.sock`;
}

/** The client's choice: --socket, else STARLING_SOCKET, else the default. */
export function clientSocketPath(option: string | undefined, facts: SocketPathFacts): string {
  return option ?? (facts.environment["STARLING_SOCKET"] || undefined) ?? defaultSocketPath(facts);
}

export function socketPathFacts(environment: SocketPathFacts["environment"]): SocketPathFacts {
  return { uid: process.getuid?.() ?? 0, environment, writable: isWritable };
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
