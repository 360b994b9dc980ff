/** An outbox between two hands: members whose sockets take what the test lets them take. */

import { expect } from "vitest";
import { Advertiser } from "../../src/bgp/advertiser.ts";
import { SlabPool } from "../../src/bgp/message-log.ts";
import { ipv4 } from "../../src/bgp/model/address.ts";
import { attributesWith } from "../../src/bgp/model/attributes.ts";
import { Family } from "../../src/bgp/model/family.ts";
import type { PeerId } from "../../src/bgp/model/ids.ts";
import { formatPrefix, type Prefix, parsePrefix } from "../../src/bgp/model/prefix.ts";
import { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import type { MessageSink } from "../../src/bgp/outbox-member.ts";
import { Turns } from "../../src/bgp/turns.ts";
import { createAttributesCodec } from "../../src/bgp/wire/attributes-codec.ts";
import { UpdateDecoder } from "../../src/bgp/wire/update-decoder.ts";
import { silentLogger } from "./silent-logger.ts";
import { VirtualClock } from "./virtual-clock.ts";

export const ATTRIBUTES = createAttributesCodec().encode(attributesWith(ipv4(0x0a000001), { localPref: 100 }));
const ENCODING = {
  family: Family.Ipv4,
  fourOctetAs: true,
  addPath: false,
  extendedNextHop: false,
  maxMessageLength: 4096,
};

/** Decodes what it is given into lines: "+10.0.0.0/24", "-10.0.0.0/24", "end", "begin refresh", "end refresh". */
export class Socket implements MessageSink {
  readonly lines: string[] = [];
  readonly sizes: number[] = [];
  refreshes = 0;
  /** It is blocked once it took so many octets, and sends none of them before it has room again. */
  capacity = Number.POSITIVE_INFINITY;
  onWrite: () => void = () => {};
  #pending: { bytes: Uint8Array; updates: number }[] = [];
  readonly #decoder = new UpdateDecoder({
    internal: true,
    fourOctetAs: true,
    families: [{ family: Family.Ipv4, addPathReceive: false, addPathSend: false, extendedNextHop: false }],
  });
  cork(): void {}
  uncork(): void {}
  countRouteRefresh(): void {
    this.refreshes++;
  }
  get isBlocked(): boolean {
    return this.capacity <= 0;
  }
  get unsent(): number {
    return this.#pending.reduce((sum, p) => sum + p.bytes.length, 0);
  }
  /** As a socket: what it could not send at once it sends later, from the very same bytes. */
  write(bytes: Uint8Array, updates: number): void {
    this.onWrite();
    this.sizes.push(bytes.length);
    this.capacity -= bytes.length;
    this.#pending.push({ bytes, updates });
    if (!this.isBlocked) this.#send();
  }
  drain(capacity: number): void {
    this.capacity = capacity;
    this.#send();
  }
  #send(): void {
    for (const { bytes, updates } of this.#pending.splice(0)) this.#read(bytes, updates);
  }
  #read(messages: Uint8Array, updates: number): void {
    let seen = 0;
    for (let at = 0; at < messages.length; ) {
      const length = ((messages[at + 16] ?? 0) << 8) | (messages[at + 17] ?? 0);
      const body = messages.subarray(at + 19, at + length);
      if (messages[at + 18] === 5) this.lines.push(body[2] === 1 ? "begin refresh" : "end refresh");
      else {
        seen++;
        const update = this.#decoder.decode(body);
        if (update.endOfRib !== undefined) this.lines.push("end");
        for (const batch of update.withdrawn)
          for (let i = 0; i < batch.count; i++) this.lines.push(`-${formatPrefix(batch.prefixAt(i))}`);
        for (const { prefixes } of update.announced)
          for (let i = 0; i < prefixes.count; i++) this.lines.push(`+${formatPrefix(prefixes.prefixAt(i))}`);
      }
      at += length;
    }
    expect(seen).toBe(updates);
  }
}

export function setUp(maxBacklog = 8 * 1024 * 1024, pool = new SlabPool()) {
  const lagging: PeerId[] = [];
  const drained: PeerId[] = [];
  const clock = new VirtualClock();
  const sockets = new Map<PeerId, Socket>();
  const onDrained: { run: (peer: PeerId) => void } = { run: () => {} };
  const memberships: string[] = [];
  const outbox = new Advertiser(
    ENCODING,
    {
      lagging: (peer) => lagging.push(peer),
      drained: (peer) => {
        drained.push(peer);
        onDrained.run(peer);
      },
    },
    {
      clock,
      logger: silentLogger,
      turns: new Turns(clock),
      pool,
      sinkOf: (peer) => sockets.get(peer),
      joined: (peer) => memberships.push(`${peer} joined`),
      left: (peer) => memberships.push(`${peer} left`),
      maxBacklog,
    },
  );
  const join = (peer: PeerId) => {
    const socket = new Socket();
    sockets.set(peer, socket);
    outbox.join(peer);
    return socket;
  };
  const flush = () => {
    outbox.flush();
    clock.settle();
  };
  const drain = (peer: PeerId, capacity = Number.POSITIVE_INFINITY) => {
    sockets.get(peer)?.drain(capacity);
    outbox.drained(peer);
    clock.settle();
  };
  return { clock, outbox, join, flush, drain, sockets, lagging, drained, onDrained, memberships };
}

export const batchOf = (...prefixes: string[]) => {
  const batch = new PrefixBatch(Family.Ipv4);
  for (const p of prefixes) batch.add(parsePrefix(p) as Prefix);
  return batch;
};
export const A = 1 as PeerId;
export const B = 2 as PeerId;
