/** One pass over an attribute list: finds MP_REACH_NLRI and MP_UNREACH_NLRI, and whether all else is plain. */

import { UpdateSubcode } from "../model/messages.ts";
import { headerLength, sizeOfAttribute, updateError } from "./attribute-list.ts";
import type { AttributeContext } from "./attributes/contract.ts";
import { mpReach } from "./attributes/mp-reach.ts";
import { mpUnreach } from "./attributes/mp-unreach.ts";
import { PlainList } from "./plain-list.ts";

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
  /** The next hop of MP_REACH_NLRI, once its owner has found that it is for this session; `nextHopEnd` 0: it is not. */
  nextHopAt = 0;
  nextHopEnd = 0;
  /** All other attributes, if `isPlain`. */
  readonly plain = new PlainList();
  isPlain = false;
  /** There are other attributes. */
  hasOthers = false;
  /** After `gather`: the other attributes one after the other, as they came, and the next hop of MP_REACH_NLRI. */
  key = new Uint8Array(512);
  keyLength = 0;
  /** Of the key, without the next hop. */
  listLength = 0;
  /** Of the key. */
  hash = FNV_OFFSET;
  #body: Uint8Array = new Uint8Array(0);
  #from = 0;
  #end = 0;

  /** Throws NotificationError where the prefixes cannot be located (RFC 7606 §3 g, §3 j). */
  walk(body: Uint8Array, from: number, end: number, context: AttributeContext): void {
    this.reach.end = 0;
    this.nextHopEnd = 0;
    this.unreach.end = 0;
    this.hasOthers = false;
    this.#body = body;
    this.#from = from;
    this.#end = end;
    let isPlain = this.plain.begin(body, context);
    let at = from;
    while (at < end) {
      const type = body[at + 1] ?? 0;
      const size = sizeOfAttribute(body, at, end);
      const mp = type === mpReach.type ? this.reach : type === mpUnreach.type ? this.unreach : undefined;
      if (size === undefined) {
        if (mp !== undefined && at + 1 < end) {
          throw updateError(
            UpdateSubcode.OptionalAttribute,
            "MP_REACH_NLRI or MP_UNREACH_NLRI overruns the attribute list",
            body.slice(at, end),
          );
        }
        // What is left goes into the key, and decodeAttributeList finds the overrun again.
        this.hasOthers = true;
        this.isPlain = false;
        return;
      }
      if (mp === undefined) {
        this.hasOthers = true;
        const flags = body[at] as number;
        isPlain &&= this.plain.add(flags, type, at + headerLength(flags), at + size);
      } else {
        // RFC 7606 §3 g.
        if (mp.present) throw updateError(UpdateSubcode.MalformedAttributeList, `attribute ${type} is there twice`);
        mp.flags = body[at] ?? 0;
        mp.start = at;
        mp.at = at + headerLength(mp.flags);
        mp.end = at + size;
      }
      at += size;
    }
    this.isPlain = isPlain;
  }

  /** Makes the key: what alters what the attributes come to. */
  gather(): void {
    const { reach, unreach } = this;
    const body = this.#body;
    const first = unreach.present && (!reach.present || unreach.start < reach.start) ? unreach : reach;
    const second = first === reach ? unreach : reach;
    this.keyLength = 0;
    this.hash = FNV_OFFSET;
    let at = this.#from;
    for (const mp of [first, second]) {
      if (!mp.present) continue;
      this.#append(body, at, mp.start);
      at = mp.end;
    }
    this.#append(body, at, this.#end);
    this.listLength = this.keyLength;
    if (this.nextHopEnd !== 0) this.#append(body, this.nextHopAt, this.nextHopEnd);
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
