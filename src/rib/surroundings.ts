/** What the tables ask about the machine they run on, and whom they tell what became of the routes. */

import type { IpAddress } from "../bgp/model/address.ts";
import type { Family } from "../bgp/model/family.ts";
import type { PeerId } from "../bgp/model/ids.ts";
import type { AttributesCodec, Clock, OutboxFactory, SessionFacts } from "../bgp/model/ports.ts";
import type { ForwardingSink } from "./forwarding.ts";
import type { RibOptions } from "./options.ts";

export interface RibEvents {
  /** A destination came, went, or has another best path. Called for each, so it must be cheap. */
  bestChanged(family: Family, prefix: number): void;
  /** RFC 4486 §4: the number of prefixes from a peer came near its limit, or passed it. */
  limitReached(peer: PeerId, family: Family, kind: "near" | "exceeded"): void;
  /** Everything that waited has been decided and handed to the outboxes; milliseconds since the first of it came in. */
  settled(milliseconds: number): void;
}

/** What the tables ask about the machine they run on. */
export interface Surroundings {
  interfaceName(index: number): string | undefined;
  isOwnAddress(address: IpAddress): boolean;
  isLinkUp(interfaceIndex: number): boolean;
  /** Index of the interface of that name; 0 while there is none that is up. */
  interfaceIndex(name: string): number;
  /** Interface of the session's link, 0 if it is not known. */
  sessionInterface(facts: SessionFacts): number;
  /** An address of that family on the link that the session runs over. */
  localAddress(facts: SessionFacts, family: Family): IpAddress | undefined;
}

export interface RibParts {
  readonly options: RibOptions;
  readonly clock: Clock;
  readonly codec: AttributesCodec;
  readonly createOutbox: OutboxFactory;
  /** Undefined: nothing is forwarded. */
  readonly forwarding: ForwardingSink | undefined;
  readonly surroundings: Surroundings;
  readonly events: RibEvents;
}
