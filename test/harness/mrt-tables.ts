/** Replays an MRT file through framing, decoding and the tables, and gives what then stands in each peer's AdjRibIn. */

import { parseAddress } from "../../src/bgp/model/address.ts";
import { Family } from "../../src/bgp/model/family.ts";
import { asn, type PeerId, routerId } from "../../src/bgp/model/ids.ts";
import { MessageType, NotificationError } from "../../src/bgp/model/messages.ts";
import type { Outbox } from "../../src/bgp/model/ports.ts";
import { formatPrefix } from "../../src/bgp/model/prefix.ts";
import type { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import { createAttributesCodec } from "../../src/bgp/wire/attributes-codec.ts";
import { Framer } from "../../src/bgp/wire/framer.ts";
import { MAX_EXTENDED_LENGTH } from "../../src/bgp/wire/header.ts";
import { UpdateDecoder } from "../../src/bgp/wire/update-decoder.ts";
import { Rib } from "../../src/rib/rib.ts";
import { routes } from "../../src/rib/routes.ts";
import { BgpdumpModel, bgpdumpAttributes, type Tables, tableOf } from "./bgpdump-text.ts";
import { attributesIn } from "./canonical.ts";
import type { MrtPeer } from "./mrt.ts";
import { peerKey, type ReplayEvent } from "./mrt-updates.ts";
import { facts, peerOptions, StepClock } from "./rib-bench.ts";

export interface Replayed {
  /** AdjRibIn of every session, as it stands at the end. */
  readonly tables: Tables;
  /** What the decoder made of every UPDATE. */
  readonly said: BgpdumpModel;
  /** What RFC 7606 had to mend, and how often. */
  readonly problems: ReadonlyMap<string, number>;
  /** What would have ended a session. */
  readonly resets: ReadonlyMap<string, number>;
}

/** The collector's AS in the tables that we fill: no path may hold it. */
const OUR_AS = asn(4_200_000_001);
const TURN = 2000;

const deafOutbox: Outbox = {
  announce: () => {},
  withdraw: () => {},
  join: () => {},
  joined: () => {},
  refresh: () => {},
  rejoin: () => {},
  leave: () => {},
  flush: () => {},
  position: 0,
  slowest: 0,
};

export function replayIntoTables(events: Iterable<ReplayEvent>): Replayed {
  const replayer = new TableReplayer();
  let count = 0;
  for (const event of events) {
    replayer.take(event);
    if (++count % TURN === 0) replayer.settle();
  }
  replayer.settle();
  return { tables: replayer.tables(), said: replayer.said, problems: replayer.problems, resets: replayer.resets };
}

interface ReplaySession {
  readonly id: PeerId;
  readonly key: string;
  readonly peer: MrtPeer;
  readonly addPath: boolean;
  framer: Framer;
  readonly internal: boolean;
  /** By width of AS numbers: some collectors switch in the middle of a session. */
  readonly decoders: Map<boolean, UpdateDecoder>;
  isUp: boolean;
}

class TableReplayer {
  readonly said = new BgpdumpModel();
  readonly problems = new Map<string, number>();
  readonly resets = new Map<string, number>();
  readonly #clock = new StepClock();
  readonly #sessions = new Map<string, ReplaySession>();
  readonly #byId = new Map<PeerId, ReplaySession>();
  readonly #rib = createRib(this.#clock);

  take(event: ReplayEvent): void {
    if (event.kind === "message") this.#message(event);
    else this.#downAll(event.peer);
  }

  #downAll(peer: MrtPeer): void {
    this.said.down(peerKey(peer));
    for (const addPath of [false, true]) this.#down(this.#sessions.get(sessionKey(peer, addPath)));
  }

  settle(): void {
    while (this.#clock.turn());
  }

  tables(): Tables {
    const tables: Tables = new Map();
    const query = { family: undefined, prefix: undefined, longer: false, address: undefined, peer: undefined };
    const received = { view: "received", explicitView: true, source: undefined, matches: undefined } as const;
    for (const route of routes(this.#rib, { ...query, ...received })) {
      const session = route === undefined ? undefined : this.#byId.get(route.peer);
      if (route === undefined || session === undefined) continue;
      const path = session.addPath ? `#${route.pathId}` : "";
      const table = tableOf(tables, session.key);
      table.set(formatPrefix(route.prefix) + path, bgpdumpAttributes(route.attributes));
    }
    return tables;
  }

  #message(event: Extract<ReplayEvent, { kind: "message" }>): void {
    const session = this.#session(event);
    session.framer.push(event.message);
    try {
      for (let frame = session.framer.next(); frame !== undefined; frame = session.framer.next()) {
        if (frame.type === MessageType.Update) this.#update(session, this.#decoder(session, event), frame.body);
      }
    } catch (error) {
      if (!(error instanceof NotificationError)) throw error;
      count(this.resets, error.message);
      session.framer = new Framer(MAX_EXTENDED_LENGTH);
    }
  }

  #update(session: ReplaySession, decoder: UpdateDecoder, body: Uint8Array): void {
    const update = decoder.decode(body);
    for (const problem of update.problems) count(this.problems, `${problem.outcome}: ${problem.reason}`);
    for (const prefixes of update.withdrawn) {
      this.#rib.withdraw(session.id, prefixes);
      for (const path of pathsOf(prefixes, session.addPath)) this.said.withdraw(session.key, path);
    }
    for (const { attributes, prefixes } of update.announced) {
      this.#rib.announce(session.id, attributes, prefixes);
      const text = bgpdumpAttributes(attributesIn(attributes));
      for (const path of pathsOf(prefixes, session.addPath)) this.said.announce(session.key, path, text);
    }
  }

  #session(event: Extract<ReplayEvent, { kind: "message" }>): ReplaySession {
    const key = sessionKey(event.peer, event.addPath);
    let session = this.#sessions.get(key);
    if (session === undefined) {
      const id = (this.#sessions.size + 1) as PeerId;
      // A table holds routes as its owner would give them to a speaker of its own AS, LOCAL_PREF included.
      const internal = event.localAs === undefined || event.localAs === event.peer.asNumber;
      const { peer, addPath } = event;
      session = {
        id,
        key,
        peer,
        addPath,
        internal,
        framer: new Framer(MAX_EXTENDED_LENGTH),
        decoders: new Map(),
        isUp: false,
      };
      this.#sessions.set(key, session);
      this.#byId.set(id, session);
      this.#rib.addPeer(peerOptions(id, { internal, localAs: OUR_AS, peerAs: asn(event.peer.asNumber) }));
    }
    if (!session.isUp) this.#up(session);
    return session;
  }

  #up(session: ReplaySession): void {
    session.isUp = true;
    const address = parseAddress(session.peer.address);
    this.#rib.peerUp(
      session.id,
      facts(session.id, {
        internal: session.internal,
        peerAs: asn(session.peer.asNumber),
        localAs: OUR_AS,
        remoteRouterId: routerId(session.peer.routerId || session.id),
        families: familiesOf(session),
        ...(address === undefined ? {} : { remoteAddress: address }),
      }),
    );
  }

  #down(session: ReplaySession | undefined): void {
    if (session?.isUp !== true) return;
    session.isUp = false;
    this.#rib.peerDown(session.id, { kind: "flush" });
  }

  #decoder(session: ReplaySession, { fourOctetAs }: { readonly fourOctetAs: boolean }): UpdateDecoder {
    let decoder = session.decoders.get(fourOctetAs);
    if (decoder === undefined) {
      decoder = new UpdateDecoder({ internal: session.internal, fourOctetAs, families: familiesOf(session) });
      session.decoders.set(fourOctetAs, decoder);
    }
    return decoder;
  }
}

function pathsOf(prefixes: PrefixBatch, addPath: boolean): string[] {
  return Array.from({ length: prefixes.count }, (_, i) => {
    const prefix = formatPrefix(prefixes.prefixAt(i));
    return addPath ? `${prefix}#${prefixes.pathIds[i]}` : prefix;
  });
}

function familiesOf({ addPath }: { readonly addPath: boolean }) {
  return [Family.Ipv4, Family.Ipv6].map((family) => ({
    family,
    addPathReceive: addPath,
    addPathSend: false,
    extendedNextHop: false,
  }));
}

function sessionKey(peer: MrtPeer, addPath: boolean): string {
  return addPath ? `${peerKey(peer)}|AP` : peerKey(peer);
}

function createRib(clock: StepClock): Rib {
  return new Rib({
    options: {
      asNumber: OUR_AS,
      routerId: routerId(99),
      clusterId: routerId(99),
      maxPaths: 1,
      alwaysCompareMed: false,
      resolveNextHops: false,
      priorities: undefined,
      kernelRules: [],
    },
    clock,
    codec: createAttributesCodec(),
    createOutbox: () => deafOutbox,
    forwarding: undefined,
    surroundings: {
      interfaceName: () => undefined,
      isOwnAddress: () => false,
      isLinkUp: () => true,
      interfaceIndex: () => 0,
      sessionInterface: () => 0,
      localAddress: () => undefined,
    },
    events: { bestChanged: () => {}, limitReached: () => {}, settled: () => {} },
  });
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
