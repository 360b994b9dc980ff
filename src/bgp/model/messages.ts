/** The five BGP messages as values (RFC 4271 §4, RFC 2918, RFC 7313) and the codes of NOTIFICATION. */

import type { Capability } from "./capability.ts";
import type { Family } from "./family.ts";
import type { RouterId } from "./ids.ts";
import type { AttributeView } from "./ports.ts";
import type { PrefixBatch } from "./prefix-batch.ts";

export const MessageType = { Open: 1, Update: 2, Notification: 3, Keepalive: 4, RouteRefresh: 5 } as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** RFC 4271 §4.5, RFC 7313 §5, RFC 9687 §4 (8). */
export const NotificationCode = {
  MessageHeader: 1,
  Open: 2,
  Update: 3,
  HoldTimerExpired: 4,
  FiniteStateMachine: 5,
  Cease: 6,
  RouteRefresh: 7,
  SendHoldTimerExpired: 8,
} as const;
export type NotificationCode = (typeof NotificationCode)[keyof typeof NotificationCode];

export const HeaderSubcode = { NotSynchronized: 1, BadLength: 2, BadType: 3 } as const;
export const OpenSubcode = {
  Unspecific: 0,
  UnsupportedVersion: 1,
  BadPeerAs: 2,
  BadBgpIdentifier: 3,
  UnsupportedOptionalParameter: 4,
  UnacceptableHoldTime: 6,
  UnsupportedCapability: 7, // RFC 5492 §3
  RoleMismatch: 11, // RFC 9234 §4.2
} as const;
export const UpdateSubcode = {
  MalformedAttributeList: 1,
  UnrecognizedWellKnown: 2,
  MissingWellKnown: 3,
  AttributeFlags: 4,
  AttributeLength: 5,
  InvalidOrigin: 6,
  InvalidNextHop: 8,
  OptionalAttribute: 9,
  InvalidNetworkField: 10,
  MalformedAsPath: 11,
} as const;
/** RFC 6608: a message that the state does not expect. */
export const FsmSubcode = { Unspecified: 0, InOpenSent: 1, InOpenConfirm: 2, InEstablished: 3 } as const;
/** RFC 4486, RFC 8538 (9), RFC 9384 (10). */
export const CeaseSubcode = {
  MaximumPrefixes: 1,
  AdministrativeShutdown: 2,
  PeerDeconfigured: 3,
  AdministrativeReset: 4,
  ConnectionRejected: 5,
  OtherConfigurationChange: 6,
  CollisionResolution: 7,
  OutOfResources: 8,
  HardReset: 9,
  BfdDown: 10,
} as const;
/** RFC 7313 §5. */
export const RouteRefreshSubcode = { InvalidLength: 1 } as const;

/** RFC 7313 §3.2: the octet that RFC 2918 left reserved. */
export const RefreshSubtype = { Normal: 0, Begin: 1, End: 2 } as const;
export type RefreshSubtype = (typeof RefreshSubtype)[keyof typeof RefreshSubtype];

export interface OpenMessage {
  readonly version: number;
  /** The two-octet field, AS_TRANS for a larger number; `fourOctetAs` among the capabilities says the true one. */
  readonly myAs: number;
  readonly holdTimeSeconds: number;
  readonly bgpIdentifier: RouterId;
  readonly capabilities: readonly Capability[];
}

export interface NotificationMessage {
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;
}

export interface RouteRefreshMessage {
  readonly afi: number;
  readonly safi: number;
  readonly subtype: number;
}

/** What the RFC 7606 rules made of an attribute; the strongest of an UPDATE is the UPDATE's own outcome. */
export type AttributeOutcome = "discard" | "withdraw" | "reset";

export interface AttributeProblem {
  /** Attribute type code; 0 for the attribute list as a whole. */
  readonly type: number;
  readonly name: string;
  readonly outcome: AttributeOutcome;
  /** In words, for the log: "ORIGIN has the value 7 (RFC 7606 §7.1)". */
  readonly reason: string;
}

/** Prefixes that one UPDATE announces for one family, with the attributes that hold for them. */
export interface Announcement {
  readonly family: Family;
  readonly attributes: AttributeView;
  readonly prefixes: PrefixBatch;
}

/** A decoded UPDATE. Attributes and batches are buffers of the decoder: valid until a decoder decodes the next message. */
export interface UpdateMessage {
  /** At most one per family; prefixes of treat-as-withdraw (RFC 7606 §2) are among them. */
  readonly withdrawn: readonly PrefixBatch[];
  readonly announced: readonly Announcement[];
  /** Set when the message is that family's End-of-RIB marker (RFC 4724 §2). */
  readonly endOfRib: Family | undefined;
  /** What RFC 7606 had to mend; empty for a well-formed message. Never "reset": that is thrown. */
  readonly problems: readonly AttributeProblem[];
}

/** The peer broke the protocol: the session ends with this NOTIFICATION (RFC 4271 §6). */
export class NotificationError extends Error {
  override readonly name = "NotificationError";
  readonly code: NotificationCode;
  readonly subcode: number;
  readonly data: Uint8Array;

  constructor(code: NotificationCode, subcode: number, message: string, data: Uint8Array = new Uint8Array(0)) {
    super(message);
    this.code = code;
    this.subcode = subcode;
    this.data = data;
  }
}
