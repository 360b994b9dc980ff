/** UPDATE from the wire (RFC 4271 §4.3, RFC 4760, RFC 7911), mended as RFC 7606 says where it is malformed. */

import type { NegotiatedFamily } from "../model/capability.ts";
import { Family, SAFI_UNICAST } from "../model/family.ts";
import { type Announcement, type AttributeProblem, type UpdateMessage, UpdateSubcode } from "../model/messages.ts";
import { PrefixBatch } from "../model/prefix-batch.ts";
import { hasWrongFlags, updateError, wrongFlags } from "./attribute-list.ts";
import { AttributeSet, type Fault } from "./attribute-set.ts";
import { CanonicalView } from "./attribute-view.ts";
import { AttributeWalk, type MpAttribute } from "./attribute-walk.ts";
import type { AttributeContext, AttributeRules } from "./attributes/contract.ts";
import { isNextHopLength, isPlainNextHop, mpReach } from "./attributes/mp-reach.ts";
import { mpUnreach } from "./attributes/mp-unreach.ts";
import { decodeNlri, MALFORMED } from "./nlri.ts";
import { plainBuffer } from "./plain-list.ts";

export interface UpdateDecoderOptions extends AttributeContext {
  readonly families: readonly NegotiatedFamily[];
}

/** Attribute sets remembered, and the longest list worth remembering: together they bound what one session can pin. */
const CACHE_SLOTS = 256;
const CACHED_KEY = 1024;
/** What the UPDATE being decoded is read into: one of each is enough for all sessions, and stays in the processor's cache. */
const WALK = new AttributeWalk();
const NLRI_SET = new CanonicalView();
const NLRI_BYTES = plainBuffer();
const REACHED_SET = new CanonicalView();
const REACHED_BYTES = plainBuffer();
const NLRI_IPV4 = new PrefixBatch(Family.Ipv4);
const REACHED_IPV4 = new PrefixBatch(Family.Ipv4);
const REACHED_IPV6 = new PrefixBatch(Family.Ipv6);
const WITHDRAWN_IPV4 = new PrefixBatch(Family.Ipv4);
const WITHDRAWN_IPV6 = new PrefixBatch(Family.Ipv6);
const NO_PROBLEMS: readonly AttributeProblem[] = Object.freeze([]);
const NO_BATCHES: readonly PrefixBatch[] = Object.freeze([]);
const NO_ANNOUNCEMENTS: readonly Announcement[] = Object.freeze([]);

/**
 * Decodes the UPDATEs of one session.
 * Take the withdrawals of a message before its announcements: a prefix in both is announced (RFC 4271 §4.3).
 */
export class UpdateDecoder {
  readonly #context: AttributeContext;
  readonly #ipv4: NegotiatedFamily | undefined;
  readonly #ipv6: NegotiatedFamily | undefined;
  /** Of lists that are not plain; made for the first of them. */
  #cache: (AttributeSet | undefined)[] | undefined;
  /** Of the message being decoded, beyond those of its attribute set. */
  #problems: AttributeProblem[] | undefined;

  constructor(options: UpdateDecoderOptions) {
    this.#context = { internal: options.internal, fourOctetAs: options.fourOctetAs };
    this.#ipv4 = options.families.find((f) => f.family === Family.Ipv4);
    this.#ipv6 = options.families.find((f) => f.family === Family.Ipv6);
  }

  /** Throws NotificationError where RFC 7606 leaves nothing but a session reset. */
  decode(body: Uint8Array): UpdateMessage {
    const length = body.length;
    const withdrawnEnd = fieldEnd(body, 0, length);
    const attributesEnd = fieldEnd(body, withdrawnEnd, length);
    WITHDRAWN_IPV4.count = 0;
    WITHDRAWN_IPV6.count = 0;
    NLRI_IPV4.count = 0;
    REACHED_IPV4.count = 0;
    REACHED_IPV6.count = 0;
    this.#problems = undefined;

    if (withdrawnEnd > 2) this.#decodeClassic(body, 2, withdrawnEnd, WITHDRAWN_IPV4);
    if (attributesEnd === withdrawnEnd + 2) {
      if (attributesEnd < length) return this.#withoutAttributes(body, attributesEnd);
      return this.#result(NO_PROBLEMS, NO_ANNOUNCEMENTS, length === 4 ? this.#ipv4?.family : undefined);
    }
    WALK.walk(body, withdrawnEnd + 2, attributesEnd, this.#context);
    return this.#decodeWithAttributes(body, attributesEnd);
  }

  #decodeWithAttributes(body: Uint8Array, nlriAt: number): UpdateMessage {
    const { reach, unreach } = WALK;
    const reachFamily = reach.present ? this.#locateReach(body, reach) : undefined;
    const unreachFamily = unreach.present ? this.#locateUnreach(body, unreach) : undefined;
    const hasNlri = nlriAt < body.length;
    const hasReached = reach.present && reach.at < reach.end;

    const set = isPlain(body, hasNlri, hasReached) ? undefined : this.#attributeSet();
    let withdraw = set?.withdraw;
    if (set !== undefined && withdraw === undefined) {
      const fault =
        flagsFault(reach, mpReach) ??
        flagsFault(unreach, mpUnreach) ??
        (hasNlri || hasReached ? set.faultFor(hasNlri, reachFamily !== undefined) : undefined);
      if (fault !== undefined) {
        this.#report(fault.problem);
        withdraw = fault.error;
      }
    }
    // RFC 7606 §5.2: without a prefix to withdraw, there is no telling that the prefixes were found at all.
    if (withdraw !== undefined && !hasNlri && !hasReached && (WALK.hasOthers || reach.present)) throw withdraw;

    if (unreachFamily !== undefined && unreach.at < unreach.end) {
      const into = unreachFamily.family === Family.Ipv4 ? WITHDRAWN_IPV4 : WITHDRAWN_IPV6;
      this.#decodeMultiprotocol(body, unreach, unreachFamily, into, mpUnreach);
    }
    if (reachFamily !== undefined) {
      const v4 = reachFamily.family === Family.Ipv4;
      const reached = v4 ? REACHED_IPV4 : REACHED_IPV6;
      const into = withdraw === undefined ? reached : v4 ? WITHDRAWN_IPV4 : WITHDRAWN_IPV6;
      this.#decodeMultiprotocol(body, reach, reachFamily, into, mpReach);
    }
    if (hasNlri) {
      this.#decodeClassic(body, nlriAt, body.length, withdraw === undefined ? NLRI_IPV4 : WITHDRAWN_IPV4);
    }
    const isMarker =
      unreachFamily !== undefined && body.length === 4 + unreach.end - unreach.start && unreach.at === unreach.end;
    const announced = set === undefined ? announcedPlainly() : announcedBy(set);
    return this.#result(set?.problems ?? NO_PROBLEMS, announced, isMarker ? unreachFamily.family : undefined);
  }

  /** Prefixes and no attribute at all: they are withdrawn (RFC 7606 §3 d). */
  #withoutAttributes(body: Uint8Array, nlriAt: number): UpdateMessage {
    WALK.walk(body, nlriAt, nlriAt, this.#context);
    return this.#decodeWithAttributes(body, nlriAt);
  }

  #result(
    ofAttributes: readonly AttributeProblem[],
    announced: readonly Announcement[],
    endOfRib: Family | undefined,
  ): UpdateMessage {
    const problems = this.#problems === undefined ? ofAttributes : [...ofAttributes, ...this.#problems];
    return { withdrawn: withdrawnBatches(), announced, endOfRib, problems };
  }

  #attributeSet(): AttributeSet {
    WALK.gather();
    this.#cache ??= new Array<undefined>(CACHE_SLOTS).fill(undefined);
    const slot = WALK.hash & (CACHE_SLOTS - 1);
    const cached = this.#cache[slot];
    if (cached?.matches(WALK) === true) return cached;
    const set = new AttributeSet(WALK, this.#context);
    if (WALK.keyLength <= CACHED_KEY) this.#cache[slot] = set;
    return set;
  }

  /** The Withdrawn Routes or the NLRI field. */
  #decodeClassic(body: Uint8Array, at: number, end: number, into: PrefixBatch): void {
    const family = this.#ipv4;
    if (family === undefined) {
      this.#report(notNegotiated("NLRI", 0, Family.Ipv4, SAFI_UNICAST));
      return;
    }
    const ignored = decodeNlri(body, at, end, family.addPathReceive, into);
    if (ignored === MALFORMED) {
      throw updateError(UpdateSubcode.InvalidNetworkField, "the prefixes of an UPDATE are malformed (RFC 7606 §5.3)");
    }
    if (ignored > 0) this.#report(multicast("NLRI", 0, ignored));
  }

  #decodeMultiprotocol(
    body: Uint8Array,
    mp: MpAttribute,
    family: NegotiatedFamily,
    into: PrefixBatch,
    rules: AttributeRules,
  ): void {
    const ignored = decodeNlri(body, mp.at, mp.end, family.addPathReceive, into);
    if (ignored === MALFORMED) throw malformedMp(body, mp, rules, "has malformed prefixes");
    if (ignored > 0) this.#report(multicast(rules.name, rules.type, ignored));
  }

  /** Moves `reach.at` to the prefixes and finds the next hop. Undefined: of no use to this session. */
  #locateReach(body: Uint8Array, reach: MpAttribute): NegotiatedFamily | undefined {
    const family = this.#familyOf(body, reach, mpReach, 5);
    const lengthAt = reach.at + 3;
    const nextHopLength = body[lengthAt] ?? 0;
    // AFI, SAFI, the length, the next hop and a reserved octet.
    const prefixesAt = lengthAt + 1 + nextHopLength + 1;
    // RFC 7606 §7.11: with a wrong length of the next hop, the prefixes cannot be located.
    if (
      prefixesAt > reach.end ||
      (family !== undefined && !isNextHopLength(nextHopLength, family.family, family.extendedNextHop))
    ) {
      throw malformedMp(body, reach, mpReach, `has a next hop of ${nextHopLength} octets`);
    }
    reach.at = prefixesAt;
    if (family !== undefined) {
      WALK.nextHopAt = lengthAt + 1;
      WALK.nextHopEnd = lengthAt + 1 + nextHopLength;
    }
    return family;
  }

  /** Moves `unreach.at` to the prefixes. */
  #locateUnreach(body: Uint8Array, unreach: MpAttribute): NegotiatedFamily | undefined {
    const family = this.#familyOf(body, unreach, mpUnreach, 3);
    unreach.at += 3;
    return family;
  }

  #familyOf(body: Uint8Array, mp: MpAttribute, rules: AttributeRules, least: number): NegotiatedFamily | undefined {
    const { at } = mp;
    if (mp.end - at < least) throw malformedMp(body, mp, rules, `has ${mp.end - at} octets`);
    const afi = ((body[at] ?? 0) << 8) | (body[at + 1] ?? 0);
    const safi = body[at + 2] ?? 0;
    const known = afi === Family.Ipv4 ? this.#ipv4 : afi === Family.Ipv6 ? this.#ipv6 : undefined;
    if (known !== undefined && safi === SAFI_UNICAST) return known;
    this.#report(notNegotiated(rules.name, rules.type, afi, safi));
    return undefined;
  }

  #report(problem: AttributeProblem): void {
    this.#problems ??= [];
    this.#problems.push(problem);
  }
}

/** Nothing is wrong with the attributes, nor is there anything to change in them: they can be copied. */
function isPlain(body: Uint8Array, hasNlri: boolean, hasReached: boolean): boolean {
  const { plain, reach, unreach, nextHopAt, nextHopEnd } = WALK;
  if (!WALK.isPlain) return false;
  if (
    (reach.present && hasWrongFlags(reach.flags, mpReach)) ||
    (unreach.present && hasWrongFlags(unreach.flags, mpUnreach))
  )
    return false;
  if ((hasNlri || hasReached) && !plain.hasMandatory) return false;
  if (hasNlri && (plain.nextHopAt === undefined || !isPlainNextHop(body, plain.nextHopAt, plain.nextHopAt + 4)))
    return false;
  return nextHopEnd === 0 || isPlainNextHop(body, nextHopAt, nextHopEnd);
}

function announcedPlainly(): readonly Announcement[] {
  const { plain, nextHopAt, nextHopEnd } = WALK;
  const reached = REACHED_IPV4.count > 0 ? REACHED_IPV4 : REACHED_IPV6;
  if (NLRI_IPV4.count === 0 && reached.count === 0) return NO_ANNOUNCEMENTS;
  const announced: Announcement[] = [];
  if (NLRI_IPV4.count > 0 && plain.nextHopAt !== undefined) {
    const end = plain.write(plain.nextHopAt, plain.nextHopAt + 4, NLRI_BYTES);
    announced.push({ family: Family.Ipv4, attributes: NLRI_SET.load(NLRI_BYTES, 0, end), prefixes: NLRI_IPV4 });
  }
  if (reached.count > 0) {
    const end = plain.write(nextHopAt, nextHopEnd, REACHED_BYTES);
    announced.push({ family: reached.family, attributes: REACHED_SET.load(REACHED_BYTES, 0, end), prefixes: reached });
  }
  return announced;
}

function announcedBy(set: AttributeSet): readonly Announcement[] {
  const announced: Announcement[] = [];
  const classic = NLRI_IPV4.count > 0 ? set.classic() : undefined;
  if (classic !== undefined) {
    announced.push({ family: Family.Ipv4, attributes: NLRI_SET.load(classic), prefixes: NLRI_IPV4 });
  }
  const reached = REACHED_IPV4.count > 0 ? REACHED_IPV4 : REACHED_IPV6;
  const multiprotocol = reached.count > 0 ? set.multiprotocol() : undefined;
  if (multiprotocol !== undefined) {
    announced.push({ family: reached.family, attributes: REACHED_SET.load(multiprotocol), prefixes: reached });
  }
  return announced;
}

function withdrawnBatches(): readonly PrefixBatch[] {
  if (WITHDRAWN_IPV4.count === 0) return WITHDRAWN_IPV6.count === 0 ? NO_BATCHES : [WITHDRAWN_IPV6];
  return WITHDRAWN_IPV6.count === 0 ? [WITHDRAWN_IPV4] : [WITHDRAWN_IPV4, WITHDRAWN_IPV6];
}

/** Where the field ends whose two octets of length stand at `at`. */
function fieldEnd(body: Uint8Array, at: number, limit: number): number {
  const end = at + 2 + (((body[at] ?? 0) << 8) | (body[at + 1] ?? 0));
  // RFC 4271 §6.3: the lengths must leave room for each other.
  if (at + 2 > limit || end > limit) {
    throw updateError(UpdateSubcode.MalformedAttributeList, "a field of an UPDATE is longer than the message");
  }
  return end;
}

function flagsFault(mp: MpAttribute, rules: AttributeRules): Fault | undefined {
  if (!mp.present || !hasWrongFlags(mp.flags, rules)) return undefined;
  const problem = wrongFlags(mp.flags, rules);
  return { problem, error: updateError(UpdateSubcode.AttributeFlags, problem.reason) };
}

/** RFC 4760 §7: the code and subcode that end the session; RFC 4271 §6.3: with the attribute as data. */
function malformedMp(body: Uint8Array, mp: MpAttribute, rules: AttributeRules, what: string) {
  return updateError(
    UpdateSubcode.OptionalAttribute,
    `${rules.name} ${what} (${rules.section})`,
    body.slice(mp.start, mp.end),
  );
}

/** RFC 4760 §6: prefixes of a family that was not negotiated are of no use, and no reason to end the session. */
function notNegotiated(name: string, type: number, afi: number, safi: number): AttributeProblem {
  const reason = `${name} is for AFI ${afi} SAFI ${safi}, which was not negotiated`;
  return { type, name, outcome: "discard", reason };
}

/** RFC 4271 §6.3: semantically incorrect prefixes are logged and ignored. */
function multicast(name: string, type: number, count: number): AttributeProblem {
  return { type, name, outcome: "discard", reason: `${name} has ${count} multicast prefixes (RFC 4271 §6.3)` };
}
