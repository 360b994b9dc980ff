/** One pass over an attribute list: finds MP_REACH_NLRI and MP_UNREACH_NLRI and gathers all else as the key of a cache. */

import { UpdateSubcode } from "../model/messages.ts";
import { sizeOfAttribute, updateError } from "./attribute-list.ts";
import { AttributeFlag } from "./attributes/contract.ts";
import { mpReach } from "./attributes/mp-reach.ts";
import { mpUnreach } from "./attributes/mp-unreach.ts";

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Where one of the two attributes about prefixes stands in the body of an UPDATE; `end` 0 means that it is not there. */
export class MpAttribute {
  flags = 0;
  /** Of the attribute, header included. */
  start = 0;
  /** Of the value. */
  at = 0;
  end = 0;

  get present(): boolean {
    return this.end !== 0;
  }
}

export class AttributeWalk {
  readonly reach = new MpAttribute();
  readonly unreach = new MpAttribute();
  /** All other attributes, one after the other, as they came. */
  key = new Uint8Array(512);
  keyLength = 0;
  /** Of the key. */
  hash = FNV_OFFSET;

  /** Throws NotificationError where the prefixes cannot be located (RFC 7606 §3 g, §3 j). */
  walk(body: Uint8Array, from: number, end: number): void {
    this.reach.end = 0;
    this.unreach.end = 0;
    this.keyLength = 0;
    this.hash = FNV_OFFSET;
    let at = from;
    while (at < end) {
      const type = body[at + 1] ?? 0;
      const size = sizeOfAttribute(body, at, end);
      const mp = type === mpReach.type ? this.reach : type === mpUnreach.type ? this.unreach : undefined;
      if (size === undefined) {
        // What is left goes into the key, and decodeAttributeList finds the overrun again.
        if (mp !== undefined && at + 1 < end) {
          throw updateError(
            UpdateSubcode.OptionalAttribute,
            "MP_REACH_NLRI or MP_UNREACH_NLRI overruns the attribute list",
            body.slice(at, end),
          );
        }
        this.#append(body, at, end);
        return;
      }
      if (mp === undefined) {
        this.#append(body, at, at + size);
      } else {
        // RFC 7606 §3 g.
        if (mp.present) throw updateError(UpdateSubcode.MalformedAttributeList, `attribute ${type} is there twice`);
        mp.flags = body[at] ?? 0;
        mp.start = at;
        mp.at = at + ((mp.flags & AttributeFlag.ExtendedLength) !== 0 ? 4 : 3);
        mp.end = at + size;
      }
      at += size;
    }
  }

  /** Adds octets that alter what the attributes come to: the next hop of MP_REACH_NLRI. */
  extendKey(body: Uint8Array, from: number, end: number): void {
    this.#append(body, from, end);
  }

  #append(body: Uint8Array, from: number, end: number): void {
    const start = this.keyLength;
    const length = start + end - from;
    if (length > this.key.length) {
      const wider = new Uint8Array(Math.max(length, 2 * this.key.length));
      wider.set(this.key);
      this.key = wider;
    }
    const key = this.key;
    let hash = this.hash;
    for (let i = from, k = start; i < end; i++, k++) {
      const octet = body[i] ?? 0;
      key[k] = octet;
      hash = Math.imul(hash ^ octet, FNV_PRIME);
    }
    this.hash = hash;
    this.keyLength = length;
  }
}
