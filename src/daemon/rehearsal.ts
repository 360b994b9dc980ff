/**
 * A rehearsal before the first routes come: made-up ones go through a daemon of their own, in memory, from octets to octets. The
 * first thing that a router is asked after a start is everything at once, and JavaScript is compiled only as it runs.
 * `bench/NOTES.md` has what it costs and gives.
 */

import { type IpAddress, ipv4, ipv6 } from "../bgp/model/address.ts";
import { SegmentType } from "../bgp/model/as-path.ts";
import { attributesWith } from "../bgp/model/attributes.ts";
import { InternalError } from "../bgp/model/errors.ts";
import { Family } from "../bgp/model/family.ts";
import { asn, routerId } from "../bgp/model/ids.ts";
import type { Clock } from "../bgp/model/ports.ts";
import { PrefixBatch } from "../bgp/model/prefix-batch.ts";
import type { Connection, ConnectionHandler, Doorman, Transport } from "../bgp/transport.ts";
import { createAttributesCodec } from "../bgp/wire/attributes-codec.ts";
import { encodeKeepalive } from "../bgp/wire/keepalive.ts";
import { encodeOpen } from "../bgp/wire/open.ts";
import { UpdateEncoder } from "../bgp/wire/update-encoder.ts";
import { loadText } from "../config/load.ts";
import type { DaemonLogger } from "../control/log.ts";
import { Daemon } from "./daemon.ts";
import { KernelSide } from "./kernel-side.ts";
import { Links } from "./links.ts";

/** Room for all that is said at once. */
const CHUNK = 64 * 1024;
/** Little enough to leave nothing behind; told and taken back so often that what tells them is compiled for good. */
const SETS = 200;
const PREFIXES_OF_A_SET = 10;
const ROUNDS = 4;
/** Turns of the event loop in which nothing happens, until all has been said. */
const QUIET_TURNS = 4;

/** An external and an internal peer that announce, and one of each that is told. */
const CAST = [
  { address: ipv4(0xc0000201), asNumber: 64513, announces: true },
  { address: ipv4(0xc0000202), asNumber: 64514, announces: false },
  { address: ipv4(0xc0000203), asNumber: 64512, announces: true },
  { address: ipv4(0xc0000204), asNumber: 64512, announces: false },
] as const;
const LOCAL = ipv4(0xc00002fe);
const CONFIG = `
asNumber: 64512
routerId: 192.0.2.254
listen: { addresses: [192.0.2.254] }
peerDefaults: { passive: true, gracefulRestart: false, families: { ipv4: {}, ipv6: {} } }
peers:
  - { address: 192.0.2.1, asNumber: 64513, multihop: 2 }
  - { address: 192.0.2.2, asNumber: 64514, multihop: 2 }
  - { address: 192.0.2.3, asNumber: 64512, routeReflectorClient: true }
  - { address: 192.0.2.4, asNumber: 64512, routeReflectorClient: true }
kernel: { enabled: false }
`;

/**
 * All in small slices, between which everything else has its turn; over as soon as `isWanted` says no. Resolves with the octets that
 * the cast was told.
 */
export async function rehearse(clock: Clock, isWanted: () => boolean): Promise<number> {
  const stage = new Stage();
  const daemon = createDaemon(clock, stage);
  await daemon.start();
  const actors = CAST.map(({ address, asNumber, announces }) => {
    const actor = new Actor(address);
    stage.enter(actor);
    actor.say(openOf(address, asNumber), encodeKeepalive());
    return { actor, announces };
  });
  const scenes = [sceneOf(Family.Ipv4), sceneOf(Family.Ipv6)];
  const scripts = scenes.flatMap(({ announced, withdrawn }) => [announced, withdrawn]);
  for (let scene = 0; scene < ROUNDS * scripts.length && isWanted(); scene++) {
    const script = scripts[scene % scripts.length] as Uint8Array;
    for (const { actor, announces } of actors) if (announces) actor.say(script);
    await untilQuiet(clock, actors, isWanted);
  }
  await daemon.stop(false);
  return actors.reduce((sum, { actor }) => sum + actor.heard, 0);
}

function createDaemon(clock: Clock, transport: Transport): Daemon {
  const { config } = loadText(CONFIG, "rehearsal", {
    routerId: () => undefined,
    addresses: () => [],
    readText: () => ({ kind: "error", message: "not in a rehearsal" }),
    environment: () => undefined,
    resolvePath: (path) => path,
    routingTable: () => undefined,
  });
  if (config === undefined) throw new InternalError("the configuration of the rehearsal is wrong");
  const links = new Links(() => []);
  const kernel = new KernelSide({
    open: () => {
      throw new InternalError("a rehearsal has no kernel");
    },
    clock,
    logger: SILENCE,
    links,
    settled: () => {},
  });
  return new Daemon(config, {
    clock,
    logger: SILENCE,
    transport,
    random: Math.random,
    links,
    kernel,
    hostName: "rehearsal",
    restarting: false,
    observeConvergence: () => {},
  });
}

const SILENCE: DaemonLogger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  setLevels: () => {},
  flush: () => {},
};

/** When nobody has had anything to say or to hear for some turns of the event loop. */
async function untilQuiet(
  clock: Clock,
  actors: readonly { readonly actor: Actor }[],
  isWanted: () => boolean,
): Promise<void> {
  for (let still = 0; still < QUIET_TURNS && isWanted(); ) {
    const before = actors.reduce((sum, { actor }) => sum + actor.heard, 0);
    await new Promise<void>((resolve) => clock.soon(resolve));
    let isBusy = false;
    for (const { actor } of actors) if (actor.perform()) isBusy = true;
    const after = actors.reduce((sum, { actor }) => sum + actor.heard, 0);
    still = isBusy || before !== after ? 0 : still + 1;
  }
}

/** The transport: whoever enters is let in. */
class Stage implements Transport {
  #doorman: Doorman | undefined;

  dial() {
    return { cancel: () => {} };
  }

  async listen(address: IpAddress, port: number, doorman: Doorman) {
    this.#doorman = doorman;
    return { address, port, setKey: () => {}, close: () => {} };
  }

  async settled(): Promise<void> {}

  enter(actor: Actor): void {
    this.#doorman?.admits(actor.remoteAddress, undefined, LOCAL);
    this.#doorman?.accept(actor);
  }
}

/** One peer's connection: says what is in its script, and takes whatever it is told. */
class Actor implements Connection {
  readonly localAddress = LOCAL;
  readonly remoteAddress: IpAddress;
  readonly interface = undefined;
  readonly unsent = 0;
  readonly isBlocked = false;
  readonly silentMilliseconds = 0;
  /** Octets. */
  heard = 0;
  #handler: ConnectionHandler | undefined;
  #isPaused = false;
  #script: Uint8Array[] = [];

  constructor(address: IpAddress) {
    this.remoteAddress = address;
  }

  start(handler: ConnectionHandler): void {
    this.#handler = handler;
  }

  say(...chunks: readonly Uint8Array[]): void {
    // Sockets give Buffers, and compiled code is for what it has seen.
    this.#script.push(...chunks.map((chunk) => Buffer.from(chunk)));
  }

  /** The next chunk of its script; false when there is none. */
  perform(): boolean {
    if (this.#isPaused) return true;
    const chunk = this.#script.shift();
    if (chunk !== undefined) this.#handler?.received(chunk);
    return chunk !== undefined;
  }

  write(bytes: Uint8Array): void {
    this.heard += bytes.length;
  }

  setKey(): boolean {
    return true;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  cork(): void {}
  uncork(): void {}
  close(): void {}
  abort(): void {}
}

function openOf(address: IpAddress, asNumber: number): Uint8Array {
  const family = (afi: number) => ({ kind: "multiprotocol", afi, safi: 1 }) as const;
  return encodeOpen({
    version: 4,
    myAs: asNumber,
    holdTimeSeconds: 90,
    bgpIdentifier: routerId(address.w0),
    capabilities: [family(Family.Ipv4), family(Family.Ipv6), { kind: "fourOctetAs", asNumber: asn(asNumber) }],
  });
}

/** UPDATEs: routes, and their withdrawal. */
function sceneOf(family: Family): { readonly announced: Uint8Array; readonly withdrawn: Uint8Array } {
  const encoder = new UpdateEncoder({
    family,
    fourOctetAs: true,
    addPath: false,
    extendedNextHop: false,
    maxMessageLength: 4096,
  });
  const codec = createAttributesCodec();
  const batch = new PrefixBatch(family, PREFIXES_OF_A_SET);
  const announced = new Uint8Array(CHUNK);
  const withdrawn = new Uint8Array(CHUNK);
  let announcedEnd = 0;
  let withdrawnEnd = 0;
  for (let set = 0; set < SETS; set++) {
    batch.clear();
    for (let i = 0; i < PREFIXES_OF_A_SET; i++) {
      const n = set * PREFIXES_OF_A_SET + i;
      if (family === Family.Ipv4) batch.add4(0x0a000000 + n * 256, 24 + (n % 3), 0);
      else batch.add6(0x20010db8, n * 65536, 0, 0, 48, 0);
    }
    const nextHop = family === Family.Ipv4 ? ipv4(0xc0000201) : ipv6(0x20010db8, 0, 0, 1);
    const attributes = attributesWith(nextHop, {
      asPath: [{ type: SegmentType.Sequence, asns: [64513, 65_000 + set, 100_000 + set].map(asn) }],
      localPref: set % 2 === 0 ? 100 : undefined,
      med: set % 3 === 0 ? set : undefined,
      communities: set % 4 === 0 ? [(64513 << 16) >>> 0] : [],
    });
    announcedEnd = encoder.announce(codec.encode(attributes), batch, 0, announced, announcedEnd);
    withdrawnEnd = encoder.withdraw(batch, 0, withdrawn, withdrawnEnd);
  }
  return { announced: announced.subarray(0, announcedEnd), withdrawn: withdrawn.subarray(0, withdrawnEnd) };
}
