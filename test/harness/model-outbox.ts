/** An Outbox that keeps what each member would know: messages wait in a queue per member until the test lets them be read. */

import { Family } from "../../src/bgp/model/family.ts";
import type { PeerId } from "../../src/bgp/model/ids.ts";
import type { Audience, Encoding, Outbox, OutboxEvents } from "../../src/bgp/model/ports.ts";
import { formatPrefix } from "../../src/bgp/model/prefix.ts";
import type { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import { createAttributesCodec } from "../../src/bgp/wire/attributes-codec.ts";

const codec = createAttributesCodec();

type Message =
  | { kind: "announce"; keys: string[]; attributes: string }
  | { kind: "withdraw"; keys: string[] }
  | { kind: "end" };

interface Member {
  joining: boolean;
  lagging: boolean;
  /** Messages, each with its place in the log (undefined for those of a lagging member, which are its own). */
  queue: { message: Message; at: number }[];
  readonly view: Map<string, string>;
  ends: number;
}

export class ModelOutbox implements Outbox {
  readonly encoding: Encoding;
  readonly members = new Map<PeerId, Member>();
  position = 0;
  readonly #events: OutboxEvents;
  readonly #views: Map<PeerId, Map<string, string>>;

  /** `views`: what each peer knows of its session, which may go from one outbox to another. */
  constructor(encoding: Encoding, events: OutboxEvents, views = new Map<PeerId, Map<string, string>>()) {
    this.encoding = encoding;
    this.#events = events;
    this.#views = views;
  }

  get slowest(): number {
    let slowest = this.position;
    for (const m of this.members.values())
      if (!m.lagging && m.queue[0] !== undefined) slowest = Math.min(slowest, m.queue[0].at - 1);
    return slowest;
  }

  announce(attributes: Uint8Array, prefixes: PrefixBatch, audience: Audience): void {
    this.#put(
      { kind: "announce", keys: keysOf(prefixes), attributes: JSON.stringify(codec.decode(attributes)) },
      audience,
    );
  }

  withdraw(prefixes: PrefixBatch, audience: Audience): void {
    this.#put({ kind: "withdraw", keys: keysOf(prefixes) }, audience);
  }

  join(peer: PeerId): void {
    const view = this.#views.get(peer) ?? new Map<string, string>();
    this.#views.set(peer, view);
    this.members.set(peer, { joining: true, lagging: false, queue: [], view, ends: 0 });
  }

  joined(peer: PeerId): void {
    const member = this.members.get(peer);
    if (member === undefined) return;
    member.joining = false;
    this.#put({ kind: "end" }, { kind: "only", peer });
  }

  refresh(peer: PeerId): void {
    const member = this.members.get(peer);
    if (member !== undefined && !member.lagging) member.joining = true;
  }

  rejoin(peer: PeerId): void {
    const member = this.members.get(peer);
    if (member !== undefined) member.lagging = false;
  }

  leave(peer: PeerId): void {
    this.members.delete(peer);
  }

  flush(): void {}

  /** The member reads up to `count` messages. */
  read(peer: PeerId, count = Number.POSITIVE_INFINITY): void {
    const member = this.members.get(peer);
    if (member === undefined) return;
    for (const { message } of member.queue.splice(0, count)) apply(member, message);
    while (member.lagging && member.queue.length === 0) {
      this.#events.drained(peer);
      for (const { message } of member.queue.splice(0)) apply(member, message);
    }
  }

  /** The member, which is behind, is given a little, and reads that. */
  serve(peer: PeerId): void {
    const member = this.members.get(peer);
    if (member === undefined || !member.lagging) return;
    this.#events.drained(peer);
    for (const { message } of member.queue.splice(0)) apply(member, message);
  }

  /** The member falls behind: what it has not read is lost. */
  lag(peer: PeerId): void {
    const member = this.members.get(peer);
    if (member === undefined || member.lagging) return;
    member.lagging = true;
    member.joining = false;
    member.queue = [];
    this.#events.lagging(peer);
  }

  /** The member forgets what it knows, and is about to ask for it again. */
  forget(peer: PeerId): void {
    this.members.get(peer)?.view.clear();
  }

  /** What the member knows once it has read everything. */
  knows(peer: PeerId): ReadonlyMap<string, string> {
    for (let i = 0; i < 3; i++) this.read(peer);
    return this.members.get(peer)?.view ?? new Map();
  }

  #put(message: Message, audience: Audience): void {
    this.position += 2048;
    for (const [peer, member] of this.members) {
      const mine =
        audience.kind === "only"
          ? audience.peer === peer
          : !member.lagging &&
            (audience.kind === "all" ||
              (audience.kind === "except" ? audience.peer !== peer : member.joining && audience.except !== peer));
      if (mine) member.queue.push({ message, at: this.position });
    }
  }
}

function apply(member: Member, message: Message): void {
  if (message.kind === "end") member.ends++;
  else if (message.kind === "announce") for (const key of message.keys) member.view.set(key, message.attributes);
  else for (const key of message.keys) member.view.delete(key);
}

function keysOf(batch: PrefixBatch): string[] {
  const keys: string[] = [];
  for (let i = 0; i < batch.count; i++) {
    const p = batch.prefixAt(i);
    const text = formatPrefix(batch.family === Family.Ipv4 ? { ...p, w1: 0, w2: 0, w3: 0 } : p);
    keys.push(batch.pathIds[i] === 0 ? text : `${text}#${batch.pathIds[i]}`);
  }
  return keys;
}
