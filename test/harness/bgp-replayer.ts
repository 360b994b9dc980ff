/** A peer that says what it was given to say, as fast as it is read, and then only that it is there: for real tables and for measuring. */

import { connect, type Socket } from "node:net";
import { parseAddress } from "../../src/bgp/model/address.ts";
import type { Capability } from "../../src/bgp/model/capability.ts";
import { Family, SAFI_UNICAST } from "../../src/bgp/model/family.ts";
import { AS_TRANS, asn, routerId } from "../../src/bgp/model/ids.ts";
import { MessageType } from "../../src/bgp/model/messages.ts";
import { Framer } from "../../src/bgp/wire/framer.ts";
import { encodeKeepalive } from "../../src/bgp/wire/keepalive.ts";
import { encodeOpen } from "../../src/bgp/wire/open.ts";
import { peerKey, type ReplayEvent } from "./mrt-updates.ts";

/** What one peer says. */
export interface Feed {
  readonly address: string;
  readonly asNumber: number;
  readonly routerId: number;
  /** Without it, the capability of RFC 6793 is left out, and AS numbers have two octets. */
  readonly fourOctetAs: boolean;
  readonly family: Family;
  readonly messages: readonly Uint8Array[];
}

class ReplayError extends Error {
  override readonly name = "ReplayError";
}

const KEEPALIVE_MILLISECONDS = 10_000;
const HOLD_SECONDS = 240;
const SLAB = 65_536;

/** The peers of a table dump; without add-path, each with a session of the family of its address. */
export function feedsOf(events: Iterable<ReplayEvent>): Feed[] {
  const feeds = new Map<string, Feed & { messages: Uint8Array[] }>();
  for (const event of events) {
    if (event.kind !== "message" || event.addPath) continue;
    const key = peerKey(event.peer);
    let feed = feeds.get(key);
    if (feed === undefined) {
      const { address, asNumber } = event.peer;
      const parsed = parseAddress(address);
      feed = {
        address,
        asNumber,
        // Tables that do not say get one: an IPv4 address is its own, others count.
        routerId: event.peer.routerId || (parsed?.family === Family.Ipv4 ? parsed.w0 : feeds.size + 1),
        fourOctetAs: event.fourOctetAs,
        family: parsed?.family ?? Family.Ipv4,
        messages: [],
      };
      feeds.set(key, feed);
    }
    feed.messages.push(event.message);
  }
  return [...feeds.values()];
}

export class ReplayPeer {
  readonly feed: Feed;
  /** How the session ended, if it did. */
  end: string | undefined;
  /** IPv4 prefixes that it was told, in NLRI fields without add-path. */
  heard = 0;
  readonly #socket: Socket;
  readonly #established: Promise<void>;
  #timer: NodeJS.Timeout | undefined;

  constructor(feed: Feed, target: { readonly host: string; readonly port: number }) {
    this.feed = feed;
    this.#socket = connect({ ...target, localAddress: feed.address, noDelay: true });
    this.#established = new Promise((resolve, reject) => {
      const framer = new Framer();
      this.#socket.on("connect", () => this.#socket.write(openOf(feed)));
      this.#socket.on("data", (chunk: Buffer) => {
        framer.push(chunk);
        for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
          if (frame.type === MessageType.Open) this.#socket.write(encodeKeepalive());
          else if (frame.type === MessageType.Keepalive) resolve();
          else if (frame.type === MessageType.Update) this.heard += countNlri(frame.body);
          else if (frame.type === MessageType.Notification) this.end = `NOTIFICATION ${frame.body[0]}/${frame.body[1]}`;
        }
      });
      this.#socket.on("error", (error) => {
        this.end ??= error.message;
      });
      this.#socket.on("close", () => {
        this.end ??= "closed";
        clearInterval(this.#timer);
        reject(new ReplayError(`${feed.address}: ${this.end}`));
      });
    });
    // Whoever awaits it hears of it; a session that ends later only sets `end`.
    this.#established.catch(() => undefined);
  }

  /** Resolves when the session is Established. */
  async established(): Promise<void> {
    await this.#established;
    this.#timer = setInterval(() => this.#socket.write(encodeKeepalive()), KEEPALIVE_MILLISECONDS);
  }

  /** Resolves when the system has taken everything, an End-of-RIB marker included. */
  async send(): Promise<void> {
    let slab: Uint8Array[] = [];
    let length = 0;
    const write = async () => {
      const bytes = Buffer.concat(slab);
      slab = [];
      length = 0;
      if (!this.#socket.write(bytes)) await this.#drained();
    };
    for (const message of [...this.feed.messages, endOfRib(this.feed.family)]) {
      slab.push(message);
      length += message.length;
      if (length >= SLAB) await write();
    }
    await write();
  }

  close(): void {
    this.#socket.destroy();
  }

  async #drained(): Promise<void> {
    if (this.end !== undefined) throw new ReplayError(`${this.feed.address}: ${this.end}`);
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#socket.off("drain", done);
        this.#socket.off("close", done);
        resolve();
      };
      this.#socket.on("drain", done);
      this.#socket.on("close", done);
    });
    if (this.end !== undefined) throw new ReplayError(`${this.feed.address}: ${this.end}`);
  }
}

function openOf(feed: Feed): Uint8Array {
  const capabilities: Capability[] = [{ kind: "multiprotocol", afi: feed.family, safi: SAFI_UNICAST }];
  if (feed.fourOctetAs) capabilities.push({ kind: "fourOctetAs", asNumber: asn(feed.asNumber) });
  return encodeOpen({
    version: 4,
    myAs: feed.asNumber > 0xffff ? AS_TRANS : feed.asNumber,
    holdTimeSeconds: HOLD_SECONDS,
    bgpIdentifier: routerId(feed.routerId),
    capabilities,
  });
}

/** RFC 4271 §4.3: behind the withdrawn routes and the attributes. */
function countNlri(body: Uint8Array): number {
  const field = (at: number) => at + 2 + (((body[at] ?? 0) << 8) | (body[at + 1] ?? 0));
  let count = 0;
  for (let at = field(field(0)); at < body.length; count++) at += 1 + (((body[at] ?? 0) + 7) >>> 3);
  return count;
}

/** RFC 4724 §2. */
function endOfRib(family: Family): Uint8Array {
  const attributes = family === Family.Ipv4 ? [] : [0x80, 15, 3, 0, family, SAFI_UNICAST];
  const length = 23 + attributes.length;
  const marker = new Array<number>(16).fill(0xff);
  return Uint8Array.of(...marker, 0, length, MessageType.Update, 0, 0, 0, attributes.length, ...attributes);
}
