/** What a scenario is: cases with parameters, each prepared once and then run with every daemon in every round. */

import type { Daemon, FamilyName, Network, NetworkPeer } from "../daemons/daemon.ts";
import type { Figures } from "../figures.ts";
import type { Namespace } from "../namespace.ts";
import type { NativeTools } from "../native/build.ts";

/** Given by name: K=1000, family=ipv6. */
export type Parameters = Readonly<Record<string, number | string>>;

export interface Scenario {
  readonly name: string;
  /** One line for --help, with its parameters. */
  readonly summary: string;
  /** Values of the parameters that a case leaves out; there are no others. */
  readonly defaults: Parameters;
  readonly cases: { readonly small: readonly Parameters[]; readonly full: readonly Parameters[] };
  /** Reads parameters, encodes what will be sent. Throws a BenchError where that cannot be. */
  prepare(parameters: Parameters, folder: string): Promise<PreparedCase>;
}

export interface PreparedCase {
  /** Said once, before the runs. */
  readonly notes: readonly string[];
  /** Why a daemon has no part in it; undefined where it has, or where all have. */
  readonly cannot?: (daemon: Daemon) => string | undefined;
  run(context: DaemonContext): Promise<Outcome>;
  /** What else is measured in each round. */
  readonly beside?: readonly Companion[];
}

/** A program that is no daemon, to compare with. */
export interface Companion {
  readonly name: string;
  run(context: RunContext): Promise<Outcome>;
}

export interface RunContext {
  readonly namespace: Namespace;
  /** Empty, and this run's alone. */
  readonly folder: string;
  readonly tools: NativeTools;
  /** Aborted when the run's time is over. */
  readonly signal: AbortSignal;
}

export interface DaemonContext extends RunContext {
  readonly daemon: Daemon;
}

export interface Outcome {
  readonly figures: Figures;
  readonly notes: readonly string[];
}

export const AS_NUMBER = 65_000;

/** A network of internal peers on loopback addresses of their own: clients, after them peers that are none. */
export function internalNetwork(families: readonly FamilyName[], clients: number, others = 0): Network {
  const peers: NetworkPeer[] = [];
  for (let i = 0; i < clients + others; i++) {
    peers.push({ address: peerAddress(i), asNumber: AS_NUMBER, isClient: i < clients });
  }
  return { asNumber: AS_NUMBER, routerId: "10.0.0.1", address: "127.0.0.1", port: 179, families, peers, kernel: false };
}

/** 127.1.0.1 and up. */
export function peerAddress(index: number): string {
  return `127.1.${lastOctets(index)}`;
}

/** 10.1.0.1 and up: its next hop, too. */
export function peerRouterId(index: number): string {
  return `10.1.${lastOctets(index)}`;
}

function lastOctets(index: number): string {
  return `${(index + 1) >>> 8}.${(index + 1) & 255}`;
}

/** A parameter that is a whole number. */
export function numberOf(parameters: Parameters, name: string): number {
  return Number(parameters[name]);
}
