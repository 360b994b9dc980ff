/** Reads single values out of canonical bytes (see canonical-layout.ts), without making a PathAttributes of them. */

import { type IpAddress, ipv4, ipv6 } from "../model/address.ts";
import { SegmentType } from "../model/as-path.ts";
import type { Origin } from "../model/attributes.ts";
import { Family } from "../model/family.ts";
import type { AttributeView } from "../model/ports.ts";
import { asPath } from "./attributes/as-path.ts";
import { clusterList } from "./attributes/cluster-list.ts";
import { communities } from "./attributes/communities.ts";
import { AttributeFlag } from "./attributes/contract.ts";
import { localPref } from "./attributes/local-pref.ts";
import { multiExitDisc } from "./attributes/multi-exit-disc.ts";
import { onlyToCustomer } from "./attributes/only-to-customer.ts";
import { origin } from "./attributes/origin.ts";
import { originatorId } from "./attributes/originator-id.ts";
import { GIANT_LENGTH, NEXT_HOP_AT } from "./canonical-layout.ts";

/** Of one attribute: where its header, its value and what follows it stand. */
const HEADER = 0;
const VALUE = 1;
const END = 2;
const STRIDE = 3;

/** The bits that say how many octets the length takes; without either it is one. */
const LONG = AttributeFlag.ExtendedLength | GIANT_LENGTH;

export class CanonicalView implements AttributeView {
  bytes: Uint8Array = new Uint8Array(0);
  from = 0;
  end = 0;
  /** What stands where is found when it is first asked: a set that is known already is not looked into. */
  #isScanned = true;
  #count = 0;
  /** By type code; the header of one that is not there is 0, where none can stand. */
  readonly #places = new Int32Array(256 * STRIDE);
  readonly #types = new Uint8Array(256);
  /** The one read last: many sets share one. */
  #nextHop = ipv4(0);

  load(bytes: Uint8Array, from = 0, end = bytes.length): this {
    this.bytes = bytes;
    this.from = from;
    this.end = end;
    this.#isScanned = false;
    return this;
  }

  get attributeCount(): number {
    if (!this.#isScanned) this.#scan();
    return this.#count;
  }

  typeAt(index: number): number {
    if (!this.#isScanned) this.#scan();
    return this.#types[index] as number;
  }

  headerOf(type: number): number {
    if (!this.#isScanned) this.#scan();
    return this.#places[type * STRIDE + HEADER] as number;
  }

  valueOf(type: number): number {
    return this.headerOf(type) === 0 ? 0 : (this.#places[type * STRIDE + VALUE] as number);
  }

  endOf(type: number): number {
    return this.headerOf(type) === 0 ? 0 : (this.#places[type * STRIDE + END] as number);
  }

  get nextHopLength(): number {
    return this.bytes[this.from] as number;
  }

  get nextHop(): IpAddress {
    const at = this.from + NEXT_HOP_AT;
    const last = this.#nextHop;
    const w0 = this.u32(at);
    if (this.nextHopLength === 4) {
      if (last.w0 === w0 && last.family === Family.Ipv4) return last;
      this.#nextHop = ipv4(w0);
    } else {
      const w1 = this.u32(at + 4);
      const w2 = this.u32(at + 8);
      const w3 = this.u32(at + 12);
      if (last.w0 === w0 && last.w1 === w1 && last.w2 === w2 && last.w3 === w3 && last.family === Family.Ipv6)
        return last;
      this.#nextHop = ipv6(w0, w1, w2, w3);
    }
    return this.#nextHop;
  }

  get linkLocalNextHop(): IpAddress | undefined {
    if (this.nextHopLength !== 32) return undefined;
    const at = this.from + NEXT_HOP_AT + 16;
    return ipv6(this.u32(at), this.u32(at + 4), this.u32(at + 8), this.u32(at + 12));
  }

  get origin(): Origin {
    return this.bytes[this.valueOf(origin.type)] as Origin;
  }

  get pathLength(): number {
    const { bytes } = this;
    const end = this.endOf(asPath.type);
    let length = 0;
    for (let at = this.valueOf(asPath.type); at < end; at += 2 + 4 * (bytes[at + 1] as number)) {
      const type = bytes[at];
      if (type === SegmentType.Sequence) length += bytes[at + 1] as number;
      else if (type === SegmentType.Set) length += 1;
    }
    return length;
  }

  get neighborAs(): number {
    const { bytes } = this;
    const end = this.endOf(asPath.type);
    for (let at = this.valueOf(asPath.type); at < end; at += 2 + 4 * (bytes[at + 1] as number)) {
      const type = bytes[at];
      if (type === SegmentType.Sequence) return this.u32(at + 2);
      if (type === SegmentType.Set) return 0;
    }
    return 0;
  }

  countAs(asn: number): number {
    const { bytes } = this;
    const end = this.endOf(asPath.type);
    let count = 0;
    for (let at = this.valueOf(asPath.type); at < end; ) {
      const next = at + 2 + 4 * (bytes[at + 1] as number);
      for (at += 2; at < next; at += 4) if (this.u32(at) === asn) count++;
    }
    return count;
  }

  get isPathEmpty(): boolean {
    return this.valueOf(asPath.type) === this.endOf(asPath.type);
  }

  get med(): number | undefined {
    return this.#word(multiExitDisc.type);
  }

  get localPref(): number | undefined {
    return this.#word(localPref.type);
  }

  get originatorId(): number | undefined {
    return this.#word(originatorId.type);
  }

  get onlyToCustomer(): number | undefined {
    return this.#word(onlyToCustomer.type);
  }

  get communityCount(): number {
    return (this.endOf(communities.type) - this.valueOf(communities.type)) >>> 2;
  }

  community(index: number): number {
    return this.u32(this.valueOf(communities.type) + 4 * index);
  }

  hasCommunity(community: number): boolean {
    const end = this.endOf(communities.type);
    for (let at = this.valueOf(communities.type); at < end; at += 4) if (this.u32(at) === community) return true;
    return false;
  }

  get clusterCount(): number {
    return (this.endOf(clusterList.type) - this.valueOf(clusterList.type)) >>> 2;
  }

  cluster(index: number): number {
    return this.u32(this.valueOf(clusterList.type) + 4 * index);
  }

  u32(at: number): number {
    const b = this.bytes;
    return (
      (((b[at] as number) << 24) |
        ((b[at + 1] as number) << 16) |
        ((b[at + 2] as number) << 8) |
        (b[at + 3] as number)) >>>
      0
    );
  }

  #scan(): void {
    const { bytes, from, end } = this;
    const places = this.#places;
    const types = this.#types;
    for (let i = 0; i < this.#count; i++) places[(types[i] as number) * STRIDE + HEADER] = 0;
    let count = 0;
    let at = from + NEXT_HOP_AT + (bytes[from] as number);
    while (at < end) {
      const flags = bytes[at] as number;
      const type = bytes[at + 1] as number;
      let value = at + 3;
      let length = bytes[at + 2] as number;
      if ((flags & LONG) !== 0) {
        if ((flags & GIANT_LENGTH) !== 0) {
          length = this.u32(at + 2);
          value = at + 6;
        } else {
          length = (length << 8) | (bytes[at + 3] as number);
          value = at + 4;
        }
      }
      const place = type * STRIDE;
      places[place + HEADER] = at;
      places[place + VALUE] = value;
      at = value + length;
      places[place + END] = at;
      types[count++] = type;
    }
    this.#count = count;
    this.#isScanned = true;
  }

  #word(type: number): number | undefined {
    return this.headerOf(type) === 0 ? undefined : this.u32(this.valueOf(type));
  }
}
