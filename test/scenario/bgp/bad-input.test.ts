import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { Family } from "../../../src/bgp/model/family.ts";
import { asn, type PeerId } from "../../../src/bgp/model/ids.ts";
import type { PeerOptions } from "../../../src/bgp/options.ts";
import type { Transport } from "../../../src/bgp/transport.ts";
import { MemoryNetwork } from "../../harness/memory-transport.ts";
import { address, familyOptions, peerOptions } from "../../harness/peer-options.ts";
import { ScriptedPeer } from "../../harness/scripted-peer.ts";
import { TestSpeaker } from "../../harness/test-speaker.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";
import { describeData, rowsOf } from "../../unit/wire/shared-data.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";
const MARKER = "ff".repeat(16);
const KEEPALIVE = `${MARKER} 0013 04`;

type Stage = "OpenSent" | "OpenConfirm" | "Established";

class World {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly a = new TestSpeaker(A, this.network, this.clock);
  readonly transport: Transport = this.network.host(address(B));

  async start(more: Partial<PeerOptions> = {}): Promise<void> {
    await this.a.start({ to: B, passive: true, ...more });
  }

  /** A connection that has come as far as that. */
  connect(stage: Stage): ScriptedPeer {
    const raw = new ScriptedPeer();
    raw.dial(this.transport, this.a.address);
    this.clock.advance(5);
    if (stage !== "OpenSent") raw.sendOpen();
    if (stage === "Established") raw.sendKeepalive();
    this.clock.advance(5);
    return raw;
  }

  /** After damping a new connection is welcome again. */
  recover(): void {
    this.clock.advanceSeconds(61);
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});

describe("what a peer sends that it should not, RFC 4271 §6", () => {
  it.each<[string, Stage, string, string]>([
    [
      "a wrong marker",
      "OpenSent",
      `00${"ff".repeat(15)} 0013 04`,
      "1/1 message header error: connection not synchronized",
    ],
    ["a length of zero", "OpenSent", `${MARKER} 0000 01`, "1/2 message header error: bad message length"],
    ["a length of 18", "Established", `${MARKER} 0012 02`, "1/2 message header error: bad message length"],
    ["a message of 4097 octets", "OpenSent", `${MARKER} 1001 02`, "1/2 message header error: bad message length"],
    ["a KEEPALIVE with a body", "Established", `${MARKER} 0014 04 00`, "1/2 message header error: bad message length"],
    ["an OPEN of 28 octets", "OpenSent", `${MARKER} 001c 01`, "1/2 message header error: bad message length"],
    ["message type 0", "OpenSent", `${MARKER} 0013 00`, "1/3 message header error: bad message type"],
    ["message type 6", "Established", `${MARKER} 0013 06`, "1/3 message header error: bad message type"],
    [
      "an UPDATE before OPEN",
      "OpenSent",
      `${MARKER} 0017 02 0000 0000`,
      "5/1 finite state machine error: unexpected message in OpenSent",
    ],
    [
      "a KEEPALIVE before OPEN",
      "OpenSent",
      KEEPALIVE,
      "5/1 finite state machine error: unexpected message in OpenSent",
    ],
    [
      "a ROUTE-REFRESH before OPEN",
      "OpenSent",
      `${MARKER} 0017 05 0001 00 01`,
      "5/1 finite state machine error: unexpected message in OpenSent",
    ],
    [
      "an UPDATE before KEEPALIVE",
      "OpenConfirm",
      `${MARKER} 0017 02 0000 0000`,
      "5/2 finite state machine error: unexpected message in OpenConfirm",
    ],
    [
      "a second OPEN",
      "Established",
      `${MARKER} 001d 01 04 fde8 005a 0a000009 00`,
      "5/3 finite state machine error: unexpected message in Established",
    ],
    [
      "version 3",
      "OpenSent",
      `${MARKER} 001d 01 03 fde8 005a 0a000009 00`,
      "2/1 OPEN error: unsupported version number: it supports version 4",
    ],
    ["AS 1", "OpenSent", `${MARKER} 001d 01 04 0001 005a 0a000009 00`, "2/2 OPEN error: bad peer AS"],
    ["AS 0", "OpenSent", `${MARKER} 001d 01 04 0000 005a 0a000009 00`, "2/2 OPEN error: bad peer AS"],
    ["identifier 0", "OpenSent", `${MARKER} 001d 01 04 fde8 005a 00000000 00`, "2/3 OPEN error: bad BGP Identifier"],
    [
      "our own identifier",
      "OpenSent",
      `${MARKER} 001d 01 04 fde8 005a 0a000001 00`,
      "2/3 OPEN error: bad BGP Identifier",
    ],
    [
      "a hold time of 1",
      "OpenSent",
      `${MARKER} 001d 01 04 fde8 0001 0a000009 00`,
      "2/6 OPEN error: unacceptable hold time",
    ],
    [
      "an optional parameter of type 1",
      "OpenSent",
      `${MARKER} 0020 01 04 fde8 005a 0a000009 03 010100`,
      "2/4 OPEN error: unsupported optional parameter",
    ],
    ["parameters longer than the message", "OpenSent", `${MARKER} 001d 01 04 fde8 005a 0a000009 40`, "2/0 OPEN error"],
    [
      "withdrawn routes longer than the message",
      "Established",
      `${MARKER} 0017 02 ffff 0000`,
      "3/1 UPDATE error: malformed attribute list",
    ],
    [
      "a ROUTE-REFRESH that is too long",
      "Established",
      `${MARKER} 0018 05 0001 01 01 00`,
      "7/1 ROUTE-REFRESH error: invalid message length",
    ],
  ])("%s in %s", async (_name, stage, hex, notification) => {
    await world.start();
    const raw = world.connect(stage);
    expect(world.a.state()).toBe(stage);
    raw.send(hex);
    world.clock.advance(5);
    expect(raw.heard.slice(-2)).toEqual([`NOTIFICATION ${notification}`, "closed: the peer closed the connection"]);
    expect(world.a.lastError()).toContain(notification.slice(4));
    world.recover();
    world.connect("Established");
    expect(world.a.state()).toBe("Established");
  });

  it("a malformed attribute costs the routes that carry it, not the session (RFC 7606)", async () => {
    await world.start();
    const raw = world.connect("Established");
    // ORIGIN with the value 9; AS_PATH empty; NEXT_HOP 10.0.0.2; LOCAL_PREF 100; 10.1.0.0/16.
    raw.send(`${MARKER} 002f 02 0000 0015 40010109 400200 4003040a000002 40050400000064 100a01`);
    world.clock.advance(5);
    expect(world.a.state()).toBe("Established");
    expect(world.a.rib.lines.at(-1)).toBe("1 -10.1.0.0/16");
    expect(world.a.log.lines.filter((l) => l.event === "malformed attribute")).toHaveLength(1);
  });

  it("one octet at a time is as good as all at once", async () => {
    await world.start();
    const raw = world.connect("OpenSent");
    const options = peerOptions();
    const collected: number[] = [];
    const real = raw.connection;
    raw.connection = { ...(real as object), write: (b: Uint8Array) => collected.push(...b) } as unknown as NonNullable<
      typeof real
    >;
    raw.sendOpen(options);
    raw.sendKeepalive();
    raw.connection = real;
    for (const octet of collected) {
      raw.send(Uint8Array.of(octet));
      world.clock.advance(1);
    }
    expect(world.a.state()).toBe("Established");
  });

  it("a reset in the middle of a message is only the end of the connection", async () => {
    await world.start();
    const raw = world.connect("Established");
    raw.send(`${MARKER} 0100 02 0000`);
    world.clock.advance(2);
    world.network.cut(world.a.address, address(B));
    expect(world.a.lastError()).toBe("the peer reset the connection");
    world.recover();
    world.connect("Established");
    expect(world.a.state()).toBe("Established");
  });

  it("silence before OPEN ends after four minutes (§8.2.2)", async () => {
    await world.start();
    const raw = world.connect("OpenSent");
    world.clock.advanceSeconds(241);
    expect(raw.heard.at(-2)).toBe("NOTIFICATION 4/0 hold timer expired");
  });

  it("any octets whatever leave the speaker able to hold a session", async () => {
    await world.start();
    const stages = fc.constantFrom<Stage>("OpenSent", "OpenConfirm", "Established");
    const body = fc.uint8Array({ maxLength: 80 });
    const framed = fc.tuple(fc.integer({ min: 0, max: 7 }), body).map(([type, bytes]) => {
      const message = new Uint8Array(19 + bytes.length).fill(255, 0, 16);
      message[17] = message.length;
      message[18] = type;
      message.set(bytes, 19);
      return message;
    });
    fc.assert(
      fc.property(stages, fc.array(fc.oneof(framed, body), { maxLength: 5 }), (stage, messages) => {
        const raw = world.connect(stage);
        for (const message of messages) raw.send(message);
        world.clock.advance(20);
        raw.connection?.close();
        world.recover();
      }),
      { numRuns: 150 },
    );
    const raw = world.connect("Established");
    expect(world.a.state()).toBe("Established");
    expect(raw.connection).toBeDefined();
  });
});

describe("peers without capabilities, RFC 5492 §3", () => {
  it("an old speaker gets a session for IPv4 with two-octet AS numbers", async () => {
    await world.start({ families: [familyOptions(Family.Ipv4), familyOptions(Family.Ipv6)] });
    const raw = world.connect("OpenSent");
    raw.send(`${MARKER} 001d 01 04 fde8 005a 0a000009 00`);
    raw.sendKeepalive();
    world.clock.advance(5);
    expect(world.a.speaker.peer(1 as PeerId)?.negotiated).toMatchObject({
      families: [{ family: Family.Ipv4 }],
      fourOctetAs: false,
      extendedMessages: false,
    });
    expect(world.a.state()).toBe("Established");
  });

  it("one that rejects them is asked once more without, at once", async () => {
    await world.start({ passive: false });
    const raw = new ScriptedPeer();
    await raw.listen(world.transport, address(B));
    world.clock.advanceSeconds(6);
    expect(raw.opens).toHaveLength(1);
    raw.send(`${MARKER} 0015 03 02 04`);
    world.clock.advance(20);
    expect(raw.opens).toHaveLength(2);
    expect(raw.opens[0]?.capabilities).not.toEqual([]);
    expect(raw.opens[1]?.capabilities).toEqual([]);
    raw.send(`${MARKER} 0015 03 02 04`);
    world.clock.advanceSeconds(4);
    expect(raw.opens).toHaveLength(2);
    world.clock.advanceSeconds(20);
    expect(raw.opens[2]?.capabilities).not.toEqual([]);
    expect(world.a.lastError()).toBe("received NOTIFICATION: OPEN error: unsupported optional parameter");
  });
});

describe("who may connect", () => {
  it("strangers are turned away, with one line of log in ten seconds", async () => {
    await world.start();
    for (let i = 0; i < 50; i++) {
      const raw = new ScriptedPeer();
      raw.dial(world.network.host(address(`10.9.0.${i}`)), world.a.address);
      world.clock.advance(100);
      expect(raw.heard).toEqual(["closed: the peer closed the connection"]);
    }
    world.clock.advanceSeconds(10);
    const lines = world.a.log.lines.filter((l) => l.event === "connection from a stranger refused");
    expect(lines.map((l) => l.fields)).toEqual([
      { address: "10.9.0.0", count: 1 },
      { address: "10.9.0.49", count: 49 },
    ]);
    expect(world.network.connections).toBe(0);
  });

  it("a peer of another AS is kept waiting, longer each time", async () => {
    await world.start({ remoteAs: [asn(65009)] });
    let refused = 0;
    for (let i = 0; i < 60; i++) {
      const raw = world.connect("OpenConfirm");
      if (!raw.heard.includes("OPEN")) refused++;
      world.clock.advanceSeconds(1);
    }
    expect(refused).toBeGreaterThan(50);
    expect(world.a.lastError()).toBe("the peer says it is AS 65000; configured: 65009 (sent OPEN error: bad peer AS)");
  });

  it("of two connections of the peer's own the newer one is used", async () => {
    await world.start();
    const first = world.connect("OpenConfirm");
    const second = world.connect("Established");
    expect(first.heard.slice(-2)).toEqual([
      "NOTIFICATION 6/7 Cease: connection collision resolution",
      "closed: the peer closed the connection",
    ]);
    expect(second.connection).toBeDefined();
    expect(world.a.state()).toBe("Established");
  });
});

describeData("fuzz/corpus.jsonl", "fuzzers' corpora against a live session", () => {
  const rows = rowsOf<{ label: string; hex: string }>("fuzz/corpus.jsonl");
  const pocs = rowsOf<{ name: string; hex: string | null }>("fuzz/crash-poc.jsonl");
  const labels = [...new Set(rows.map((r) => r.label))];
  const cases: [string, readonly string[]][] = [
    ["known crashers", pocs.flatMap((p) => p.hex ?? [])],
    ...labels.map((label): [string, readonly string[]] => [
      label,
      rows.filter((r) => r.label === label).map((r) => r.hex),
    ]),
  ];

  it.each(cases)("%s", async (_name, inputs) => {
    await world.start();
    for (const hex of inputs) {
      for (const stage of ["OpenSent", "Established"] as const) {
        const raw = world.connect(stage);
        raw.send(Buffer.from(hex, "hex"));
        world.clock.advance(5);
        raw.connection?.close();
        world.recover();
      }
    }
    world.connect("Established");
    expect(world.a.state()).toBe("Established");
  });
});

interface CaptureRow {
  readonly pcap: string;
  readonly hex: string;
}

describeData("pcap/pcap-messages.jsonl", "messages of packet captures against a live session", () => {
  it("whatever they are, the speaker goes on", async () => {
    await world.start();
    for (const { hex } of rowsOf<CaptureRow>("pcap/pcap-messages.jsonl")) {
      const raw = world.connect("Established");
      raw.send(Buffer.from(hex, "hex"));
      world.clock.advance(5);
      raw.connection?.close();
      world.recover();
    }
    world.connect("Established");
    expect(world.a.state()).toBe("Established");
  });
});
