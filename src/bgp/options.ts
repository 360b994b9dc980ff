/** What the daemon tells the sessions' layer: plain values, translated from the configuration. */

import type { IpAddress } from "./model/address.ts";
import type { AddPathMode } from "./model/capability.ts";
import type { Family } from "./model/family.ts";
import type { Asn, PeerId, RouterId } from "./model/ids.ts";
import type { Prefix } from "./model/prefix.ts";

/** The speaker as a whole. */
export interface SpeakerOptions {
  readonly asNumber: Asn;
  readonly routerId: RouterId;
  readonly hostName: string;
  readonly listen: readonly { readonly address: IpAddress; readonly port: number }[];
  /** This process is a restart within the graceful restart time: the R bit (RFC 4724 §3). */
  readonly restarting: boolean;
}

export type MaxPrefixAction = "warn" | "discard" | "restart" | "shutdown";

export interface FamilyOptions {
  readonly family: Family;
  readonly addPath: AddPathMode | undefined;
  readonly extendedNextHop: boolean;
  readonly maxPrefixes:
    | {
        readonly limit: number;
        readonly warnPercent: number;
        readonly action: MaxPrefixAction;
        readonly restartSeconds: number;
      }
    | undefined;
}

/** Capabilities of the OPEN that do not follow from anything else, and not every speaker has. */
export interface CapabilityOptions {
  /** Messages of up to 65535 octets (RFC 8654). */
  readonly extendedMessages: boolean;
  readonly hostName: boolean;
  /** The N bit of graceful restart (RFC 8538 §2). */
  readonly restartNotification: boolean;
  /** Where no routes are kept long-lived: say all the same that stale ones are known (RFC 9494 §3.1), by the capability without a family. */
  readonly longLivedAwareness: boolean;
}

export interface PeerOptions {
  readonly id: PeerId;
  readonly name: string;
  /** One address, a range that it may connect from, or an interface with an IPv6 link-local peer. */
  readonly remote:
    | { readonly kind: "address"; readonly address: IpAddress; readonly interface: string | undefined }
    | { readonly kind: "range"; readonly prefix: Prefix; readonly limit: number }
    | { readonly kind: "interface"; readonly interface: string };
  readonly port: number;
  /** The AS numbers that its OPEN may carry; several only for ranges. `internal` and `external`: any that is (not) ours. */
  readonly remoteAs: readonly Asn[] | "internal" | "external";
  /** Our AS towards this peer (local-as). */
  readonly localAs: Asn;
  readonly localAddress: IpAddress | undefined;
  readonly passive: boolean;
  readonly enabled: boolean;
  /** TCP MD5 key (RFC 2385), at most 80 octets. Never logged. */
  readonly password: string | undefined;
  /** IP TTL of what we send; 255 with ttlSecurityHops. */
  readonly ttl: number;
  /** Accept only packets with a TTL of at least 256 - hops (RFC 5082). */
  readonly ttlSecurityHops: number | undefined;
  readonly families: readonly FamilyOptions[];
  readonly holdTimeSeconds: number;
  readonly keepaliveSeconds: number | undefined;
  readonly connectRetrySeconds: number;
  readonly idleHoldSeconds: number;
  readonly gracefulRestart: { readonly timeSeconds: number; readonly longLivedSeconds: number } | undefined;
  /** RFC 9234; the role of this side. */
  readonly role: number | undefined;
  readonly capabilities: CapabilityOptions;
  /** To a peer on our link IPv6 routes go with our link-local address beside the global next hop (RFC 2545 §3). */
  readonly linkLocalNextHops: boolean;
}
