/** What one attribute list means, decoded once and remembered by its raw bytes: canonical bytes, or what is wrong with it. */

import type { IpAddress } from "../model/address.ts";
import { type AttributeProblem, type NotificationError, UpdateSubcode } from "../model/messages.ts";
import { type DecodedList, decodeAttributeList, updateError } from "./attribute-list.ts";
import type { AttributeWalk } from "./attribute-walk.ts";
import { asPath } from "./attributes/as-path.ts";
import type { AttributeContext, AttributeRules } from "./attributes/contract.ts";
import { finishDraft } from "./attributes/draft.ts";
import { decodeMpNextHop, isHostAddress, type MpNextHop, mpReach, settleNextHop } from "./attributes/mp-reach.ts";
import { nextHop } from "./attributes/next-hop.ts";
import { origin } from "./attributes/origin.ts";
import { createAttributesCodec } from "./attributes-codec.ts";
import { Reader } from "./reader.ts";

/** Why an UPDATE is treated as a withdrawal, and what to send instead if it has nothing to withdraw. */
export interface Fault {
  readonly problem: AttributeProblem;
  readonly error: NotificationError;
}

const codec = createAttributesCodec();

export class AttributeSet {
  readonly problems: readonly AttributeProblem[];
  readonly withdraw: NotificationError | undefined;
  readonly #list: DecodedList;
  readonly #key: Uint8Array;
  readonly #listLength: number;
  readonly #mpNextHop: MpNextHop | undefined;
  #classic: Uint8Array | undefined;
  #multiprotocol: Uint8Array | undefined;

  /** Of a walk that gathered its key. */
  constructor(walk: AttributeWalk, context: AttributeContext) {
    const { listLength } = walk;
    this.#list = decodeAttributeList(walk.key, listLength, context);
    this.problems = this.#list.problems;
    this.withdraw = this.#list.withdraw;
    this.#key = walk.key.slice(0, walk.keyLength);
    this.#listLength = listLength;
    this.#mpNextHop =
      walk.keyLength > listLength ? settleNextHop(decodeMpNextHop(new Reader(this.#key, listLength))) : undefined;
  }

  /** It was made from the same bytes. */
  matches(walk: AttributeWalk): boolean {
    const mine = this.#key;
    const length = walk.keyLength;
    if (mine.length !== length || this.#listLength !== walk.listLength) return false;
    const theirs = walk.key;
    for (let i = 0; i < length; i++) if (mine[i] !== theirs[i]) return false;
    return true;
  }

  /** Asked of a set that carries prefixes in the NLRI field, in MP_REACH_NLRI, or in both (RFC 7606 §3 d, RFC 4271 §6.3). */
  faultFor(classic: boolean, multiprotocol: boolean): Fault | undefined {
    const { draft } = this.#list;
    if (draft.origin === undefined) return missing(origin);
    if (draft.asPath === undefined) return missing(asPath);
    if (classic) {
      // RFC 4760 §3: a NEXT_HOP without NLRI is ignored, whatever it says.
      if (draft.nextHop === undefined) return missing(nextHop);
      if (!isHostAddress(draft.nextHop)) return notAHost(nextHop);
    }
    if (multiprotocol && this.#mpNextHop !== undefined && !isHostAddress(this.#mpNextHop.nextHop)) {
      return notAHost(mpReach);
    }
    return undefined;
  }

  /** The canonical bytes for the prefixes of the NLRI field; undefined where `faultFor` finds a fault. */
  classic(): Uint8Array | undefined {
    this.#classic ??= this.#finish(this.#list.draft.nextHop, undefined);
    return this.#classic;
  }

  /** Those for the prefixes of MP_REACH_NLRI; undefined where `faultFor` finds a fault. */
  multiprotocol(): Uint8Array | undefined {
    this.#multiprotocol ??= this.#finish(this.#mpNextHop?.nextHop, this.#mpNextHop?.linkLocal);
    return this.#multiprotocol;
  }

  #finish(address: IpAddress | undefined, linkLocal: IpAddress | undefined): Uint8Array | undefined {
    const { draft } = this.#list;
    if (draft.origin === undefined || draft.asPath === undefined || address === undefined) return undefined;
    return codec.encode(finishDraft(draft, draft.origin, draft.asPath, address, linkLocal));
  }
}

function missing(rules: AttributeRules): Fault {
  const reason = `${rules.name} is missing (RFC 7606 §3 d)`;
  return {
    problem: { type: rules.type, name: rules.name, outcome: "withdraw", reason },
    error: updateError(UpdateSubcode.MissingWellKnown, reason, Uint8Array.of(rules.type)),
  };
}

function notAHost(rules: AttributeRules): Fault {
  const reason = `the next hop in ${rules.name} is no address of a host (RFC 4271 §6.3)`;
  return {
    problem: { type: rules.type, name: rules.name, outcome: "withdraw", reason },
    error: updateError(UpdateSubcode.InvalidNextHop, reason),
  };
}
