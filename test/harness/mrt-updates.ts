/** What the peers of an MRT file would have said on sessions of their own: table entries become UPDATEs, messages stay as they are. */

import { type MrtPeer, type MrtRecord, type RibEntry, readMrt } from "./mrt.ts";

/** What two peers of a file may not share: a session each, even if a collector saw one address with two AS numbers. */
export const peerKey = (peer: MrtPeer) => `${peer.address}|${peer.asNumber}`;

export type ReplayEvent =
  | {
      readonly kind: "message";
      readonly peer: MrtPeer;
      /** As the collector saw the session; a table does not say. */
      readonly localAs: number | undefined;
      readonly fourOctetAs: boolean;
      readonly addPath: boolean;
      readonly message: Uint8Array;
    }
  /** The session left Established. */
  | { readonly kind: "down"; readonly peer: MrtPeer };

const ESTABLISHED = 6;
const MAX_MESSAGE = 4096;
const MP_REACH = 14;
const EXTENDED_LENGTH = 0x10;
/** A well-known flag with the attribute's Optional bit: MP_REACH_NLRI as it stands on the wire (RFC 4760 §3). */
const OPTIONAL = 0x80;
const PEER_ADDRESS_UNKNOWN = new Set(["0.0.0.0", "::"]);

/** Reads the file from front to back. Neighbouring prefixes of a peer with the same attributes share an UPDATE, as they would on the wire. */
export function* replay(bytes: Uint8Array): Generator<ReplayEvent, void> {
  const open = new Map<string, OpenUpdate>();
  for (const record of readMrt(bytes)) {
    if (record.kind === "message") yield record;
    else if (record.kind === "state" && record.from === ESTABLISHED) yield { kind: "down", peer: record.peer };
    else if (record.kind === "rib") yield* ribUpdates(record, open);
  }
  for (const update of open.values()) yield update.finish();
}

function* ribUpdates(
  record: Extract<MrtRecord, { kind: "rib" }>,
  open: Map<string, OpenUpdate>,
): Generator<ReplayEvent, void> {
  for (const entry of record.entries) {
    // Routes of the collector's own, which no peer ever sent.
    if (PEER_ADDRESS_UNKNOWN.has(entry.peer.address)) continue;
    const nlri = nlriOf(record, entry.pathId);
    const key = peerKey(entry.peer);
    const before = open.get(key);
    if (before?.add(entry, record, nlri) === true) continue;
    if (before !== undefined) yield before.finish();
    open.set(key, new OpenUpdate(entry, record, nlri));
  }
}

/** An UPDATE to which prefixes are added while they fit. */
class OpenUpdate {
  readonly #entry: RibEntry;
  readonly #record: Extract<MrtRecord, { kind: "rib" }>;
  readonly #nlri: Uint8Array[];
  readonly #attributes: Attributes;
  #length: number;

  constructor(entry: RibEntry, record: Extract<MrtRecord, { kind: "rib" }>, nlri: Uint8Array) {
    this.#entry = entry;
    this.#record = record;
    this.#nlri = [nlri];
    this.#attributes = splitAttributes(entry.attributes);
    // Header, two lengths, and for IPv6 what an MP_REACH_NLRI has beside its prefixes.
    const overhead = 19 + 4 + (record.afi === 2 ? 9 + this.#attributes.mpNextHop.length : 0);
    this.#length = overhead + this.#attributes.others.length + nlri.length;
  }

  add(entry: RibEntry, record: Extract<MrtRecord, { kind: "rib" }>, nlri: Uint8Array): boolean {
    const fits = this.#length + nlri.length <= MAX_MESSAGE;
    const { afi, fourOctetAs } = this.#record;
    const sameSort = record.afi === afi && record.fourOctetAs === fourOctetAs;
    const samePaths = (entry.pathId !== undefined) === this.#addPath;
    if (!fits || !sameSort || !samePaths || Buffer.compare(entry.attributes, this.#entry.attributes) !== 0)
      return false;
    this.#nlri.push(nlri);
    this.#length += nlri.length;
    return true;
  }

  finish(): ReplayEvent {
    const { afi, fourOctetAs } = this.#record;
    const nlri = Buffer.concat(this.#nlri);
    const { others, mpNextHop } = this.#attributes;
    const attributes = afi === 1 ? others : Buffer.concat([mpReach(mpNextHop, nlri), others]);
    const body = Buffer.concat([u16(0), u16(attributes.length), attributes, ...(afi === 1 ? [nlri] : [])]);
    const header = Buffer.concat([Buffer.alloc(16, 0xff), u16(19 + body.length), Uint8Array.of(2)]);
    return {
      kind: "message",
      peer: this.#entry.peer,
      localAs: undefined,
      fourOctetAs,
      addPath: this.#addPath,
      message: Buffer.concat([header, body]),
    };
  }

  get #addPath(): boolean {
    return this.#entry.pathId !== undefined;
  }
}

function nlriOf(record: Extract<MrtRecord, { kind: "rib" }>, pathId: number | undefined): Uint8Array {
  const path = pathId === undefined ? [] : [u16(pathId >>> 16), u16(pathId)];
  return Buffer.concat([...path, Uint8Array.of(record.length), record.prefix]);
}

interface Attributes {
  readonly others: Uint8Array;
  /** Empty if there is no MP_REACH_NLRI. */
  readonly mpNextHop: Uint8Array;
}

function splitAttributes(bytes: Uint8Array): Attributes {
  const others: Uint8Array[] = [];
  let mpNextHop: Uint8Array = new Uint8Array(0);
  for (let at = 0; at + 3 <= bytes.length; ) {
    const extended = ((bytes[at] ?? 0) & EXTENDED_LENGTH) !== 0;
    const length = extended ? ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0) : (bytes[at + 2] ?? 0);
    const from = at + (extended ? 4 : 3);
    const end = from + length;
    if (bytes[at + 1] === MP_REACH) mpNextHop = nextHopOf(bytes.subarray(from, end));
    else others.push(bytes.subarray(at, end));
    at = end;
  }
  return { others: Buffer.concat(others), mpNextHop };
}

/** RFC 6396 §4.3.4: its length and the next hop; but some collectors write the attribute in full, beginning with the AFI. */
function nextHopOf(value: Uint8Array): Uint8Array {
  const abbreviated = value[0] === value.length - 1;
  return abbreviated ? value.subarray(1) : value.subarray(4, 4 + (value[3] ?? 0));
}

function mpReach(nextHop: Uint8Array, nlri: Uint8Array): Uint8Array {
  const value = Buffer.concat([Uint8Array.of(0, 2, 1, nextHop.length), nextHop, Uint8Array.of(0), nlri]);
  return Buffer.concat([Uint8Array.of(OPTIONAL | EXTENDED_LENGTH, MP_REACH), u16(value.length), value]);
}

function u16(value: number): Uint8Array {
  return Uint8Array.of((value >>> 8) & 255, value & 255);
}
