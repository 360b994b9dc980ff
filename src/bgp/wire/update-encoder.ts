/** UPDATEs onto the wire (RFC 4271 §4.3, RFC 4760, RFC 6793, RFC 7911, RFC 8950), straight into a buffer of the caller's. */

import { Family, SAFI_UNICAST } from "../model/family.ts";
import { MessageType } from "../model/messages.ts";
import type { Encoding } from "../model/ports.ts";
import type { PrefixBatch } from "../model/prefix-batch.ts";
import type { AttributeContext } from "./attributes/contract.ts";
import { encodeAttribute, encodeFollowing, encodeLeading } from "./attributes/encode.ts";
import { mpReach } from "./attributes/mp-reach.ts";
import { mpUnreach } from "./attributes/mp-unreach.ts";
import { nextHop } from "./attributes/next-hop.ts";
import { canonicalSplit, decodeCanonical } from "./attributes-codec.ts";
import { NEXT_HOP_AT } from "./canonical-layout.ts";
import { beginMessage, endMessage } from "./header.ts";
import { MessageTemplate } from "./message-template.ts";
import { maxNlriLength } from "./nlri.ts";
import { Writer } from "./writer.ts";

const TWO_OCTETS: AttributeContext = { internal: true, fourOctetAs: false };
const IPV4_NEXT_HOP = 4;

/**
 * Fills a buffer with whole UPDATEs, as many as there is room for, and says in `next` how far it came:
 *
 *   for (let i = 0; i < prefixes.count; i = encoder.next) {
 *     used = encoder.announce(attributes, prefixes, i, slab, used);
 *     if (encoder.next === i) { slab = another(); used = 0; }   // no room for one more message
 *   }
 *
 * A buffer of `maxMessageLength` octets always takes one: no message is made shorter because a buffer ends.
 */
export class UpdateEncoder {
  readonly encoding: Encoding;
  /** The first prefix that the last call did not deal with. */
  next = 0;
  /** Why the last call left its prefixes out, in words; `next` is past them then. */
  problem: string | undefined = undefined;
  readonly #nlriLength: number;
  readonly #announcement = new MessageTemplate();
  readonly #withdrawal = new MessageTemplate();
  /** The attributes that `#announcement` was made for. */
  #prepared: Uint8Array | undefined;
  #preparedProblem: string | undefined;

  constructor(encoding: Encoding) {
    this.encoding = encoding;
    this.#nlriLength = maxNlriLength(encoding.family, encoding.addPath);
    if (encoding.family === Family.Ipv4 && !encoding.extendedNextHop) {
      this.#withdrawal.makeWithdrawn();
    } else {
      this.#withdrawal.beginMultiprotocol(mpUnreach.type, encoding.family);
      this.#withdrawal.finish();
    }
  }

  /** Announces `prefixes` from `from` on. `attributes` are bytes of the AttributesCodec. Returns where the messages end. */
  announce(attributes: Uint8Array, prefixes: PrefixBatch, from: number, out: Uint8Array, at: number): number {
    if (attributes !== this.#prepared) {
      this.#prepared = attributes;
      this.#preparedProblem = this.#prepare(attributes);
    }
    this.problem = this.#preparedProblem;
    if (this.problem === undefined) return this.#fill(this.#announcement, prefixes, from, out, at);
    this.next = prefixes.count;
    return at;
  }

  /** Withdraws `prefixes` from `from` on. Returns where the messages end. */
  withdraw(prefixes: PrefixBatch, from: number, out: Uint8Array, at: number): number {
    this.problem = undefined;
    return this.#fill(this.#withdrawal, prefixes, from, out, at);
  }

  /** The End-of-RIB marker of the family, a message of its own (RFC 4724 §2). */
  endOfRib(): Uint8Array {
    const w = new Writer(32);
    beginMessage(w, MessageType.Update);
    w.u16(0);
    if (this.encoding.family === Family.Ipv4) {
      w.u16(0);
    } else {
      w.u16(6);
      w.u8(mpUnreach.flags);
      w.u8(mpUnreach.type);
      w.u8(3);
      w.u16(this.encoding.family);
      w.u8(SAFI_UNICAST);
    }
    return endMessage(w);
  }

  #fill(template: MessageTemplate, prefixes: PrefixBatch, from: number, out: Uint8Array, at: number): number {
    const { addPath, maxMessageLength } = this.encoding;
    const end = template.fill(prefixes, from, addPath, this.#nlriLength, maxMessageLength, out, at);
    this.next = template.next;
    return end;
  }

  /** Makes the announcement's template. Returns what makes that impossible. */
  #prepare(attributes: Uint8Array): string | undefined {
    const { family, extendedNextHop, maxMessageLength } = this.encoding;
    // Checked first, so that lengths of two octets suffice from here on.
    if (attributes.length > maxMessageLength) return this.#tooLarge(attributes.length);
    const nextHopLength = attributes[0] ?? 0;
    if (family === Family.Ipv4 && nextHopLength === IPV4_NEXT_HOP) {
      this.#prepareNlri(attributes);
    } else if (family === Family.Ipv4 && !extendedNextHop) {
      return "the peer does not take an IPv6 next hop for IPv4 prefixes (RFC 8950)";
    } else if (nextHopLength === IPV4_NEXT_HOP) {
      return "IPv6 prefixes cannot have an IPv4 next hop";
    } else {
      this.#prepareMultiprotocol(attributes);
    }
    const { fixedLength } = this.#announcement;
    return fixedLength + this.#nlriLength > maxMessageLength ? this.#tooLarge(fixedLength) : undefined;
  }

  #prepareNlri(bytes: Uint8Array): void {
    const w = this.#announcement.beginNlri();
    const nextHopEnd = NEXT_HOP_AT + IPV4_NEXT_HOP;
    if (this.encoding.fourOctetAs) {
      const split = canonicalSplit(bytes);
      w.range(bytes, nextHopEnd, split);
      w.u8(nextHop.flags);
      w.u8(nextHop.type);
      w.u8(IPV4_NEXT_HOP);
      w.range(bytes, NEXT_HOP_AT, nextHopEnd);
      w.range(bytes, split, bytes.length);
    } else {
      const attributes = decodeCanonical(bytes);
      encodeLeading(attributes, w, TWO_OCTETS);
      encodeAttribute(nextHop, attributes.nextHop, w, TWO_OCTETS);
      encodeFollowing(attributes, w, TWO_OCTETS);
    }
    this.#announcement.finish();
  }

  #prepareMultiprotocol(bytes: Uint8Array): void {
    const template = this.#announcement;
    const nextHopLength = bytes[0] ?? 0;
    const nextHopEnd = NEXT_HOP_AT + nextHopLength;
    const w = template.beginMultiprotocol(mpReach.type, this.encoding.family);
    w.u8(nextHopLength);
    w.range(bytes, NEXT_HOP_AT, nextHopEnd);
    w.u8(0);
    if (this.encoding.fourOctetAs) {
      template.after.range(bytes, nextHopEnd, bytes.length);
    } else {
      const attributes = decodeCanonical(bytes);
      encodeLeading(attributes, template.after, TWO_OCTETS);
      encodeFollowing(attributes, template.after, TWO_OCTETS);
    }
    template.finish();
  }

  #tooLarge(length: number): string {
    return `${length} octets of attributes leave no room in a message of ${this.encoding.maxMessageLength} (RFC 4271 §4)`;
  }
}
