/** How starling answers the malformed attributes of other projects' suites where it answers otherwise than they, and why. */

export type Outcome = "accept" | "discard" | "treat-as-withdraw" | "session-reset";

/** FRR's case, and what comes of it here. */
export const frrDifferences: Readonly<Record<string, readonly [Outcome, string]>> = {
  "prefix-sid-tlv-overrun": ["accept", "PREFIX_SID is not known here: optional transitive, kept and passed on"],
  "prefix-sid-bad-label-index": ["accept", "PREFIX_SID is not known here"],
  "nhc-bad-afi-safi": ["accept", "NHC is a draft's, not known here"],
  "pmsi-len-4": ["accept", "PMSI_TUNNEL is not known here"],
  "pmsi-type-255": ["accept", "PMSI_TUNNEL is not known here"],
  "encap-flag-nontrans": ["discard", "TUNNEL_ENCAPSULATION is not known here: optional non-transitive, dropped"],
  "encap-outer-len-mismatch": ["accept", "TUNNEL_ENCAPSULATION is not known here"],
  "ipv6-extcomm-flag-nontrans": ["discard", "IPv6 EXTENDED COMMUNITIES are not known here"],
  "ipv6-extcomm-len-21": ["accept", "IPv6 EXTENDED COMMUNITIES are not known here"],
  "as4path-seg-type-0": [
    "discard",
    "RFC 6793 §6: a malformed AS4_PATH is discarded; §3: from a new speaker in any case",
  ],
};

/** GoBGP withdraws in all of its cases. RFC 7606 §3 j: not where the prefixes of MP_REACH_NLRI cannot be located. */
export const gobgpResets: ReadonlySet<string> = new Set(["MalformedMpReachNlri", "MalformedNexthop"]);
