/** What a path attribute is to the codec: its rules as data, its value as two functions (RFC 4271 §4.3, RFC 7606). */

import type { AttributeOutcome } from "../../model/messages.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";

/** The high bits of the Attribute Flags octet. */
export const AttributeFlag = { Optional: 0x80, Transitive: 0x40, Partial: 0x20, ExtendedLength: 0x10 } as const;

export const WELL_KNOWN = AttributeFlag.Transitive;
export const OPTIONAL_TRANSITIVE = AttributeFlag.Optional | AttributeFlag.Transitive;
export const OPTIONAL_NON_TRANSITIVE = AttributeFlag.Optional;

/** What the session knows that alters how a value reads. */
export interface AttributeContext {
  /** The peer is internal. */
  readonly internal: boolean;
  /** AS numbers take four octets in AS_PATH and AGGREGATOR (RFC 6793 §4.1). */
  readonly fourOctetAs: boolean;
}

/** Octets that a value may have; "any" leaves it to the decoder. */
export type AttributeLength = "any" | { readonly exactly: number } | { readonly nonZeroMultipleOf: number };

/** The part that is the same for every kind of value; the registry enforces it. */
export interface AttributeRules {
  readonly type: number;
  readonly name: string;
  /** The Optional and Transitive bits that it must have. */
  readonly flags: number;
  readonly length: AttributeLength;
  /** When the value is malformed. */
  readonly onError: AttributeOutcome;
  /** An external peer has no business sending it: it is dropped unread (RFC 7606 §7.5, 7.9, 7.10). */
  readonly internalOnly?: boolean;
  /** RFC 6793 §3: speakers that both know four-octet AS numbers do not send it; it is dropped unread. */
  readonly twoOctetOnly?: boolean;
  /** Where the outcome comes from, for the log. */
  readonly section: string;
  /** RFC 4271 §6.3, should the malformed value end the session; OptionalAttribute when absent. */
  readonly subcode?: number;
}

export interface AttributeCodec<T> extends AttributeRules {
  /** `r` holds the value and its length is right. Undefined: malformed. What is left unread makes it malformed as well. */
  decode(r: Reader, context: AttributeContext): T | undefined;
  /**
   * Asked of a value whose length is right, in the form of a session with four-octet AS numbers: whether `decode` takes it, and
   * `encode` would write the very same octets. False in doubt; absent: always.
   */
  isPlain?(bytes: Uint8Array, at: number, end: number): boolean;
  /** The value alone; flags, type and length are the registry's. */
  encode(value: T, w: Writer, context: AttributeContext): void;
}
