import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Advertiser, type MessageSink } from "../../../src/bgp/advertiser.ts";
import { ipv4 } from "../../../src/bgp/model/address.ts";
import { attributesWith } from "../../../src/bgp/model/attributes.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import type { PeerId } from "../../../src/bgp/model/ids.ts";
import type { Audience, Outbox } from "../../../src/bgp/model/ports.ts";
import { formatPrefix, type Prefix, parsePrefix } from "../../../src/bgp/model/prefix.ts";
import { PrefixBatch } from "../../../src/bgp/model/prefix-batch.ts";
import { createAttributesCodec } from "../../../src/bgp/wire/attributes-codec.ts";
import { UpdateDecoder } from "../../../src/bgp/wire/update-decoder.ts";
import { silentLogger } from "../../harness/silent-logger.ts";

const ATTRIBUTES = createAttributesCodec().encode(attributesWith(ipv4(0x0a000001), { localPref: 100 }));
const ENCODING = {
  family: Family.Ipv4,
  fourOctetAs: true,
  addPath: false,
  extendedNextHop: false,
  maxMessageLength: 4096,
};

/** Decodes what it is given into lines: "+10.0.0.0/24", "-10.0.0.0/24", "end", "begin refresh", "end refresh". */
class Socket implements MessageSink {
  readonly lines: string[] = [];
  readonly sizes: number[] = [];
  capacity = Number.POSITIVE_INFINITY;
  readonly #decoder = new UpdateDecoder({
    internal: true,
    fourOctetAs: true,
    families: [{ family: Family.Ipv4, addPathReceive: false, addPathSend: false, extendedNextHop: false }],
  });
  cork(): void {}
  uncork(): void {}
  write(messages: Uint8Array, count: number): boolean {
    let seen = 0;
    this.sizes.push(messages.length);
    for (let at = 0; at < messages.length; seen++) {
      const length = ((messages[at + 16] ?? 0) << 8) | (messages[at + 17] ?? 0);
      const body = messages.subarray(at + 19, at + length);
      if (messages[at + 18] === 5) this.lines.push(body[2] === 1 ? "begin refresh" : "end refresh");
      else {
        const update = this.#decoder.decode(body);
        if (update.endOfRib !== undefined) this.lines.push("end");
        for (const batch of update.withdrawn)
          for (let i = 0; i < batch.count; i++) this.lines.push(`-${formatPrefix(batch.prefixAt(i))}`);
        for (const { prefixes } of update.announced)
          for (let i = 0; i < prefixes.count; i++) this.lines.push(`+${formatPrefix(prefixes.prefixAt(i))}`);
      }
      at += length;
    }
    expect(seen).toBe(count);
    this.capacity -= messages.length;
    return this.capacity > 0;
  }
}

function setUp(maxLagBytes?: number) {
  const lagging: PeerId[] = [];
  const drained: PeerId[] = [];
  const later: (() => void)[] = [];
  const advertiser = new Advertiser({
    soon: (run) => later.push(run),
    logger: silentLogger,
    ...(maxLagBytes === undefined ? {} : { maxLagBytes }),
  });
  const sockets = new Map<PeerId, Socket>();
  const onDrained: { run: (outbox: Outbox, peer: PeerId) => void } = { run: () => {} };
  const outbox: Outbox = advertiser.createOutbox(ENCODING, {
    lagging: (peer) => lagging.push(peer),
    drained: (peer) => {
      drained.push(peer);
      onDrained.run(outbox, peer);
    },
  });
  const join = (peer: PeerId) => {
    const socket = new Socket();
    sockets.set(peer, socket);
    advertiser.attach(peer, socket);
    outbox.join(peer);
    return socket;
  };
  return { advertiser, outbox, join, sockets, lagging, drained, later, onDrained };
}

const batchOf = (...prefixes: string[]) => {
  const batch = new PrefixBatch(Family.Ipv4);
  for (const p of prefixes) batch.add(parsePrefix(p) as Prefix);
  return batch;
};
const A = 1 as PeerId;
const B = 2 as PeerId;

describe("Outbox", () => {
  it("writes each member what is for it, in order, however the sockets drain", () => {
    const audience = fc.oneof(
      fc.constant<Audience>({ kind: "all" }),
      fc.integer({ min: 1, max: 3 }).map<Audience>((p) => ({ kind: "except", peer: p as PeerId })),
      fc.integer({ min: 1, max: 3 }).map<Audience>((p) => ({ kind: "only", peer: p as PeerId })),
      fc
        .option(fc.integer({ min: 1, max: 3 }))
        .map<Audience>((p) => ({ kind: "joining", except: p === null ? undefined : (p as PeerId) })),
    );
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ kind: fc.constantFrom("announce" as const, "withdraw" as const), audience }),
      },
      { weight: 2, arbitrary: fc.constant({ kind: "flush" as const }) },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant("drain" as const),
          peer: fc.integer({ min: 1, max: 3 }),
          capacity: fc.integer({ min: 1, max: 400 }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constantFrom("joined" as const, "refresh" as const, "join" as const),
          peer: fc.integer({ min: 1, max: 3 }),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
        const { outbox, join, sockets, advertiser } = setUp();
        const expected = new Map<PeerId, string[]>();
        const joining = new Map<PeerId, { endOfRib: boolean; refresh: boolean }>();
        let n = 0;
        for (const s of steps) {
          const peer = "peer" in s ? (s.peer as PeerId) : A;
          const state = joining.get(peer);
          if (s.kind === "join" && !sockets.has(peer)) {
            join(peer).capacity = 100;
            expected.set(peer, []);
            joining.set(peer, { endOfRib: true, refresh: false });
          } else if (s.kind === "joined" && sockets.has(peer)) {
            outbox.joined(peer);
            if (state?.endOfRib) expected.get(peer)?.push("end");
            if (state?.refresh) expected.get(peer)?.push("end refresh");
            joining.delete(peer);
          } else if (s.kind === "refresh" && sockets.has(peer)) {
            outbox.refresh(peer, true);
            expected.get(peer)?.push("begin refresh");
            joining.set(peer, { endOfRib: state?.endOfRib ?? false, refresh: true });
          } else if (s.kind === "announce" || s.kind === "withdraw") {
            const prefix = `10.${n >> 8}.${n++ & 255}.0/24`;
            if (s.kind === "announce") outbox.announce(ATTRIBUTES, batchOf(prefix), s.audience);
            else outbox.withdraw(batchOf(prefix), s.audience);
            for (const [member, lines] of expected) {
              const a = s.audience;
              const isFor =
                a.kind === "all" ||
                (a.kind === "except" && a.peer !== member) ||
                (a.kind === "only" && a.peer === member) ||
                (a.kind === "joining" && a.except !== member && joining.has(member));
              if (isFor) lines.push(`${s.kind === "announce" ? "+" : "-"}${prefix}`);
            }
          } else if (s.kind === "flush") outbox.flush();
          else if (s.kind === "drain") {
            const socket = sockets.get(peer);
            if (socket === undefined) continue;
            socket.capacity = s.capacity;
            advertiser.drained(peer);
          }
        }
        for (const [peer, socket] of sockets) {
          socket.capacity = Number.POSITIVE_INFINITY;
          advertiser.drained(peer);
        }
        outbox.flush();
        for (const [peer, lines] of expected) expect(sockets.get(peer)?.lines).toEqual(lines);
        expect(outbox.slowest).toBe(outbox.position);
      }),
      { numRuns: 300 },
    );
  });

  it("hands a socket what lies together as one piece, and never more than a slab", () => {
    const { outbox, join } = setUp();
    const socket = join(A);
    outbox.joined(A);
    outbox.flush();
    const big = new PrefixBatch(Family.Ipv4);
    for (let i = 0; i < 60_000; i++) big.add4(i << 8, 24, 0);
    outbox.announce(ATTRIBUTES, big, { kind: "all" });
    outbox.flush();
    expect(socket.lines.filter((l) => l.startsWith("+"))).toHaveLength(60_000);
    expect(Math.max(...socket.sizes)).toBeLessThanOrEqual(65_536);
    expect(socket.sizes.length).toBeLessThan(15);
  });

  it("drops the part of the log of a member that fell behind, and lets it come back from the table", () => {
    const { outbox, join, lagging, advertiser, onDrained } = setUp(1000);
    const slow = join(A);
    const fast = join(B);
    slow.capacity = 1;
    outbox.announce(ATTRIBUTES, batchOf("10.0.0.0/24"), { kind: "all" });
    outbox.flush();
    for (let i = 1; i < 40; i++) {
      outbox.announce(ATTRIBUTES, batchOf(`10.0.${i}.0/24`), { kind: "all" });
      outbox.flush();
    }
    expect(lagging).toEqual([A]);
    expect(fast.lines).toHaveLength(40);
    expect(slow.lines).toEqual(["+10.0.0.0/24"]);
    let fed = false;
    onDrained.run = (box, peer) => {
      if (fed) {
        box.rejoin(peer);
        box.joined(peer);
      } else box.announce(ATTRIBUTES, batchOf("10.9.0.0/24"), { kind: "only", peer });
      fed = true;
    };
    slow.capacity = Number.POSITIVE_INFINITY;
    advertiser.drained(A);
    outbox.announce(ATTRIBUTES, batchOf("10.10.0.0/24"), { kind: "all" });
    outbox.flush();
    expect(slow.lines).toEqual(["+10.0.0.0/24", "+10.9.0.0/24", "end", "+10.10.0.0/24"]);
  });

  it("withdraws what cannot be encoded, instead of leaving the old route standing", () => {
    const { outbox, join } = setUp();
    const socket = join(A);
    const huge = createAttributesCodec().encode(
      attributesWith(ipv4(1), { communities: Array.from({ length: 2000 }, (_, i) => i) }),
    );
    outbox.announce(huge, batchOf("10.0.0.0/24"), { kind: "all" });
    outbox.flush();
    expect(socket.lines).toEqual(["-10.0.0.0/24"]);
  });
});
