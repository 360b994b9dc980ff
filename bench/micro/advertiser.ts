/**
 * Fan-out of one update group: 1000 messages to 1000 members, into sinks that only count and into sockets on loopback.
 * Run: npx tsx bench/micro/advertiser.ts [members] [messages] [sockets]
 */

import { connect, createServer, type Socket } from "node:net";
import { Advertiser } from "../../src/bgp/advertiser.ts";
import { SlabPool } from "../../src/bgp/message-log.ts";
import { ipv4 } from "../../src/bgp/model/address.ts";
import { attributesWith } from "../../src/bgp/model/attributes.ts";
import { Family } from "../../src/bgp/model/family.ts";
import type { PeerId } from "../../src/bgp/model/ids.ts";
import type { Audience } from "../../src/bgp/model/ports.ts";
import { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import type { MessageSink } from "../../src/bgp/outbox-member.ts";
import { Turns } from "../../src/bgp/turns.ts";
import { createAttributesCodec } from "../../src/bgp/wire/attributes-codec.ts";
import { silentLogger } from "../../test/harness/silent-logger.ts";
import { systemClock } from "../../test/harness/system-clock.ts";

const MEMBERS = Number(process.argv[2] ?? 1000);
const MESSAGES = Number(process.argv[3] ?? 1000);
const SOCKETS = Number(process.argv[4] ?? 200);
const PREFIXES = 5;
const ENCODING = {
  family: Family.Ipv4,
  fourOctetAs: true,
  addPath: false,
  extendedNextHop: false,
  maxMessageLength: 4096,
};

class CountingSink implements MessageSink {
  readonly isBlocked = false;
  readonly unsent = 0;
  octets = 0;
  writes = 0;
  updates = 0;
  write(bytes: Uint8Array, updates: number): void {
    this.octets += bytes.length;
    this.updates += updates;
    this.writes++;
  }
  cork(): void {}
  uncork(): void {}
  countRouteRefresh(): void {}
}

class SocketSink implements MessageSink {
  readonly #socket: Socket;
  octets = 0;
  constructor(socket: Socket) {
    this.#socket = socket;
  }
  get isBlocked(): boolean {
    return this.#socket.writableNeedDrain && this.#socket.writableLength > 0;
  }
  get unsent(): number {
    return this.#socket.writableLength;
  }
  write(bytes: Uint8Array): void {
    this.octets += bytes.length;
    this.#socket.write(bytes);
  }
  cork(): void {
    this.#socket.cork();
  }
  uncork(): void {
    this.#socket.uncork();
  }
  countRouteRefresh(): void {}
}

const codec = createAttributesCodec();
const sets = Array.from({ length: MESSAGES }, (_, i) =>
  codec.encode(attributesWith(ipv4(0x0a000000 + i), { localPref: 100, originatorId: undefined })),
);

function advertiser(sinks: readonly MessageSink[]): Advertiser {
  const made = new Advertiser(
    ENCODING,
    { lagging: (peer) => console.log(`lagging: ${peer}`), drained: () => {} },
    {
      clock: systemClock,
      logger: silentLogger,
      turns: new Turns(systemClock),
      pool: new SlabPool(),
      sinkOf: (peer) => sinks[peer - 1],
      joined: () => {},
      left: () => {},
      maxBacklog: 1 << 30,
    },
  );
  for (let i = 0; i < sinks.length; i++) {
    made.join((i + 1) as PeerId);
    made.joined((i + 1) as PeerId);
  }
  return made;
}

/** As a reflector does it: message i comes from client i, and everybody else gets it. */
function fill(outbox: Advertiser, audienceOf: (i: number) => Audience): void {
  const batch = new PrefixBatch(Family.Ipv4);
  for (let i = 0; i < MESSAGES; i++) {
    batch.clear();
    for (let p = 0; p < PREFIXES; p++) batch.add4((0x0b000000 + i * 2048 + p * 64) >>> 0, 26, 0);
    outbox.announce(sets[i] as Uint8Array, batch, audienceOf(i));
  }
}

async function until(isDone: () => boolean): Promise<number> {
  let longest = 0;
  let last = performance.now();
  while (!isDone()) {
    await new Promise((resolve) => setImmediate(resolve));
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }
  return longest;
}

const ALL: Audience = { kind: "all" };
const except =
  (members: number) =>
  (i: number): Audience => ({ kind: "except", peer: ((i % members) + 1) as PeerId });

async function countOnly(name: string, audienceOf: (i: number) => Audience): Promise<void> {
  const sinks = Array.from({ length: MEMBERS }, () => new CountingSink());
  const outbox = advertiser(sinks);
  outbox.flush();
  await until(() => outbox.slowest === outbox.position);
  const writesBefore = sinks.reduce((n, s) => n + s.writes, 0);
  const from = performance.now();
  fill(outbox, audienceOf);
  const encoded = performance.now();
  outbox.flush();
  const longest = await until(() => outbox.slowest === outbox.position);
  const done = performance.now();
  const writes = sinks.reduce((n, s) => n + s.writes, 0) - writesBefore;
  console.log(
    `${name}: encode ${(encoded - from).toFixed(1)} ms, fan-out to ${MEMBERS} members ${(done - encoded).toFixed(1)} ms, ` +
      `${writes} writes, ${(((done - encoded) * 1e6) / writes).toFixed(0)} ns a write, longest turn ${longest.toFixed(1)} ms`,
  );
}

async function overSockets(audienceOf: (i: number) => Audience): Promise<void> {
  let received = 0;
  const server = createServer((socket) => socket.on("data", (chunk) => (received += chunk.length)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  const sockets = await Promise.all(
    Array.from(
      { length: SOCKETS },
      () =>
        new Promise<Socket>((resolve) => {
          const socket = connect({ host: "127.0.0.1", port, noDelay: true }, () => resolve(socket));
        }),
    ),
  );
  const sinks = sockets.map((socket) => new SocketSink(socket));
  const outbox = advertiser(sinks);
  for (const [i, socket] of sockets.entries()) socket.on("drain", () => outbox.drained((i + 1) as PeerId));
  outbox.flush();
  await until(() => outbox.slowest === outbox.position);
  const cpu = process.cpuUsage();
  const from = performance.now();
  fill(outbox, audienceOf);
  outbox.flush();
  const longest = await until(
    () => outbox.slowest === outbox.position && received === sinks.reduce((n, s) => n + s.octets, 0),
  );
  const used = process.cpuUsage(cpu);
  console.log(
    `sockets: ${SOCKETS} on loopback, ${(performance.now() - from).toFixed(1)} ms, CPU ${((used.user + used.system) / 1e6).toFixed(2)} s ` +
      `(both ends), ${(received / 1e6).toFixed(1)} MB, longest turn ${longest.toFixed(1)} ms`,
  );
  for (const socket of sockets) socket.destroy();
  server.close();
}

for (let round = 0; round < 3; round++) {
  await countOnly("all", () => ALL);
  await countOnly("except the source", except(MEMBERS));
}
await overSockets(except(SOCKETS));
