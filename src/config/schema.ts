/** The shape of the configuration file: the one source of validation, `starling config schema` and docs/configuration.md. */

import * as z from "zod";
import { community } from "./patterns.ts";
import {
  anyAddress,
  asNumber,
  boolean,
  duration,
  glob,
  identifier,
  integer,
  numericScalar,
  oneOf,
  prefix,
  text,
  unicastAddress,
  union,
} from "./scalars.ts";
import { calicoSchema } from "./schema-calico.ts";
import { peerDefaultsSchema, peerSchema } from "./schema-peer.ts";
import { list, mapping, policySchema } from "./schema-policy.ts";

const MAX_U32 = 0xffffffff;
const LEVELS = ["debug", "info", "warn", "error"] as const;

const record = <T extends z.ZodType>(value: T) =>
  z.record(z.string(), value, { error: "not a mapping; accepted: names, each with its value" });

const listenSchema = mapping({
  addresses: list(anyAddress())
    .optional()
    .meta({ description: "Addresses to listen on; an empty list listens nowhere.", default: ["0.0.0.0", "::"] }),
  port: integer(1, 65535).optional().meta({ description: "TCP port to listen on.", default: 179 }),
});

const originateSchema = mapping({
  prefix: prefix().meta({ description: "The prefix to announce." }),
  blackhole: boolean().optional().meta({
    description: "Also put a blackhole route into the kernel, so that what no longer route covers is dropped.",
    default: false,
  }),
  nextHop: unicastAddress().optional().meta({
    description: "Also route the prefix there, and resolve it as a static route. Without either: announced only.",
  }),
  communities: list(community())
    .optional()
    .meta({ description: "Communities of the route: standard, large or extended.", examples: [["64512:10"]] }),
  localPref: integer(0, MAX_U32)
    .optional()
    .meta({ description: "LOCAL_PREF towards internal peers; without it they are told 100." }),
  med: integer(0, MAX_U32).optional().meta({ description: "MULTI_EXIT_DISC; absent unless written." }),
}).meta({ id: "originate", description: "A route of this node's own." });

const aggregateSchema = mapping({
  prefix: prefix().meta({ description: "Announced while a more specific route exists." }),
  summaryOnly: boolean().optional().meta({
    description: "Do not announce the more specific routes.",
    default: false,
  }),
}).meta({ id: "aggregate" });

const protocol = () =>
  numericScalar("a name such as bird, bgp, static, boot or kernel, or a number from 1 to 255", (value) => value);

const kernelSchema = mapping({
  enabled: boolean().optional().meta({
    description: "Write routes to the kernel and learn from it. False: a pure reflector, every next hop is reachable.",
    default: true,
  }),
  table: numericScalar("main, a name from rt_tables, or a number from 1 to 4294967295", (value) => value)
    .optional()
    .meta({
      description: "Routing table: main, a name from /etc/iproute2/rt_tables, or a number (that of a VRF too).",
      default: "main",
    }),
  protocol: protocol().optional().meta({
    description: "Owner's mark (rtm_protocol) of the routes written: bird (12), bgp (186), or a number.",
    default: "bird",
  }),
  metric: integer(1, MAX_U32).optional().meta({
    description: "Metric of the routes written; null for the kernel's default.",
    default: null,
  }),
  preferredSources: list(anyAddress()).optional().meta({
    description:
      "Source of this machine's own packets over the routes written, for machines with several addresses: one of its addresses for each family.",
    default: [],
  }),
  learn: mapping({
    enabled: boolean().optional().meta({ description: "Learn routes that others put there.", default: true }),
    protocols: list(protocol())
      .optional()
      .meta({ description: "Whose routes.", default: ["boot", "static"] }),
    interfaces: list(glob())
      .optional()
      .meta({
        description: "Globs of the interfaces that they leave by; an empty list means all.",
        default: ["cali*"],
      }),
  })
    .optional()
    .meta({ description: "Routes learnt from the kernel and announced." }),
  interfaces: mapping({
    exclude: list(glob())
      .optional()
      .meta({
        description: "Globs of interfaces whose connected prefixes are not learnt.",
        default: ["kube-ipvs*"],
      }),
  })
    .optional()
    .meta({ description: "Connected prefixes." }),
  maxPaths: integer(1, 256).optional().meta({ description: "Equal paths used together (ECMP).", default: 16 }),
  pruneAfter: duration({ min: 0, max: 24 * 3_600_000 })
    .optional()
    .meta({
      description: "How long routes of an earlier run stay while sessions come back.",
      default: "240s",
    }),
});

const birdSocket = (daemon: string, family: string, calico: string) =>
  union([z.literal(false), text("the path of a socket", 107)], "the path of a socket, or false")
    .optional()
    .meta({
      description: `Socket that answers as the control socket of BIRD 1.6's ${daemon} does, with ${family} sessions and routes; on a Calico node ${calico} unless false.`,
      default: null,
    });

const rootShape = {
  asNumber: asNumber().optional().meta({
    description: "This node's AS number; the only key without a default. On a Calico node its resources give it.",
  }),
  routerId: identifier().optional().meta({
    description: "BGP Identifier; default the highest IPv4 address of an interface that is up.",
  }),
  listen: listenSchema.optional().meta({ description: "Where peers connect to." }),
  routeReflector: mapping({
    clusterId: identifier().optional().meta({ description: "Cluster id (RFC 4456 section 7); default `routerId`." }),
  })
    .optional()
    .meta({ description: "Route reflection; a peer becomes a client by its `routeReflectorClient`." }),
  peerDefaults: peerDefaultsSchema.optional().meta({ description: "Keys that hold for every peer." }),
  templates: record(peerDefaultsSchema)
    .optional()
    .meta({ description: "Named sets of keys; a peer takes them with `use`." }),
  originate: list(originateSchema).optional().meta({ description: "Routes of this node's own.", default: [] }),
  aggregates: list(aggregateSchema).optional().meta({ description: "Summaries of more specific routes.", default: [] }),
  policies: record(policySchema)
    .optional()
    .meta({ description: "Policies by name, for `import` and `export` of peers.", default: {} }),
  kernel: kernelSchema.optional().meta({ description: "The kernel's routing table." }),
  calico: calicoSchema.optional(),
  control: mapping({
    socket: text("the path of a socket", 107).optional().meta({
      description:
        "Socket of the commands; default /run/starling/starling.sock, for an ordinary user one in its runtime directory.",
    }),
    birdSocket: birdSocket("bird", "IPv4", "/var/run/calico/bird.ctl"),
    bird6Socket: birdSocket("bird6", "IPv6", "/var/run/calico/bird6.ctl"),
  })
    .optional()
    .meta({ description: "Control socket." }),
  http: union(
    [
      z.literal(false),
      mapping({
        address: anyAddress().optional().meta({
          description: "Address to listen on; default STARLING_HTTP_ADDRESS of the environment, else 127.0.0.1.",
        }),
        port: integer(1, 65535).optional().meta({ description: "Port to listen on.", default: 9179 }),
      }),
    ],
    "a mapping {address, port}, or false",
  )
    .optional()
    .meta({
      description: "Metrics, health and the read-only API; or false.",
      default: { address: "127.0.0.1", port: 9179 },
    }),
  log: mapping({
    level: oneOf(LEVELS).optional().meta({ description: "The least that is logged.", default: "info" }),
    format: oneOf(["auto", "pretty", "json"]).optional().meta({
      description: "`auto` is pretty on a terminal and JSON lines otherwise.",
      default: "auto",
    }),
    peers: record(oneOf(LEVELS))
      .optional()
      .meta({ description: "Another level for single peers, by name.", default: {} }),
  })
    .optional()
    .meta({ description: "Logging, to standard error." }),
};

/** The file as editors and readers see it. */
export const fileSchema = mapping({
  ...rootShape,
  peers: list(peerSchema).optional().meta({ description: "The peers.", default: [] }),
}).meta({
  title: "starling configuration",
  if: { not: { required: ["calico"] } },
  then: { required: ["asNumber"] },
});

/** The file but for its peers: each is parsed for itself, so that a wrong one spoils no other. */
export const rootSchema = mapping({ ...rootShape, peers: list(z.unknown()).optional() });

export type RootInput = z.output<typeof rootSchema>;

/** Keys of the contract that this version does not know yet, by the key path without indices. */
export const LATER_KEYS: Readonly<Record<string, string>> = {
  bmp: "BMP is not in this version",
  "peers.bfd": "BFD is not in this version",
  "peerDefaults.bfd": "BFD is not in this version",
  "templates.*.bfd": "BFD is not in this version",
};
