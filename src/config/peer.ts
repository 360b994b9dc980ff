/** One peer: its keys after inheritance become the PeerConfig, with defaults applied and the keys checked against each other. */

import { formatAddress, type IpAddress } from "../bgp/model/address.ts";
import { Family } from "../bgp/model/family.ts";
import type { Asn, RouterId } from "../bgp/model/ids.ts";
import { formatPrefix } from "../bgp/model/prefix.ts";
import { formatDuration } from "./durations.ts";
import type { FamilyConfig, PeerConfig, Remote, Timers } from "./model.ts";
import { suggestion } from "./nearest.ts";
import { readPassword } from "./password.ts";
import type { KeyPath, ProblemList } from "./problem.ts";
import type { PeerInput } from "./schema-peer.ts";
import type { Surroundings } from "./surroundings.ts";

/** A peer and where it stands in the file. */
export interface PlacedPeer {
  readonly peer: PeerConfig;
  readonly path: KeyPath;
}

export interface PeerContext {
  readonly asNumber: Asn;
  readonly clusterId: RouterId;
  readonly policies: readonly string[];
  readonly surroundings: Surroundings;
  readonly problems: ProblemList;
}

/** Says what is wrong with one peer, at its path and under its name. */
interface Report {
  error(key: KeyPath, message: string): void;
  warn(key: KeyPath, message: string): void;
}

const MIN_HOLD = 3000; // RFC 4271 §4.2: 0, or at least three seconds
const DEFAULT_HOLD = 90_000;

/** A config whenever the peer can be told from others at all; the caller drops it if errors were reported. */
export function resolvePeer(
  input: PeerInput,
  path: KeyPath,
  label: string | undefined,
  context: PeerContext,
): PeerConfig | undefined {
  const report: Report = {
    error: (key, message) => context.problems.error([...path, ...key], message, label),
    warn: (key, message) => context.problems.warn([...path, ...key], message, label),
  };
  const remote = resolveRemote(input, report);
  if (remote === undefined) return undefined;
  const localAsNumber = input.localAsNumber ?? context.asNumber;
  const as = resolveAs(input, remote, localAsNumber, report);
  checkInternalOnly(input, as.internal, report);
  checkLocalAddress(input.localAddress, remote, report);
  if (input.multihop !== undefined && input.ttlSecurity !== undefined) {
    report.error(["ttlSecurity"], "excludes `multihop`: accepted is one of the two");
  }
  for (const direction of ["import", "export"] as const) {
    for (const [i, name] of (input[direction] ?? []).entries()) {
      if (context.policies.includes(name)) continue;
      const { policies } = context;
      const accepted = policies.length === 0 ? "; there are no policies" : `; accepted: ${policies.join(", ")}`;
      report.error([direction, i], `no policy "${name}"${suggestion(name, policies) || accepted}`);
    }
  }
  return {
    name: input.name ?? remoteName(remote),
    remote,
    port: input.port ?? 179,
    ...as,
    localAsNumber,
    localAddress: input.localAddress,
    passive: remote.kind === "range" || (input.passive ?? false),
    enabled: input.enabled ?? true,
    password: readPassword(input, context.surroundings, report.error),
    ttl: input.ttlSecurity === undefined ? (input.multihop ?? (as.internal ? 64 : 1)) : 255,
    ttlSecurity: input.ttlSecurity,
    routeReflectorClient: input.routeReflectorClient ?? false,
    clusterId: input.clusterId ?? context.clusterId,
    nextHop: input.nextHop ?? "auto",
    families: resolveFamilies(input, remote, report),
    timers: resolveTimers(input, report),
    gracefulRestart: resolveGracefulRestart(input),
    allowLocalAs: input.allowLocalAs ?? 0,
    removePrivateAs: input.removePrivateAs ?? false,
    asOverride: input.asOverride ?? false,
    role: input.role,
    capabilities: "all",
    import: input.import ?? [],
    export: input.export ?? [],
    source: "config",
  };
}

export function remoteName(remote: Remote): string {
  switch (remote.kind) {
    case "address":
      return `${formatAddress(remote.address)}${remote.interface === undefined ? "" : `%${remote.interface}`}`;
    case "range":
      return formatPrefix(remote.prefix);
    case "interface":
      return remote.interface;
  }
}

function resolveRemote(input: PeerInput, report: Report): Remote | undefined {
  const given = (["address", "range", "interface"] as const).filter((key) => input[key] !== undefined);
  if (given.length === 0) report.error([], "a peer needs `address`, `range` or `interface`");
  if (given.length > 1) report.error([given[1] ?? ""], `excludes \`${given[0]}\`: accepted is one of the two`);
  if (input.rangeLimit !== undefined && input.range === undefined)
    report.error(["rangeLimit"], "goes with `range` only");
  if (input.address !== undefined) return { kind: "address", ...input.address };
  if (input.range !== undefined) return { kind: "range", prefix: input.range, limit: input.rangeLimit ?? 4096 };
  return input.interface === undefined ? undefined : { kind: "interface", interface: input.interface };
}

function resolveAs(
  input: PeerInput,
  remote: Remote,
  local: Asn,
  report: Report,
): { readonly asNumber: PeerConfig["asNumber"]; readonly internal: boolean } {
  const { asNumber = "internal" } = input;
  if (asNumber === "internal") return { asNumber: [local], internal: true };
  if (asNumber === "external") return { asNumber, internal: false };
  const list = typeof asNumber === "number" ? [asNumber] : [...new Set(asNumber)];
  if (list.length > 1 && remote.kind !== "range") {
    report.error(["asNumber"], "a list of AS numbers goes with `range` only; accepted: one AS number");
  }
  const internal = list.includes(local);
  if (internal && list.length > 1) {
    report.error(["asNumber"], `mixes our own AS ${local} with others: internal and external peers need a range each`);
  }
  return { asNumber: list, internal };
}

function checkInternalOnly(input: PeerInput, internal: boolean, report: Report): void {
  if (!internal && input.routeReflectorClient === true) {
    report.error(["routeReflectorClient"], "this peer is external; clients are internal peers (RFC 4456)");
  }
  if (internal && input.role !== undefined) {
    report.error(["role"], "this peer is internal; roles are for external peers (RFC 9234 section 4.1)");
  }
  for (const key of ["removePrivateAs", "asOverride"] as const) {
    if (internal && input[key] === true) report.warn([key], "does nothing: this peer is internal");
  }
}

function checkLocalAddress(local: IpAddress | undefined, remote: Remote, report: Report): void {
  if (local === undefined) return;
  const address = remote.kind === "address" ? remote.address : remote.kind === "range" ? remote.prefix : undefined;
  const family = address?.family ?? Family.Ipv6;
  if (local.family !== family) {
    report.error(["localAddress"], `the session runs over ${label(family)}; accepted: an ${label(family)} address`);
  }
}

function label(family: Family): string {
  return family === Family.Ipv4 ? "IPv4" : "IPv6";
}

function resolveFamilies(input: PeerInput, remote: Remote, report: Report): readonly FamilyConfig[] {
  const unnumbered = remote.kind === "interface";
  const own = remote.kind === "address" ? remote.address.family : remote.kind === "range" ? remote.prefix.family : 0;
  const written = input.families ?? {
    ipv4: unnumbered || own === Family.Ipv4,
    ipv6: unnumbered || own === Family.Ipv6,
  };
  const options = (name: "ipv4" | "ipv6") => (typeof written[name] === "object" ? written[name] : {});
  const extended = options("ipv4").extendedNextHop ?? options("ipv6").extendedNextHop ?? unnumbered;
  const families: FamilyConfig[] = [];
  for (const [name, family] of [["ipv4", Family.Ipv4] as const, ["ipv6", Family.Ipv6] as const]) {
    if (written[name] === undefined || written[name] === false) continue;
    const { addPath = "off", maxPrefixes } = options(name);
    families.push({
      family,
      addPath,
      extendedNextHop: family === Family.Ipv4 && extended,
      maxPrefixes:
        maxPrefixes === undefined
          ? undefined
          : {
              limit: maxPrefixes.limit,
              warnPercent: maxPrefixes.warnPercent ?? 80,
              action: maxPrefixes.action ?? "warn",
              restartAfterMilliseconds: maxPrefixes.restartAfter ?? 60_000,
            },
    });
  }
  if (families.length === 0) report.error(["families"], "no family is left; accepted: ipv4, ipv6 or both");
  if (extended && input.families !== undefined && !families.some(({ family }) => family === Family.Ipv4)) {
    report.warn(["families"], "`extendedNextHop` does nothing without the family ipv4 (RFC 8950)");
  }
  return families;
}

function resolveTimers(input: PeerInput, report: Report): Timers {
  const { hold = DEFAULT_HOLD, keepalive, connectRetry, idleHold, advertisement } = input.timers ?? {};
  if (hold !== 0 && hold < MIN_HOLD) {
    report.error(["timers", "hold"], `${formatDuration(hold)} is not accepted; accepted: 0, or at least 3s (RFC 4271)`);
  }
  if (keepalive !== undefined && hold === 0 && keepalive !== 0) {
    report.error(["timers", "keepalive"], "a hold time of 0 switches keepalives off: leave `keepalive` out");
  }
  if (keepalive !== undefined && hold !== 0 && (keepalive === 0 || keepalive >= hold)) {
    const text = `${formatDuration(keepalive)} is not accepted; accepted: more than 0 and less than the hold time`;
    report.error(["timers", "keepalive"], `${text} (${formatDuration(hold)}), best a third of it`);
  }
  return {
    holdMilliseconds: hold,
    keepaliveMilliseconds: hold === 0 ? undefined : keepalive,
    connectRetryMilliseconds: connectRetry ?? 5000,
    idleHoldMilliseconds: idleHold ?? 5000,
    advertisementMilliseconds: advertisement ?? 0,
  };
}

function resolveGracefulRestart(input: PeerInput): PeerConfig["gracefulRestart"] {
  const { gracefulRestart = {} } = input;
  if (gracefulRestart === false) return undefined;
  const { time = 120_000, longLived = 0 } = gracefulRestart;
  return { timeSeconds: time / 1000, longLivedSeconds: longLived / 1000 };
}
