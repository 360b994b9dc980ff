/** Capabilities of an OPEN (RFC 5492), decoded; those that starling does not know stay as bytes. */

import type { Family } from "./family.ts";
import type { Asn } from "./ids.ts";

export const CapabilityCode = {
  Multiprotocol: 1, // RFC 4760
  RouteRefresh: 2, // RFC 2918
  ExtendedNextHop: 5, // RFC 8950
  ExtendedMessage: 6, // RFC 8654
  Role: 9, // RFC 9234
  GracefulRestart: 64, // RFC 4724
  FourOctetAs: 65, // RFC 6793
  AddPath: 69, // RFC 7911
  EnhancedRouteRefresh: 70, // RFC 7313
  LongLivedGracefulRestart: 71, // RFC 9494
  Fqdn: 73, // draft-walton-bgp-hostname-capability
} as const;

/** RFC 7911 §4, from the sender's point of view. */
export const AddPathMode = { Receive: 1, Send: 2, Both: 3 } as const;
export type AddPathMode = (typeof AddPathMode)[keyof typeof AddPathMode];

export type Capability =
  | { readonly kind: "multiprotocol"; readonly afi: number; readonly safi: number }
  | { readonly kind: "routeRefresh" }
  | {
      readonly kind: "extendedNextHop";
      readonly tuples: readonly { readonly afi: number; readonly safi: number; readonly nextHopAfi: number }[];
    }
  | { readonly kind: "extendedMessage" }
  | { readonly kind: "role"; readonly role: number }
  | {
      readonly kind: "gracefulRestart";
      /** The R bit: the speaker has restarted (RFC 4724 §3). */
      readonly restarted: boolean;
      /** The N bit: notification support (RFC 8538 §2). */
      readonly notification: boolean;
      readonly timeSeconds: number;
      readonly families: readonly {
        readonly afi: number;
        readonly safi: number;
        readonly forwardingPreserved: boolean;
      }[];
    }
  | { readonly kind: "fourOctetAs"; readonly asNumber: Asn }
  | {
      readonly kind: "addPath";
      readonly tuples: readonly { readonly afi: number; readonly safi: number; readonly mode: AddPathMode }[];
    }
  | { readonly kind: "enhancedRouteRefresh" }
  | {
      readonly kind: "longLivedGracefulRestart";
      readonly tuples: readonly {
        readonly afi: number;
        readonly safi: number;
        readonly forwardingPreserved: boolean;
        readonly staleTimeSeconds: number;
      }[];
    }
  | { readonly kind: "fqdn"; readonly hostName: string; readonly domainName: string }
  | { readonly kind: "unknown"; readonly code: number; readonly value: Uint8Array };

/** The families of a session whose negotiation is done, each with what applies to it. */
export interface NegotiatedFamily {
  readonly family: Family;
  readonly addPathReceive: boolean;
  readonly addPathSend: boolean;
  /** IPv4 routes may carry an IPv6 next hop (RFC 8950). */
  readonly extendedNextHop: boolean;
}
