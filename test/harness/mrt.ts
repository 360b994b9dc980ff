/** MRT files as records (RFC 6396, RFC 8050 for add-path), and the messages of type 5 that came before them (RFC 6396 appendix B). */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { formatIpv4, formatIpv6 } from "../../src/bgp/model/address.ts";
import { Reader, Truncated } from "../../src/bgp/wire/reader.ts";

const ROOT = new URL("../../../shared/data/mrt/", import.meta.url);

/** Where a file of the shared data lies; undefined when it is not there. */
export function mrtFile(name: string): string | undefined {
  const url = new URL(name, ROOT);
  return existsSync(url) ? fileURLToPath(url) : undefined;
}

/** The whole file, unpacked if its name ends with `.gz`. */
export function readWhole(path: string): Uint8Array {
  const bytes = readFileSync(path);
  return path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}

export interface MrtPeer {
  readonly address: string;
  readonly asNumber: number;
  /** BGP Identifier; 0 where the record does not say. */
  readonly routerId: number;
}

/** One path of a prefix in a table dump. */
export interface RibEntry {
  readonly peer: MrtPeer;
  /** RFC 8050; undefined without add-path. */
  readonly pathId: number | undefined;
  /** MP_REACH_NLRI holds the next hop alone (RFC 6396 §4.3.4). */
  readonly attributes: Uint8Array;
}

export type MrtRecord =
  | {
      readonly kind: "rib";
      readonly afi: 1 | 2;
      readonly length: number;
      /** As many octets as the length needs. */
      readonly prefix: Uint8Array;
      readonly fourOctetAs: boolean;
      readonly entries: readonly RibEntry[];
    }
  | {
      /** A whole message as `peer` sent it. */
      readonly kind: "message";
      readonly peer: MrtPeer;
      readonly localAs: number;
      readonly fourOctetAs: boolean;
      readonly addPath: boolean;
      readonly message: Uint8Array;
    }
  | { readonly kind: "state"; readonly peer: MrtPeer; readonly from: number; readonly to: number }
  /** Of no use here: other families, a view's name, what a collector itself sent; or cut short. */
  | { readonly kind: "other"; readonly type: number; readonly subtype: number; readonly truncated: boolean };

const Type = { Bgp: 5, TableDump: 12, TableDumpV2: 13, Bgp4mp: 16, Bgp4mpEt: 17 } as const;
const HEADER_LENGTH = 12;

export function* readMrt(bytes: Uint8Array): Generator<MrtRecord, void> {
  let peers: readonly MrtPeer[] = [];
  for (let at = 0; at + HEADER_LENGTH <= bytes.length; ) {
    const header = new Reader(bytes, at + 4);
    const type = header.u16();
    const subtype = header.u16();
    const length = header.u32();
    const r = header.slice(length);
    at += HEADER_LENGTH + length;
    let truncated = false;
    let record: MrtRecord | undefined;
    try {
      if (type === Type.TableDumpV2 && subtype === 1) peers = peerIndexTable(r);
      else record = recordOf(type, subtype, r, peers);
    } catch (error) {
      if (!(error instanceof Truncated)) throw error;
      truncated = true;
    }
    yield record ?? { kind: "other", type, subtype, truncated };
  }
}

function recordOf(type: number, subtype: number, r: Reader, peers: readonly MrtPeer[]): MrtRecord | undefined {
  switch (type) {
    case Type.Bgp:
      return oldMessage(subtype, r);
    case Type.TableDump:
      return tableDump(subtype, r);
    case Type.TableDumpV2:
      return tableDumpV2(subtype, r, peers);
    case Type.Bgp4mpEt:
      r.u32(); // Microseconds (RFC 6396 §3).
      return bgp4mp(subtype, r);
    case Type.Bgp4mp:
      return bgp4mp(subtype, r);
    default:
      return undefined;
  }
}

/** RFC 6396 appendix B.2: an UPDATE without its header, and state changes; AS numbers have two octets, addresses are IPv4. */
function oldMessage(subtype: number, r: Reader): MrtRecord | undefined {
  const peer = { asNumber: r.u16(), address: formatIpv4(r.u32()), routerId: 0 };
  if (subtype === 3) return { kind: "state", peer, from: r.u16(), to: r.u16() };
  if (subtype !== 1) return undefined;
  const localAs = r.u16();
  r.u32();
  const body = r.bytes(r.remaining);
  const message = new Uint8Array(19 + body.length).fill(0xff, 0, 16);
  message[16] = message.length >>> 8;
  message[17] = message.length;
  message[18] = 2;
  message.set(body, 19);
  return { kind: "message", peer, localAs, fourOctetAs: false, addPath: false, message };
}

/** RFC 6396 §4.2. */
function tableDump(subtype: number, r: Reader): MrtRecord | undefined {
  if (subtype !== 1 && subtype !== 2) return undefined;
  const octets = subtype === 1 ? 4 : 16;
  r.u32(); // View and sequence number.
  const whole = r.bytes(octets);
  const length = r.u8();
  r.u8(); // Status.
  r.u32(); // Originated.
  const address = addressOf(r, subtype);
  const peer = { address, asNumber: r.u16(), routerId: 0 };
  const entries = [{ peer, pathId: undefined, attributes: r.bytes(r.u16()) }];
  const prefix = whole.subarray(0, (length + 7) >>> 3);
  return { kind: "rib", afi: subtype, length, prefix, fourOctetAs: false, entries };
}

/** RFC 6396 §4.3.1. */
function peerIndexTable(r: Reader): MrtPeer[] {
  r.u32();
  r.bytes(r.u16());
  return Array.from({ length: r.u16() }, () => {
    const flags = r.u8();
    const routerId = r.u32();
    const address = addressOf(r, (flags & 1) === 0 ? 1 : 2);
    return { address, asNumber: (flags & 2) === 0 ? r.u16() : r.u32(), routerId };
  });
}

/** RFC 6396 §4.3.2 and 4.3.4, RFC 8050 §4.1: unicast alone, each with and without add-path. */
function tableDumpV2(subtype: number, r: Reader, peers: readonly MrtPeer[]): MrtRecord | undefined {
  const addPath = subtype >= 8;
  const afi = subtype === 2 || subtype === 8 ? 1 : subtype === 4 || subtype === 10 ? 2 : undefined;
  if (afi === undefined) return undefined;
  r.u32();
  const length = r.u8();
  const prefix = r.bytes((length + 7) >>> 3);
  const entries: RibEntry[] = [];
  for (let count = r.u16(); count > 0; count--) {
    const peer = peers[r.u16()];
    r.u32();
    const pathId = addPath ? r.u32() : undefined;
    const attributes = r.bytes(r.u16());
    if (peer !== undefined) entries.push({ peer, pathId, attributes });
  }
  return { kind: "rib", afi, length, prefix, fourOctetAs: true, entries };
}

/** RFC 6396 §4.4, RFC 8050 §3. Not the subtypes whose messages the collector itself sent (LOCAL). */
function bgp4mp(subtype: number, r: Reader): MrtRecord | undefined {
  if (![0, 1, 4, 5, 8, 9].includes(subtype)) return undefined;
  const fourOctetAs = subtype === 4 || subtype === 5 || subtype === 9;
  const asNumber = fourOctetAs ? r.u32() : r.u16();
  const localAs = fourOctetAs ? r.u32() : r.u16();
  r.u16(); // Interface.
  const afi = r.u16();
  const peer = { asNumber, address: addressOf(r, afi), routerId: 0 };
  addressOf(r, afi);
  if (subtype === 0 || subtype === 5) return { kind: "state", peer, from: r.u16(), to: r.u16() };
  const message = r.bytes(r.remaining);
  return { kind: "message", peer, localAs, fourOctetAs, addPath: subtype >= 8, message };
}

function addressOf(r: Reader, afi: number): string {
  if (afi !== 2) return formatIpv4(r.u32());
  return formatIpv6(r.u32(), r.u32(), r.u32(), r.u32());
}
