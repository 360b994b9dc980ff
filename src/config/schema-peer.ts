/** The shape of a peer in the file. Defaults stand in the descriptions and are applied after inheritance (peer.ts). */

import * as z from "zod";
import {
  asNumber,
  boolean,
  duration,
  identifier,
  integer,
  interfaceName,
  oneOf,
  peerAddress,
  peerAsNumber,
  prefix,
  secret,
  text,
  unicastAddress,
  union,
} from "./scalars.ts";
import { list, mapping } from "./schema-policy.ts";

const SECOND = 1000;
const HOUR = 3600 * SECOND;

const maxPrefixesSchema = mapping({
  limit: integer(1, 100_000_000).meta({ description: "Prefixes that the peer may announce in this family." }),
  warnPercent: integer(1, 100).optional().meta({ description: "Logs a warning from here on.", default: 80 }),
  action: oneOf(["warn", "discard", "restart", "shutdown"]).optional().meta({
    description:
      "Beyond the limit: log only; discard what is above it; end the session and start again after `restartAfter`; end it until an operator enables the peer.",
    default: "warn",
  }),
  restartAfter: duration({ min: SECOND, max: 24 * HOUR })
    .optional()
    .meta({ description: "Pause before a session that `restart` ended begins again.", default: "60s" }),
});

const familySchema = union(
  [
    z.literal(true),
    z.literal(false),
    mapping({
      addPath: oneOf(["off", "receive", "send", "both"]).optional().meta({
        description: "Several paths per prefix (RFC 7911).",
        default: "off",
      }),
      extendedNextHop: boolean().optional().meta({
        description:
          "IPv4 routes may carry IPv6 next hops on this session (RFC 8950). Written for either family; on by default for `interface` peers.",
        default: false,
      }),
      maxPrefixes: maxPrefixesSchema.optional().meta({ description: "A limit on what the peer announces." }),
    }),
  ],
  "a mapping of the family's options, {} or true for the defaults, or false",
).meta({ id: "family", description: "One address family of a session; `{}` takes it with the defaults." });

const timersSchema = mapping({
  hold: duration({ min: 0, max: 65535 * SECOND, whole: true })
    .optional()
    .meta({
      description: "Hold time offered to the peer; 0 switches keepalives off, else at least 3s (RFC 4271 section 4.2).",
      default: "90s",
    }),
  keepalive: duration({ min: 0, max: 65535 * SECOND, whole: true })
    .optional()
    .meta({
      description: "Interval of keepalives; default a third of the negotiated hold time.",
    }),
  connectRetry: duration({ min: 100, max: HOUR }).optional().meta({
    description: "Pause before another attempt to connect.",
    default: "5s",
  }),
  idleHold: duration({ min: 100, max: HOUR }).optional().meta({
    description: "First pause after a session failed; it doubles with each failure in a row.",
    default: "5s",
  }),
  advertisement: duration({ min: 0, max: 600 * SECOND })
    .optional()
    .meta({
      description: "Shortest time between two advertisements of a prefix (RFC 4271 section 9.2.1.1); 0 sends at once.",
      default: "0s",
    }),
});

const gracefulRestartSchema = union(
  [
    z.literal(false),
    mapping({
      time: duration({ min: 0, max: 4095 * SECOND, whole: true })
        .optional()
        .meta({
          description: "How long the peer keeps our routes while we restart (RFC 4724).",
          default: "120s",
        }),
      longLived: duration({ min: 0, max: 16_777_215 * SECOND, whole: true })
        .optional()
        .meta({
          description: "How long they are kept as a last resort after that (RFC 9494); 0 switches it off.",
          default: "0s",
        }),
    }),
  ],
  "a mapping {time, longLived}, or false",
);

const policyNames = () => list(text("the name of a policy"));

/** Every key that `peerDefaults` and `templates` take: all but what makes a peer this one. */
const commonShape = {
  use: union(
    [text("the name of a template"), list(text("the name of a template"))],
    "the name of a template, or a list of such names",
  )
    .optional()
    .meta({ description: "Templates whose keys hold where this entry does not say otherwise; the later one wins." }),
  port: integer(1, 65535).optional().meta({ description: "TCP port that the peer listens on.", default: 179 }),
  asNumber: union(
    [peerAsNumber(), list(asNumber()).min(1)],
    "an AS number, internal, external, or for a range a list of AS numbers",
  )
    .optional()
    .meta({
      description: "The peer's AS number; `internal` is our own AS, `external` any but ours; for a range also a list.",
      default: "internal",
    }),
  localAsNumber: asNumber()
    .optional()
    .meta({ description: "Our own AS number towards this peer; default the file's `asNumber`." }),
  localAddress: unicastAddress()
    .optional()
    .meta({ description: "Address that we connect from; default the kernel's choice." }),
  passive: boolean()
    .optional()
    .meta({ description: "Wait for the peer to connect; ranges always do.", default: false }),
  password: secret("the password in quotes, at most 80 octets")
    .optional()
    .meta({ description: "TCP MD5 key (RFC 2385), at most 80 octets; rather use `passwordFile` or `passwordEnv`." }),
  passwordFile: text("the path of a file", 4096)
    .optional()
    .meta({ description: "File that holds the TCP MD5 key; relative to the configuration file." }),
  passwordEnv: text("the name of an environment variable")
    .optional()
    .meta({ description: "Environment variable that holds the TCP MD5 key." }),
  multihop: integer(1, 255).optional().meta({
    description: "TTL of what we send; default 1 for external peers and 64 for internal ones.",
  }),
  ttlSecurity: integer(1, 254).optional().meta({
    description: "Accept only packets from at most so many hops away (GTSM, RFC 5082); the peer must do the same.",
  }),
  routeReflectorClient: boolean().optional().meta({
    description: "Reflect routes to this internal peer (RFC 4456).",
    default: false,
  }),
  clusterId: identifier()
    .optional()
    .meta({ description: "Cluster id towards this peer; default the file's `routeReflector.clusterId`." }),
  nextHop: oneOf(["auto", "self", "keep"]).optional().meta({
    description:
      "Next hop of what we advertise: `auto` as RFC 4271 section 5.1.3 says, `self` this node, `keep` as received.",
    default: "auto",
  }),
  families: mapping({ ipv4: familySchema.optional(), ipv6: familySchema.optional() })
    .optional()
    .meta({
      description:
        "Address families of the session; default the family of the peer's address, and both for `interface` peers.",
      examples: [{ ipv4: { addPath: "both", maxPrefixes: { limit: 1000 } }, ipv6: {} }],
    }),
  timers: timersSchema.optional().meta({ description: "Timers of the session." }),
  gracefulRestart: gracefulRestartSchema.optional().meta({
    description: "Graceful restart in both roles (RFC 4724, 8538, 9494), or false.",
    default: { time: "120s", longLived: "0s" },
  }),
  allowLocalAs: integer(0, 255).optional().meta({
    description: "How often our own AS may stand in the AS path of a route that is accepted.",
    default: 0,
  }),
  removePrivateAs: boolean().optional().meta({
    description: "Remove private AS numbers (RFC 6996) from what goes to this external peer.",
    default: false,
  }),
  asOverride: boolean().optional().meta({
    description: "Replace the peer's AS in paths sent to this external peer by our own.",
    default: false,
  }),
  role: oneOf(["provider", "customer", "peer", "rs-server", "rs-client"]).optional().meta({
    description: "Our own role towards this external peer (RFC 9234); null for none.",
    default: null,
  }),
  import: policyNames()
    .optional()
    .meta({ description: "Policies for what the peer announces, in order.", default: [] }),
  export: policyNames().optional().meta({ description: "Policies for what the peer is sent, in order.", default: [] }),
  enabled: boolean().optional().meta({ description: "False keeps the peer configured but down.", default: true }),
};

/** Keys whose presence excludes each other: one that is written replaces whichever of its group was inherited. */
export const EXCLUSIVE_KEYS = [
  ["password", "passwordFile", "passwordEnv"],
  ["multihop", "ttlSecurity"],
] as const;

export const peerDefaultsSchema = mapping(commonShape).meta({ id: "peerDefaults" });

export const peerSchema = mapping({
  name: text("a name without blanks", 64)
    .regex(/^[^\s"'\\]+$/, { error: "a name has neither blanks nor quotes" })
    .optional()
    .meta({ description: "Name in commands, logs and metrics; default the address, range or interface." }),
  address: peerAddress().optional().meta({
    description: "The peer's address; a link-local one with its interface (fe80::1%eth0).",
  }),
  range: prefix().optional().meta({
    description: "Accept any peer from this prefix; an address of its own and a longer range go first.",
  }),
  interface: interfaceName().optional().meta({
    description: "Unnumbered: the one router at the other end of this interface, found by its IPv6 link-local address.",
  }),
  rangeLimit: integer(1, 100_000).optional().meta({
    description: "How many peers a range accepts at a time.",
    default: 4096,
  }),
  ...commonShape,
}).meta({ id: "peer", description: "A peer: `address`, `range` or `interface`, and how to talk to it." });

export type PeerKeys = z.output<typeof peerDefaultsSchema>;
export type PeerInput = z.output<typeof peerSchema>;
