/** What a reload does: the difference of two configurations, in terms of what it costs whom. */

import { isDeepStrictEqual } from "node:util";
import { formatPrefix, type Prefix } from "../bgp/model/prefix.ts";
import type { Config, FamilyConfig, PeerConfig } from "./model.ts";
import { writtenForm, writtenPeer } from "./written-form.ts";

export interface PeerChange {
  readonly peer: PeerConfig;
  readonly previous: PeerConfig;
  /** The session ends and begins again; otherwise it stays. */
  readonly restart: boolean;
  /** Its routes need its import policies again (ROUTE-REFRESH or what Adj-RIB-In kept). */
  readonly refreshIn: boolean;
  /** Its Adj-RIB-Out must be computed again. */
  readonly refreshOut: boolean;
  /** In words: "hold 90s -> 30s". */
  readonly reasons: readonly string[];
}

export interface ConfigDiff {
  readonly added: readonly PeerConfig[];
  readonly removed: readonly PeerConfig[];
  readonly changed: readonly PeerChange[];
  /** AS number or router id: every session restarts, each is in `changed`. */
  readonly speaker: boolean;
  readonly listen: boolean;
  readonly originate: boolean;
  readonly aggregates: boolean;
  /** Only `maxPaths`: the decision process runs again over what is there. */
  readonly maxPaths: boolean;
  /** Anything else of `kernel`: the kernel's side is built anew, and what the old one owned is adopted or removed. */
  readonly kernel: boolean;
  readonly http: boolean;
  readonly control: boolean;
  readonly log: boolean;
  /** For people, one line each; empty if nothing differs. */
  readonly lines: readonly string[];
}

export function diffConfig(previous: Config, next: Config): ConfigDiff {
  const before = new Map(previous.peers.map((peer) => [peer.name, peer]));
  const after = new Map(next.peers.map((peer) => [peer.name, peer]));
  const added = next.peers.filter((peer) => !before.has(peer.name));
  const removed = previous.peers.filter((peer) => !after.has(peer.name));
  const changed = next.peers.flatMap((peer) => {
    const old = before.get(peer.name);
    return old === undefined ? [] : (changeOf(old, peer, previous, next) ?? []);
  });
  const differs = (key: keyof Config) => !isDeepStrictEqual(previous[key], next[key]);
  const { maxPaths: pathsBefore, ...kernelBefore } = previous.kernel;
  const { maxPaths: pathsAfter, ...kernelAfter } = next.kernel;
  const diff = {
    added,
    removed,
    changed,
    speaker: differs("asNumber") || differs("routerId"),
    listen: differs("listen"),
    originate: differs("originate"),
    aggregates: differs("aggregates"),
    maxPaths: pathsBefore !== pathsAfter,
    kernel: !isDeepStrictEqual(kernelBefore, kernelAfter),
    http: differs("http"),
    control: differs("controlSocket"),
    log: differs("log"),
  };
  return { ...diff, lines: [...globalLines(previous, next), ...peerLines(diff)] };
}

type Effect = "restart" | "in" | "out" | "soft";

/** What a change of each key costs; "nested" keys are told apart below. The type makes every new key choose. */
const EFFECTS: Readonly<Record<keyof PeerConfig, Effect | "nested" | "none">> = {
  name: "none",
  source: "none",
  remote: "restart",
  port: "restart",
  asNumber: "restart",
  localAsNumber: "restart",
  internal: "restart",
  localAddress: "restart",
  passive: "restart",
  enabled: "soft",
  password: "restart",
  ttl: "restart",
  ttlSecurity: "restart",
  routeReflectorClient: "restart",
  clusterId: "restart",
  nextHop: "out",
  families: "nested",
  timers: "nested",
  gracefulRestart: "restart",
  allowLocalAs: "in",
  removePrivateAs: "out",
  asOverride: "out",
  role: "restart",
  capabilities: "restart",
  import: "in",
  export: "out",
};

function changeOf(old: PeerConfig, peer: PeerConfig, before: Config, after: Config): PeerChange | undefined {
  const effects = new Set<Effect>();
  for (const key of Object.keys(EFFECTS) as (keyof PeerConfig)[]) {
    if (isDeepStrictEqual(old[key], peer[key])) continue;
    const effect = EFFECTS[key];
    if (effect === "nested") for (const one of nestedEffects(key, old, peer)) effects.add(one);
    else if (effect !== "none") effects.add(effect);
  }
  const reasons = inWords(old, peer);
  if (before.routerId !== after.routerId) {
    effects.add("restart");
    reasons.unshift("the router id changed");
  }
  for (const [direction, effect] of [["import", "in"] as const, ["export", "out"] as const]) {
    const policies = peer[direction].filter(
      (name) => old[direction].includes(name) && before.policies[name]?.definition !== after.policies[name]?.definition,
    );
    if (policies.length > 0) {
      effects.add(effect);
      reasons.push(`${direction} policy ${policies.join(", ")} changed`);
    }
  }
  if (effects.size === 0) return undefined;
  const restart = effects.has("restart");
  return {
    peer,
    previous: old,
    restart,
    refreshIn: !restart && effects.has("in"),
    refreshOut: !restart && effects.has("out"),
    reasons,
  };
}

function nestedEffects(key: keyof PeerConfig, old: PeerConfig, peer: PeerConfig): readonly Effect[] {
  if (key === "timers") {
    const offered =
      old.timers.holdMilliseconds !== peer.timers.holdMilliseconds ||
      old.timers.keepaliveMilliseconds !== peer.timers.keepaliveMilliseconds;
    return offered ? ["restart"] : ["soft"];
  }
  const negotiated = (families: readonly FamilyConfig[]) =>
    families.map(({ family, addPath, extendedNextHop }) => ({ family, addPath, extendedNextHop }));
  return isDeepStrictEqual(negotiated(old.families), negotiated(peer.families)) ? ["soft"] : ["restart"];
}

/** Compared in the words of the file; a changed password shows only here that it changed. */
function inWords(old: PeerConfig, peer: PeerConfig): string[] {
  const reasons = differences(writtenPeer(old), writtenPeer(peer));
  const both = old.password !== undefined && peer.password !== undefined;
  if (both && old.password !== peer.password) reasons.push("the password changed");
  return reasons;
}

function differences(old: object, next: object, prefix = ""): string[] {
  const before = old as Readonly<Record<string, unknown>>;
  const after = next as Readonly<Record<string, unknown>>;
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) => {
    const [a, b] = [before[key], after[key]];
    if (isDeepStrictEqual(a, b)) return [];
    const name = `${prefix}${key}`;
    if (isMapping(a) && isMapping(b)) return differences(a, b, `${name}.`);
    const [from, to] = [wordOf(a), wordOf(b)];
    return from.length + to.length > 120 ? [`${name} changed`] : [`${name} ${from} -> ${to}`];
  });
}

function isMapping(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wordOf(value: unknown): string {
  if (value === null || value === undefined) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Everything but the peers, whose lines say what happens to each. */
function globalLines(previous: Config, next: Config): readonly string[] {
  const { peers: _p, originate: _o, aggregates: _a, ...old } = writtenForm(previous);
  const { peers: _q, originate: _r, aggregates: _b, ...now } = writtenForm(next);
  return [
    ...differences(old, now),
    ...prefixLines("originate", previous.originate, next.originate),
    ...prefixLines("aggregates", previous.aggregates, next.aggregates),
  ];
}

function prefixLines(
  key: string,
  previous: readonly { readonly prefix: Prefix }[],
  next: readonly { readonly prefix: Prefix }[],
): readonly string[] {
  const before = new Map(previous.map((entry) => [formatPrefix(entry.prefix), entry]));
  const after = new Map(next.map((entry) => [formatPrefix(entry.prefix), entry]));
  const shared = [...after.keys()].filter((prefix) => before.has(prefix));
  return [
    listLine(
      `${key} removed`,
      [...before.keys()].filter((prefix) => !after.has(prefix)),
    ),
    listLine(
      `${key} added`,
      [...after.keys()].filter((prefix) => !before.has(prefix)),
    ),
    listLine(
      `${key} changed`,
      shared.filter((prefix) => !isDeepStrictEqual(before.get(prefix), after.get(prefix))),
    ),
  ].flat();
}

function listLine(what: string, prefixes: readonly string[]): readonly string[] {
  if (prefixes.length === 0) return [];
  const shown = prefixes.slice(0, 5).join(", ");
  return [`${what}: ${shown}${prefixes.length > 5 ? ` and ${prefixes.length - 5} more` : ""}`];
}

function peerLines(diff: Pick<ConfigDiff, "added" | "removed" | "changed">): readonly string[] {
  return [
    ...diff.removed.map((peer) => `peer ${peer.name}: removed`),
    ...diff.added.map((peer) => `peer ${peer.name}: added`),
    ...diff.changed.map(({ peer, restart, refreshIn, refreshOut, reasons }) => {
      const refreshed = [...(refreshIn ? ["refreshed in"] : []), ...(refreshOut ? ["refreshed out"] : [])];
      const what = restart ? "restarted" : refreshed.length > 0 ? refreshed.join(" and ") : "updated";
      return `peer ${peer.name}: ${what} (${reasons.join("; ")})`;
    }),
  ];
}
