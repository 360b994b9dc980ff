/** A node without sessions: tables over the real kernel of this namespace, and peers that the test speaks for. */

import { type IpAddress, ipv4, parseAddress } from "../../../src/bgp/model/address.ts";
import type { PathAttributes } from "../../../src/bgp/model/attributes.ts";
import { attributesWith } from "../../../src/bgp/model/attributes.ts";
import { FAMILIES, type Family } from "../../../src/bgp/model/family.ts";
import { asn, type PeerId, routerId } from "../../../src/bgp/model/ids.ts";
import { createAttributesCodec } from "../../../src/bgp/wire/attributes-codec.ts";
import { KernelSide } from "../../../src/daemon/kernel-side.ts";
import { Links } from "../../../src/daemon/links.ts";
import { openFib } from "../../../src/fib/netlink-fib.ts";
import type { FibOptions } from "../../../src/fib/options.ts";
import type { KernelRule, RibOptions, RibPeerOptions } from "../../../src/rib/options.ts";
import { Rib } from "../../../src/rib/rib.ts";
import { viewOf } from "../../harness/canonical.ts";
import { ModelOutbox } from "../../harness/model-outbox.ts";
import { facts, peerOptions, prefix } from "../../harness/rib-bench.ts";
import { silentLogger } from "../../harness/silent-logger.ts";
import { systemClock } from "../../harness/system-clock.ts";
import { batch, DEFAULTS, until } from "./probe.ts";

export const BASE = 2147483647;
/** As Calico 3.32 and later have them. */
export const PRIORITIES: NonNullable<RibOptions["priorities"]> = {
  base: BASE,
  normal: { 1: 1024, 2: 1024 },
  elevatedPreference: 200,
};
export const METRIC_RULE: KernelRule = ruleOf("next", { origin: ["peer"] }, { metric: "fromLocalPref" });

const OPTIONS: RibOptions = {
  asNumber: asn(65000),
  routerId: routerId(99),
  clusterId: routerId(99),
  maxPaths: 16,
  alwaysCompareMed: false,
  resolveNextHops: true,
  priorities: undefined,
  kernelRules: [],
};

export function ruleOf(
  then: KernelRule["then"],
  match: Partial<KernelRule["match"]> = {},
  set?: Partial<NonNullable<KernelRule["set"]>>,
): KernelRule {
  const any = { prefixes: undefined, origin: undefined, nextHops: undefined, nextHopOutside: undefined };
  return {
    match: { ...any, ...match },
    set: set === undefined ? undefined : { metric: undefined, device: undefined, ...set },
    then,
  };
}

/** Everything in these prefixes. */
export function within(...texts: string[]): NonNullable<KernelRule["match"]["prefixes"]> {
  return texts.map(prefix).map((p) => ({ prefix: p, ge: p.length, le: 128 }));
}

export class Node {
  readonly rib: Rib;
  readonly kernel: KernelSide;
  #options: RibOptions;
  readonly #outboxes: ModelOutbox[] = [];

  /** Returns when the kernel has been read. */
  static async start(options: Partial<RibOptions> = {}, fib: Partial<FibOptions> = {}): Promise<Node> {
    const node = new Node({ ...OPTIONS, ...options });
    node.kernel.start({ ...DEFAULTS, ...fib });
    await node.kernel.untilReady();
    return node;
  }

  private constructor(options: RibOptions) {
    const links = new Links();
    this.#options = options;
    this.kernel = new KernelSide({
      open: openFib,
      clock: systemClock,
      logger: silentLogger,
      links,
      settled: () => {},
    });
    this.rib = new Rib({
      options,
      clock: systemClock,
      codec: createAttributesCodec(),
      createOutbox: (encoding, events) => {
        const outbox = new ModelOutbox(encoding, events);
        this.#outboxes.push(outbox);
        return outbox;
      },
      forwarding: this.kernel,
      surroundings: links,
      events: { bestChanged: () => {}, limitReached: () => {}, settled: () => {} },
    });
    this.kernel.rib = this.rib;
  }

  peer(id: number, options: Partial<RibPeerOptions> = {}): void {
    const families = FAMILIES.map((family) => ({
      family,
      addPathReceive: false,
      addPathSend: false,
      extendedNextHop: false,
    }));
    this.rib.addPeer(peerOptions(id as PeerId, options));
    this.rib.peerUp(id as PeerId, facts(id as PeerId, { families }));
  }

  announce(peer: number, nextHop: string, prefixes: readonly string[], more: Partial<PathAttributes> = {}): void {
    const attributes = attributesWith(address(nextHop), { localPref: 100, ...more });
    this.rib.announce(peer as PeerId, viewOf(attributes), batch(prefixes));
  }

  withdraw(peer: number, prefixes: readonly string[]): void {
    this.rib.withdraw(peer as PeerId, batch(prefixes));
  }

  /** The node's own blocks. */
  own(prefixes: readonly string[]): void {
    const none = attributesWith(ipv4(0));
    this.rib.setOriginated(
      prefixes.map((text) => ({
        prefix: prefix(text),
        source: "calico",
        kind: "blackhole",
        nextHop: undefined,
        attributes: none,
      })),
    );
  }

  reconfigure(options: Partial<RibOptions>): void {
    this.#options = { ...this.#options, ...options };
    this.rib.reconfigure(this.#options);
  }

  /** What that peer has been told: LOCAL_PREF by prefix. */
  told(peer: number): ReadonlyMap<string, number | undefined> {
    const told = new Map<string, number | undefined>();
    for (const outbox of this.#outboxes) {
      if (!outbox.members.has(peer as PeerId)) continue;
      for (const [key, text] of outbox.knows(peer as PeerId))
        told.set(key.replace(/#.*/, ""), (JSON.parse(text) as PathAttributes).localPref);
    }
    return told;
  }

  /** Until the kernel has what it should, and `isDone` besides. */
  async settled(isDone: () => boolean = () => true): Promise<void> {
    await until(() => this.rib.rib(1 as Family).waiting + this.rib.rib(2 as Family).waiting === 0 && isDone());
    await until(() => this.#differences().length === 0);
  }

  #differences(): readonly string[] {
    const { fib } = this.kernel;
    return fib === undefined
      ? []
      : FAMILIES.flatMap((f) => [...fib.entries(f)].flatMap(({ state }) => (state === "ok" ? [] : [state])));
  }

  /** Takes every route of ours out of the kernel again. */
  async stop(): Promise<void> {
    await this.kernel.fib?.cleanup();
    await this.kernel.stop();
  }
}

function address(text: string): IpAddress {
  return parseAddress(text) as IpAddress;
}
