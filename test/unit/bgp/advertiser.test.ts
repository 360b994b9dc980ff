import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SlabPool } from "../../../src/bgp/message-log.ts";
import { ipv4 } from "../../../src/bgp/model/address.ts";
import { attributesWith } from "../../../src/bgp/model/attributes.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import type { PeerId } from "../../../src/bgp/model/ids.ts";
import type { Audience } from "../../../src/bgp/model/ports.ts";
import { PrefixBatch } from "../../../src/bgp/model/prefix-batch.ts";
import { createAttributesCodec } from "../../../src/bgp/wire/attributes-codec.ts";
import { A, ATTRIBUTES, B, batchOf, setUp } from "../../harness/advertiser-bench.ts";

describe("Outbox: each UPDATE once, for all members of a group", () => {
  it("says who is a member, so that nobody holds on to an outbox without any", () => {
    const { outbox, join, memberships } = setUp();
    outbox.join(A);
    outbox.leave(A);
    join(A);
    join(B);
    outbox.join(A);
    outbox.leave(A);
    outbox.leave(A);
    outbox.leave(B);
    expect(memberships).toEqual(["1 joined", "2 joined", "1 left", "1 joined", "1 left", "2 left"]);
  });

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
        const { outbox, join, flush, drain, sockets } = setUp();
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
          } else if (s.kind === "flush") flush();
          else if (s.kind === "drain") drain(peer, s.capacity);
        }
        for (const peer of sockets.keys()) drain(peer);
        flush();
        for (const [peer, lines] of expected) expect(sockets.get(peer)?.lines).toEqual(lines);
        expect(outbox.slowest).toBe(outbox.position);
      }),
      { numRuns: 300 },
    );
  });

  it("hands a socket what lies together as one piece, and never more than a slab", () => {
    const { outbox, join, flush } = setUp();
    const socket = join(A);
    outbox.joined(A);
    flush();
    const big = new PrefixBatch(Family.Ipv4);
    for (let i = 0; i < 60_000; i++) big.add4(i << 8, 24, 0);
    outbox.announce(ATTRIBUTES, big, { kind: "all" });
    flush();
    expect(socket.lines.filter((l) => l.startsWith("+"))).toHaveLength(60_000);
    expect(Math.max(...socket.sizes)).toBeLessThanOrEqual(65_536);
    expect(socket.sizes.length).toBeLessThan(15);
  });

  it("drops the part of the log of a member that fell behind, and lets it come back from the table", () => {
    const { outbox, join, flush, drain, lagging, drained, onDrained } = setUp(100_000);
    const slow = join(A);
    const fast = join(B);
    slow.capacity = 1;
    const filler = () => {
      const big = new PrefixBatch(Family.Ipv4);
      for (let i = 0; i < 5000; i++) big.add4((0x0b000000 + (i << 8)) >>> 0, 24, 0);
      outbox.announce(ATTRIBUTES, big, { kind: "all" });
      flush();
    };
    outbox.announce(ATTRIBUTES, batchOf("10.0.0.0/24"), { kind: "all" });
    flush();
    outbox.joined(A);
    outbox.refresh(A, true);
    outbox.joined(A);
    for (let i = 0; i < 20; i++) filler();
    expect(lagging).toEqual([A]);
    expect(drained).toEqual([]);
    expect(fast.lines).toHaveLength(100_001);
    expect(outbox.slowest).toBe(outbox.position);
    let fed = 0;
    onDrained.run = (peer) => {
      if (fed++ < 2) outbox.announce(ATTRIBUTES, batchOf(`10.9.${fed}.0/24`), { kind: "only", peer });
      else {
        outbox.rejoin(peer);
        outbox.joined(peer);
      }
    };
    drain(A);
    outbox.announce(ATTRIBUTES, batchOf("10.10.0.0/24"), { kind: "all" });
    flush();
    // The markers that it was owed come once; BoRR went with what was dropped (RFC 7313 §4: EoRR alone is ignored).
    expect(slow.lines).toEqual(["+10.0.0.0/24", "+10.9.1.0/24", "+10.9.2.0/24", "end", "end refresh", "+10.10.0.0/24"]);
  });

  it("does not write again what a slow socket has yet to send, even if the member is gone", () => {
    const pool = new SlabPool();
    const { outbox, join, flush, drain, lagging } = setUp(70_000, pool);
    const slow = join(A);
    join(B);
    slow.capacity = 1;
    outbox.announce(ATTRIBUTES, batchOf("10.0.0.0/24"), { kind: "all" });
    flush();
    const big = new PrefixBatch(Family.Ipv4);
    for (let i = 0; i < 50_000; i++) big.add4((0x0b000000 + (i << 8)) >>> 0, 24, 0);
    for (let i = 0; i < 5; i++) {
      outbox.announce(ATTRIBUTES, big, { kind: "except", peer: A });
      flush();
    }
    expect(lagging).toEqual([A]);
    outbox.leave(A);
    outbox.announce(ATTRIBUTES, big, { kind: "all" });
    flush();
    drain(A);
    expect(slow.lines).toEqual(["+10.0.0.0/24"]);
  });

  it("gives its memory back while nobody is a member, and goes on when somebody is again", () => {
    const pool = new SlabPool();
    const { outbox, join, flush } = setUp(1000, pool);
    join(A);
    outbox.announce(ATTRIBUTES, batchOf("10.0.0.0/24"), { kind: "all" });
    flush();
    outbox.leave(A);
    expect(Buffer.from(pool.take(0).bytes.subarray(0, 16)).toString("hex")).toBe("ff".repeat(16));
    const back = join(A);
    expect(outbox.slowest).toBe(outbox.position);
    outbox.announce(ATTRIBUTES, batchOf("10.1.0.0/24"), { kind: "all" });
    outbox.joined(A);
    flush();
    expect(back.lines).toEqual(["+10.1.0.0/24", "end"]);
  });

  it("asks for more once, and waits while nothing is given", () => {
    const { outbox, join, flush, drain, drained } = setUp(1);
    join(A).capacity = 0;
    const big = new PrefixBatch(Family.Ipv4);
    for (let i = 0; i < 50_000; i++) big.add4((0x0b000000 + (i << 8)) >>> 0, 24, 0);
    outbox.announce(ATTRIBUTES, big, { kind: "all" });
    drain(A);
    flush();
    flush();
    expect(drained).toEqual([A]);
  });

  it("withdraws what cannot be encoded, instead of leaving the old route standing", () => {
    const { outbox, join, flush } = setUp();
    const socket = join(A);
    const huge = createAttributesCodec().encode(
      attributesWith(ipv4(1), { communities: Array.from({ length: 2000 }, (_, i) => i) }),
    );
    outbox.announce(huge, batchOf("10.0.0.0/24"), { kind: "all" });
    flush();
    expect(socket.lines).toEqual(["-10.0.0.0/24"]);
  });
});

describe("writing to many members takes time", () => {
  const big = new PrefixBatch(Family.Ipv4);
  for (let i = 0; i < 5000; i++) big.add4((0x0b000000 + (i << 8)) >>> 0, 24, 0);

  /** Two members and a first route, which both were told in a round of two milliseconds. */
  function afterRound() {
    const world = setUp();
    const { clock, outbox, join, flush } = world;
    const [a, b] = [join(A), join(B)];
    for (const socket of [a, b]) socket.onWrite = () => clock.jump(1);
    const say = (prefix: string) => {
      outbox.announce(ATTRIBUTES, batchOf(prefix), { kind: "all" });
      flush();
    };
    say("10.0.0.0/24");
    expect([a.lines, b.lines]).toEqual([["+10.0.0.0/24"], ["+10.0.0.0/24"]]);
    return { ...world, a, b, say };
  }

  it("so what comes right after a round gathers for four times as long, and goes out in one write", () => {
    const { clock, a, b, say } = afterRound();
    say("10.0.1.0/24");
    clock.advance(7);
    say("10.0.2.0/24");
    expect([a.sizes.length, b.sizes.length]).toEqual([1, 1]);
    clock.advance(1);
    expect(a.lines).toEqual(["+10.0.0.0/24", "+10.0.1.0/24", "+10.0.2.0/24"]);
    expect([a.sizes.length, b.sizes.length]).toEqual([2, 2]);
  });

  it("but after a pause it goes out at once", () => {
    const { clock, a, say } = afterRound();
    clock.jump(8);
    say("10.0.1.0/24");
    expect(a.lines).toEqual(["+10.0.0.0/24", "+10.0.1.0/24"]);
  });

  it("and so does what is worth a write", () => {
    const { a, outbox, flush } = afterRound();
    outbox.announce(ATTRIBUTES, big, { kind: "all" });
    flush();
    expect(a.lines).toHaveLength(5001);
  });

  it("never for longer than ten milliseconds", () => {
    const { clock, a, say } = afterRound();
    a.onWrite = () => clock.jump(50);
    clock.jump(8);
    say("10.0.1.0/24");
    say("10.0.2.0/24");
    expect(a.lines).toHaveLength(2);
    clock.advance(10);
    expect(a.lines).toHaveLength(3);
  });

  it("a member that has room again does not wait", () => {
    const { a, drain, say } = afterRound();
    say("10.0.1.0/24");
    drain(A);
    expect(a.lines).toEqual(["+10.0.0.0/24", "+10.0.1.0/24"]);
  });

  it("and nobody is waited for once all have left", () => {
    const { clock, outbox, say } = afterRound();
    say("10.0.1.0/24");
    expect(clock.pendingTimers).toBe(1);
    outbox.leave(A);
    outbox.leave(B);
    expect(clock.pendingTimers).toBe(0);
  });
});
