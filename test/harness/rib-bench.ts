/** The tables between two hands: peers that announce, outboxes that remember, a clock that the test turns. */

import { type IpAddress, ipv4 } from "../../src/bgp/model/address.ts";
import type { PathAttributes } from "../../src/bgp/model/attributes.ts";
import { Family } from "../../src/bgp/model/family.ts";
import { asn, type PeerId, routerId } from "../../src/bgp/model/ids.ts";
import type { Clock, SessionFacts, Timer } from "../../src/bgp/model/ports.ts";
import { formatPrefix, type Prefix, parsePrefix } from "../../src/bgp/model/prefix.ts";
import { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import { createAttributesCodec } from "../../src/bgp/wire/attributes-codec.ts";
import type { ForwardingTarget } from "../../src/rib/forwarding.ts";
import type { RibOptions, RibPeerOptions } from "../../src/rib/options.ts";
import { Rib } from "../../src/rib/rib.ts";
import { type Route, routes } from "../../src/rib/routes.ts";
import { viewOf } from "./canonical.ts";
import { EVERY_ROUTE } from "./every-route.ts";
import { ModelOutbox } from "./model-outbox.ts";

/** Runs what was put off when the test says so; timers when the test lets time pass. */
export class StepClock implements Clock {
  #waiting: (() => void)[] = [];
  #timers: { at: number; run: () => void }[] = [];
  time = 0;
  /** What passes each time that somebody looks, so that slices end. */
  tick = 0;
  #looked = 0;
  now = () => {
    this.#looked += this.tick;
    return this.time + this.#looked;
  };
  wallTime = () => this.time;
  after = (milliseconds: number, run: () => void): Timer => {
    const timer = { at: this.time + milliseconds, run };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((t) => t !== timer);
      },
    };
  };
  soon = (run: () => void) => {
    this.#waiting.push(run);
  };
  turn(): boolean {
    const now = this.#waiting.splice(0);
    for (const run of now) run();
    return this.#waiting.length > 0;
  }
  settle(): void {
    for (let i = 0; i < 1000 && this.turn(); i++);
  }
  pass(milliseconds: number): void {
    this.time += milliseconds;
    const due = this.#timers.filter((t) => t.at <= this.time);
    this.#timers = this.#timers.filter((t) => t.at > this.time);
    for (const timer of due) timer.run();
    this.settle();
  }
}

const AS = asn(65000);

export function facts(peer: PeerId, more: Partial<SessionFacts> = {}): SessionFacts {
  return {
    internal: true,
    peerAs: AS,
    localAs: AS,
    remoteRouterId: routerId(peer),
    localAddress: ipv4(0x0a0000fe),
    remoteAddress: ipv4(0x0a000000 + peer),
    localLinkLocal: undefined,
    families: [{ family: Family.Ipv4, addPathReceive: false, addPathSend: false, extendedNextHop: false }],
    fourOctetAs: true,
    maxMessageLength: 4096,
    isRestarting: false,
    sendsEndOfRib: true,
    longLivedStale: [],
    forwardingPreserved: [Family.Ipv4],
    ...more,
  };
}

export function peerOptions(id: PeerId, more: Partial<RibPeerOptions> = {}): RibPeerOptions {
  return {
    id,
    name: `peer ${id}`,
    internal: true,
    localAs: AS,
    peerAs: AS,
    routeReflectorClient: true,
    clusterId: routerId(99),
    nextHop: "auto",
    allowLocalAs: 0,
    realAsLoops: true,
    enforceFirstAs: true,
    removePrivateAs: false,
    asOverride: false,
    importPolicies: [],
    exportPolicies: [],
    policyAfterOwnAs: false,
    zeroMed: false,
    advertisementSeconds: 0,
    role: undefined,
    maxPrefixes: [],
    ...more,
  };
}

export class RibBench {
  readonly clock = new StepClock();
  readonly outboxes: ModelOutbox[] = [];
  /** What the kernel would have been asked for: prefix to hops, in words. */
  readonly kernel = new Map<string, string>();
  readonly limits: string[] = [];
  readonly upLinks = new Set<number>();
  readonly rib: Rib;
  /** What each peer knows of its session. */
  readonly #views = new Map<PeerId, Map<string, string>>();

  constructor(options: Partial<RibOptions> = {}) {
    this.rib = new Rib({
      options: {
        asNumber: AS,
        routerId: routerId(99),
        clusterId: routerId(99),
        maxPaths: 1,
        alwaysCompareMed: false,
        resolveNextHops: false,
        priorities: undefined,
        kernelRules: [],
        ...options,
      },
      clock: this.clock,
      codec: createAttributesCodec(),
      createOutbox: (encoding, events) => {
        const outbox = new ModelOutbox(encoding, events, this.#views);
        this.outboxes.push(outbox);
        return outbox;
      },
      forwarding: {
        set: (batch, target) => {
          for (let i = 0; i < batch.count; i++)
            this.kernel.set(formatPrefix(batch.prefixAt(i)), describeTarget(target));
        },
        unset: (batch) => {
          for (let i = 0; i < batch.count; i++) this.kernel.delete(formatPrefix(batch.prefixAt(i)));
        },
      },
      surroundings: {
        interfaceName: (index) => `eth${index}`,
        isOwnAddress: () => false,
        isLinkUp: (index) => this.upLinks.has(index),
        interfaceIndex: (name) => [...this.upLinks].find((index) => `eth${index}` === name) ?? 0,
        sessionInterface: () => 0,
        localAddress: () => undefined,
      },
      events: {
        bestChanged: () => {},
        limitReached: (peer, _family, kind) => this.limits.push(`${peer} ${kind}`),
        settled: () => {},
      },
    });
    const peerUp = this.rib.peerUp.bind(this.rib);
    this.rib.peerUp = (id, session) => {
      this.#views.delete(id);
      peerUp(id, session);
    };
  }

  up(id: PeerId, options: Partial<RibPeerOptions> = {}, session: Partial<SessionFacts> = {}): void {
    if (this.rib.peer(id) === undefined) this.rib.addPeer(peerOptions(id, options));
    this.rib.peerUp(id, facts(id, session));
  }

  announce(peer: PeerId, attributes: PathAttributes, ...prefixes: string[]): void {
    this.rib.announce(peer, viewOf(attributes), batchOf(prefixes));
  }

  withdraw(peer: PeerId, ...prefixes: string[]): void {
    this.rib.withdraw(peer, batchOf(prefixes));
  }

  /** What the peer knows once all is quiet: prefix to attributes. */
  knows(peer: PeerId): ReadonlyMap<string, PathAttributes> {
    this.clock.settle();
    const view = this.outboxOf(peer)?.knows(peer) ?? new Map<string, string>();
    return new Map([...view].map(([prefix, json]) => [prefix, JSON.parse(json) as PathAttributes]));
  }

  outboxOf(peer: PeerId): ModelOutbox | undefined {
    return this.outboxes.find((o) => o.members.has(peer));
  }

  routes(): Route[] {
    const all = routes(this.rib, EVERY_ROUTE);
    return [...all].filter((route) => route !== undefined);
  }
}

export function prefix(text: string): Prefix {
  return parsePrefix(text) as Prefix;
}

function batchOf(prefixes: readonly string[]): PrefixBatch {
  const batch = new PrefixBatch(Family.Ipv4);
  for (const text of prefixes) batch.add(prefix(text));
  return batch;
}

function describeTarget(target: ForwardingTarget): string {
  const metric = target.metric === undefined ? "" : ` metric ${target.metric}`;
  if (target.kind !== "unicast") return `${target.kind}${metric}`;
  const text = (gateway: IpAddress | undefined) =>
    gateway === undefined ? "" : `${gateway.w0 >>> 24}.${gateway.w0 & 0xffffff}`;
  const hops = target.nextHops.map((hop) => `${text(hop.gateway)}@${hop.interface}${hop.onlink ? "!" : ""}`);
  return `${hops.join(" ")}${metric}`;
}
