/** The seams: what a layer is handed instead of reaching for it. Time, logging, and the border between sessions and tables. */

import type { IpAddress } from "./address.ts";
import type { AttributeEdit, NextHopPair } from "./attribute-edit.ts";
import type { Origin, PathAttributes } from "./attributes.ts";
import type { NegotiatedFamily } from "./capability.ts";
import type { Family } from "./family.ts";
import type { Asn, PeerId, RouterId } from "./ids.ts";
import type { PrefixBatch } from "./prefix-batch.ts";

export interface Timer {
  /** Idempotent. */
  cancel(): void;
}

/** Time, handed in so that tests hold it in their hands. */
export interface Clock {
  /** Monotonic milliseconds; for intervals. */
  now(): number;
  /** Milliseconds since 1970; for people only. */
  wallTime(): number;
  after(milliseconds: number, run: () => void): Timer;
  /** Soon, after I/O that is waiting has had its turn. */
  soon(run: () => void): void;
}

/** Structured events: fields first, then the event's name. pino's shape, without pino. */
export interface Logger {
  debug(fields: object, event: string): void;
  info(fields: object, event: string): void;
  warn(fields: object, event: string): void;
  error(fields: object, event: string): void;
}

/** What a session came to; given to the tables when it becomes Established. */
export interface SessionFacts {
  readonly internal: boolean;
  readonly peerAs: Asn;
  readonly localAs: Asn;
  readonly remoteRouterId: RouterId;
  readonly localAddress: IpAddress;
  readonly remoteAddress: IpAddress;
  /** The interface's link-local address beside a global local address (RFC 2545 §3). */
  readonly localLinkLocal: IpAddress | undefined;
  readonly families: readonly NegotiatedFamily[];
  readonly fourOctetAs: boolean;
  /** Largest message that the peer takes: 4096 or 65535 (RFC 8654). */
  readonly maxMessageLength: number;
  /** The peer says that it has restarted (the R bit, RFC 4724 §3). */
  readonly isRestarting: boolean;
  /** The peer sends End-of-RIB markers (it negotiated graceful restart). */
  readonly sendsEndOfRib: boolean;
  /** Families for which the peer knows long-lived stale routes (RFC 9494 §4.6). */
  readonly longLivedStale: readonly Family[];
  /** Families whose forwarding state the peer says it kept across its restart (RFC 4724 §4.2). */
  readonly forwardingPreserved: readonly Family[];
}

/** How a session ended, as far as the routes are concerned (RFC 4724 §4.2, RFC 9494 §4.2). */
export type SessionEnd =
  | { readonly kind: "flush" }
  | {
      readonly kind: "retain";
      /** Per family: seconds to keep its routes as stale, then seconds to keep them as long-lived stale (0: not at all). */
      readonly families: readonly {
        readonly family: Family;
        readonly staleSeconds: number;
        readonly longLivedSeconds: number;
      }[];
    };

/** The tables' side of a session. Calls come in the order in which things happened on the wire. */
export interface RibSink {
  peerUp(peer: PeerId, facts: SessionFacts): void;
  peerDown(peer: PeerId, end: SessionEnd): void;
  /** The attributes and the batch are only lent. */
  announce(peer: PeerId, attributes: AttributeView, prefixes: PrefixBatch): void;
  withdraw(peer: PeerId, prefixes: PrefixBatch): void;
  endOfRib(peer: PeerId, family: Family): void;
  /** ROUTE-REFRESH from the peer: send that family again (RFC 2918); between BoRR and EoRR if `enhanced` (RFC 7313). */
  refreshRequested(peer: PeerId, family: Family, enhanced: boolean): void;
  /** BoRR and EoRR from the peer around its answer to our own request (RFC 7313 §4). */
  refreshBegin(peer: PeerId, family: Family): void;
  refreshEnd(peer: PeerId, family: Family): void;
}

/** What alters the bytes of an UPDATE beyond its attributes: peers that agree in it can share them. */
export interface Encoding {
  readonly family: Family;
  readonly fourOctetAs: boolean;
  readonly addPath: boolean;
  /** IPv4 NLRI go into MP_REACH_NLRI because their next hop is IPv6 (RFC 8950). */
  readonly extendedNextHop: boolean;
  readonly maxMessageLength: number;
}

/** Whom a message of an Outbox is for. */
export type Audience =
  | { readonly kind: "all" }
  | { readonly kind: "except"; readonly peer: PeerId }
  | { readonly kind: "only"; readonly peer: PeerId }
  /** The members that joined and have not yet been told that the table is complete; but not the one that the routes came from. */
  | { readonly kind: "joining"; readonly except: PeerId | undefined };

/**
 * The outbound side of one update group: each UPDATE is encoded once, in order, and written to every member that it is for.
 * `attributes` are the bytes of AttributesCodec.
 */
export interface Outbox {
  announce(attributes: Uint8Array, prefixes: PrefixBatch, audience: Audience): void;
  withdraw(prefixes: PrefixBatch, audience: Audience): void;
  /** The member reads from here on; it is `joining` until `joined`. */
  join(peer: PeerId): void;
  /** Its table is complete: an End-of-RIB marker follows for it (RFC 4724 §2), or EoRR if it is answering a refresh. */
  joined(peer: PeerId): void;
  /** BoRR for one member, which then is `joining` again (RFC 7313 §4). */
  refresh(peer: PeerId, enhanced: boolean): void;
  /** A lagging member has caught up from the table: it reads the shared log again, from here on. */
  rejoin(peer: PeerId): void;
  leave(peer: PeerId): void;
  /** Let the members write what there is; call once after a slice of work. */
  flush(): void;
  /** Bytes ever put into the log, and how many of them the slowest member (lagging ones aside) has written. */
  readonly position: number;
  readonly slowest: number;
}

/** What an Outbox tells its owner. */
export interface OutboxEvents {
  /**
   * The member is further behind than the bound allows and has been taken out of the shared log: what it was not sent is dropped.
   * Its owner brings it up to date from the table: see OutboxEvents.drained.
   */
  lagging(peer: PeerId): void;
  /** A lagging member has written everything it was given: give it more (audience `only`) or let it `rejoin`. */
  drained(peer: PeerId): void;
}

export type OutboxFactory = (encoding: Encoding, events: OutboxEvents) => Outbox;

/** The attributes of a set as bytes that two equal sets share, opaque to all but the codec (in bgp/wire). */
export interface AttributesCodec {
  encode(attributes: PathAttributes): Uint8Array;
  decode(bytes: Uint8Array): PathAttributes;
  /** A new cursor over such bytes. */
  view(): AttributeView;
  rewriter(): AttributeRewriter;
}

/**
 * A cursor over the bytes of one set: single values, read where they stand, without a PathAttributes. `load` moves it to another
 * set; what it says holds as long as those bytes do. AS numbers, router ids and communities are plain unsigned words.
 */
export interface AttributeView {
  /** The set stands in `bytes` between `from` and `end`. */
  load(bytes: Uint8Array, from?: number, end?: number): this;
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly end: number;

  /** Octets: 4, 16, or 32 with a link-local one. */
  readonly nextHopLength: number;
  readonly nextHop: IpAddress;
  readonly linkLocalNextHop: IpAddress | undefined;
  readonly origin: Origin;
  /** RFC 4271 §9.1.2.2 a, and c: see `pathLength` and `neighborAs` of as-path.ts. */
  readonly pathLength: number;
  readonly neighborAs: number;
  /** AS_PATH has no segments at all. */
  readonly isPathEmpty: boolean;
  /** How often it stands anywhere in AS_PATH. */
  countAs(asn: number): number;
  readonly med: number | undefined;
  readonly localPref: number | undefined;
  readonly originatorId: number | undefined;
  readonly onlyToCustomer: number | undefined;
  readonly communityCount: number;
  community(index: number): number;
  hasCommunity(community: number): boolean;
  readonly clusterCount: number;
  cluster(index: number): number;

  /** Attributes in the order in which they stand: ORIGIN, AS_PATH, then by type. The next hop is none of them. */
  readonly attributeCount: number;
  typeAt(index: number): number;
  /** Where the attribute of this type begins, where its value does, and what follows it; all 0 when it is not there. */
  headerOf(type: number): number;
  valueOf(type: number): number;
  endOf(type: number): number;
  /** The word at this place of `bytes`, in network order. */
  u32(at: number): number;
}

/** Changes canonical bytes into others, without a PathAttributes in between. */
export interface AttributeRewriter {
  /** The result of the last `rewrite` stands here from 0 to `end`, until the next one. */
  readonly bytes: Uint8Array;
  readonly end: number;
  /** Without `nextHop` the set's own stays; a link-local address beside it is told only by the router that has it (RFC 2545 §3). */
  rewrite(set: AttributeView, edit: AttributeEdit, nextHop: NextHopPair | undefined): void;
}
