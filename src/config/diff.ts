/** What a reload does: the difference of two configurations, in terms of what it costs whom. */

import { isDeepStrictEqual } from "node:util";
import { formatPrefix, type Prefix } from "../bgp/model/prefix.ts";
import { differences, listLine } from "./differences.ts";
import { matchPeers } from "./match-peers.ts";
import type { Config, PeerConfig, PolicyConfig } from "./model.ts";
import { effectsOf } from "./peer-effects.ts";
import { writtenForm, writtenPeer } from "./written-form.ts";

export interface PeerChange {
  readonly peer: PeerConfig;
  /** It may have had another name. */
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
  /** AS number or router id: every session whose OPEN is another restarts, each is in `changed`. */
  readonly speaker: boolean;
  readonly listen: boolean;
  readonly originate: boolean;
  readonly aggregates: boolean;
  /** What of `kernel` is the tables' business: the decision process runs again over what is there. */
  readonly tables: boolean;
  /** Which routes and prefixes of the machine are learnt: taken over at once. */
  readonly learning: boolean;
  /** Anything else of `kernel`: the kernel's side is built anew, and what the old one owned is adopted or removed. */
  readonly kernel: boolean;
  readonly http: boolean;
  readonly control: boolean;
  readonly log: boolean;
  /** For people, one line each; empty if nothing differs. */
  readonly lines: readonly string[];
}

export function diffConfig(previous: Config, next: Config): ConfigDiff {
  const steps = diffInSteps(previous, next);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** One step a peer that differs: for a daemon that runs, and that does something else in between. */
export function* diffInSteps(previous: Config, next: Config): Generator<undefined, ConfigDiff> {
  const { added, removed, pairs } = yield* matchPeers(previous.peers, next.peers);
  const policies = changedPolicies(previous.policies, next.policies);
  const newRouterId = previous.routerId !== next.routerId;
  const changed: PeerChange[] = [];
  for (const { old, peer } of [...pairs, ...touched(previous, next, policies, newRouterId)]) {
    const change = changeOf(old, peer, policies, newRouterId);
    if (change !== undefined) changed.push(change);
    yield;
  }
  const differs = (key: keyof Config) => previous[key] !== next[key] && !isDeepStrictEqual(previous[key], next[key]);
  const before = partsOfKernel(previous);
  const after = partsOfKernel(next);
  const diff = {
    added,
    removed,
    changed: changed.sort((a, b) => (a.peer.name < b.peer.name ? -1 : 1)),
    speaker: differs("asNumber") || newRouterId,
    listen: differs("listen"),
    originate: differs("originate"),
    aggregates: differs("aggregates"),
    tables: !isDeepStrictEqual(before.tables, after.tables),
    learning: !isDeepStrictEqual(before.learning, after.learning),
    kernel: !isDeepStrictEqual(before.rest, after.rest),
    http: differs("http"),
    control: differs("controlSocket"),
    log: differs("log"),
  };
  return { ...diff, lines: [...globalLines(previous, next, policies), ...peerLines(diff)] };
}

function partsOfKernel({ kernel }: Config): { tables: object; learning: object; rest: object } {
  const { maxPaths, rules, priorities, learn, excludeInterfaces, ...rest } = kernel;
  return { tables: { maxPaths, rules, priorities }, learning: { learn, excludeInterfaces }, rest };
}

/** Names whose policy does something else than before. */
function changedPolicies(before: Config["policies"], after: Config["policies"]): ReadonlySet<string> {
  if (before === after) return new Set();
  const same = (a: PolicyConfig | undefined, b: PolicyConfig | undefined) => a === b || a?.definition === b?.definition;
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return new Set([...names].filter((name) => !same(before[name], after[name])));
}

/** Peers of which nothing changed but what they rest on. */
function touched(
  previous: Config,
  next: Config,
  policies: ReadonlySet<string>,
  newRouterId: boolean,
): { old: PeerConfig; peer: PeerConfig }[] {
  if (policies.size === 0 && !newRouterId) return [];
  const before = new Set(previous.peers);
  return next.peers
    .filter((peer) => before.has(peer) && (newRouterId || usesOne(peer, policies)))
    .map((peer) => ({ old: peer, peer }));
}

function usesOne(peer: PeerConfig, policies: ReadonlySet<string>): boolean {
  return peer.import.some((name) => policies.has(name)) || peer.export.some((name) => policies.has(name));
}

function changeOf(
  old: PeerConfig,
  peer: PeerConfig,
  policies: ReadonlySet<string>,
  newRouterId: boolean,
): PeerChange | undefined {
  const effects = effectsOf(old, peer);
  const reasons = old === peer ? [] : inWords(old, peer);
  if (newRouterId) {
    effects.add("restart");
    reasons.unshift("the router id changed");
  }
  for (const [direction, effect] of [["import", "in"] as const, ["export", "out"] as const]) {
    const names = peer[direction].filter((name) => old[direction].includes(name) && policies.has(name));
    if (names.length > 0) {
      effects.add(effect);
      reasons.push(`${direction} policy ${names.join(", ")} changed`);
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

/** Compared in the words of the file; a changed password shows only here that it changed. */
function inWords(old: PeerConfig, peer: PeerConfig): string[] {
  const reasons = differences(writtenPeer(old), writtenPeer(peer));
  const both = old.password !== undefined && peer.password !== undefined;
  if (both && old.password !== peer.password) reasons.push("the password changed");
  if (old.capabilities !== peer.capabilities) reasons.push(`capabilities ${old.capabilities} -> ${peer.capabilities}`);
  return reasons;
}

/** Everything but the peers, whose lines say what happens to each. */
function globalLines(previous: Config, next: Config, policies: ReadonlySet<string>): readonly string[] {
  const [old, now] = [previous, next].map((config) => {
    const short = { ...config, peers: [], originate: [], aggregates: [], policies: only(config.policies, policies) };
    const { peers: _p, originate: _o, aggregates: _a, ...rest } = writtenForm(short);
    return rest;
  });
  const { rules, priorities } = previous.kernel;
  return [
    ...differences(old ?? {}, now ?? {}),
    ...(isDeepStrictEqual(rules, next.kernel.rules) ? [] : ["kernel rules changed"]),
    ...(isDeepStrictEqual(priorities, next.kernel.priorities) ? [] : ["priorities of routes changed"]),
    ...prefixLines("originate", previous.originate, next.originate),
    ...prefixLines("aggregates", previous.aggregates, next.aggregates),
  ];
}

function only(all: Config["policies"], names: ReadonlySet<string>): Config["policies"] {
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const policy = all[name];
      return policy === undefined ? [] : [[name, policy]];
    }),
  );
}

function prefixLines(
  key: string,
  previous: readonly { readonly prefix: Prefix }[],
  next: readonly { readonly prefix: Prefix }[],
): readonly string[] {
  if (previous === next) return [];
  const before = new Map(previous.map((entry) => [formatPrefix(entry.prefix), entry]));
  const after = new Map(next.map((entry) => [formatPrefix(entry.prefix), entry]));
  const isOther = (prefix: string) => {
    const [a, b] = [before.get(prefix), after.get(prefix)];
    return a !== b && a !== undefined && !isDeepStrictEqual(a, b);
  };
  return [
    ...listLine(
      `${key} removed`,
      [...before.keys()].filter((prefix) => !after.has(prefix)),
    ),
    ...listLine(
      `${key} added`,
      [...after.keys()].filter((prefix) => !before.has(prefix)),
    ),
    ...listLine(`${key} changed`, [...after.keys()].filter(isOther)),
  ];
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
