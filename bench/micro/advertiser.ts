/** Fan-out of one update group: 1000 messages to 1000 members, into sinks that only count and into sockets on loopback. */

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
import type { MicroTask } from "./micro-task.ts";

const MEMBERS = 1000;
const MESSAGES = 1000;
const SOCKETS = 200;
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

export async function advertiserTasks(): Promise<MicroTask[]> {
  return [
    countOnly("to all", () => ALL),
    countOnly("to all but the source", except(MEMBERS)),
    await overSockets(except(SOCKETS)),
  ];
}

/** As many writes as members times messages: the time is that of one. */
function countOnly(name: string, audienceOf: (i: number) => Audience): MicroTask {
  const sinks = Array.from({ length: MEMBERS }, () => new CountingSink());
  const outbox = advertiser(sinks);
  let longest = 0;
  let calls = 0;
  return {
    name: `${MESSAGES} messages ${name}, ${MEMBERS} members that count, each message and member`,
    units: MEMBERS * MESSAGES,
    calls: 5,
    async run() {
      calls += 1;
      fill(outbox, audienceOf);
      outbox.flush();
      longest = await until(() => outbox.slowest === outbox.position);
    },
    note() {
      const writes = sinks.reduce((sum, sink) => sum + sink.writes, 0) / calls;
      return `${Math.round(writes)} writes a run, longest turn ${longest.toFixed(1)} ms`;
    },
  };
}

async function overSockets(audienceOf: (i: number) => Audience): Promise<MicroTask> {
  let received = 0;
  const server = createServer((socket) =>
    socket.on("data", (chunk) => {
      received += chunk.length;
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => connected(port)));
  const sinks = sockets.map((socket) => new SocketSink(socket));
  const outbox = advertiser(sinks);
  for (const [i, socket] of sockets.entries()) socket.on("drain", () => outbox.drained((i + 1) as PeerId));
  const allArrived = () => received === sinks.reduce((sum, sink) => sum + sink.octets, 0);
  let longest = 0;
  return {
    name: `${MESSAGES} messages to all but the source, ${SOCKETS} sockets on loopback, each message and socket`,
    units: SOCKETS * MESSAGES,
    calls: 5,
    async run() {
      fill(outbox, audienceOf);
      outbox.flush();
      longest = await until(() => outbox.slowest === outbox.position && allArrived());
    },
    note: () =>
      `${(received / 1e6).toFixed(1)} MB in all, both ends in this process, longest turn ${longest.toFixed(1)} ms`,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true }, () => resolve(socket));
  });
}
