/** The shape of policies in the file, and of communities wherever they are set. */

import * as z from "zod";
import { asPathExpression, community, communityPattern, prefixRange } from "./patterns.ts";
import { asNumber, glob, integer, nextHopChange, oneOf, union } from "./scalars.ts";

const MAX_U32 = 0xffffffff;

export function list<T extends z.ZodType>(item: T) {
  return z.array(item, { error: "not a list; accepted: a list, as [a, b] or one item a line after a dash" });
}

export function mapping<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape);
}

const matchSchema = mapping({
  prefixes: list(prefixRange())
    .optional()
    .meta({
      description:
        "The route's prefix is one of these; `le` and `ge` bound its length, and without them it is exactly the prefix.",
      examples: [["10.244.0.0/16 le 26", "10.0.0.0/8 ge 24 le 28"]],
    }),
  communities: list(communityPattern())
    .optional()
    .meta({
      description:
        "The route carries at least one community that fits one of these; `*` stands for any part. To ask for `blackhole` by name is to honour it (RFC 7999).",
      examples: [["64512:10", "64512:*", "no-export"]],
    }),
  asPath: asPathExpression()
    .optional()
    .meta({
      description:
        "Expression over the AS path's text (`65001 65002 {65003 65004}`): digits, blanks, `.`, `[0-9]`, `( )`, `|`, `* + ? {n,m}`, `^`, `$`, and `_` for a border between AS numbers (a blank, a bracket, either end). A bracket of a set is written `\\{`.",
      examples: ["^65001 ", "_65002_", "^$"],
    }),
  origin: list(oneOf(["peer", "static", "kernel", "connected", "aggregate"]))
    .optional()
    .meta({
      description:
        "Where the route is from: a peer, `originate` (static), the kernel's table, a connected prefix, `aggregates`.",
    }),
  interface: glob()
    .optional()
    .meta({ description: "Glob over the name of the interface that the route leaves by.", examples: ["eth*"] }),
  peerType: oneOf(["internal", "external"])
    .optional()
    .meta({ description: "The type of the peer that the route comes from (import) or goes to (export)." }),
  localPref: integer(0, MAX_U32).optional().meta({ description: "The route's LOCAL_PREF is exactly this." }),
}).meta({ description: "All that is written must hold; nothing written matches every route." });

const setSchema = mapping({
  localPref: integer(0, MAX_U32).optional().meta({ description: "LOCAL_PREF; the highest wins, 100 is usual." }),
  med: integer(0, MAX_U32).optional().meta({ description: "MULTI_EXIT_DISC; the lowest wins." }),
  nextHop: nextHopChange()
    .optional()
    .meta({ description: "The next hop: `self` for this node's own address, or an address." }),
  prependAs: union(
    [integer(1, 32), list(asNumber()).min(1).max(32)],
    "how often to prepend our own AS (1 to 32), or a list of AS numbers",
  )
    .optional()
    .meta({
      description:
        "Lengthens the AS path: by these AS numbers in this order, or so often by our own AS (on import and towards internal peers by the path's first AS).",
    }),
  communities: mapping({
    add: list(community()).optional().meta({ description: "Added if the route does not carry them." }),
    remove: list(communityPattern())
      .optional()
      .meta({ description: "Removed before the others are added; `*` stands for any part." }),
  })
    .optional()
    .meta({
      description: "Standard, large and extended communities.",
      examples: [{ add: ["64512:99"], remove: ["64512:*"] }],
    }),
}).meta({ description: "Changes to a route that matches." });

const termSchema = mapping({
  match: matchSchema.optional(),
  set: setSchema.optional(),
  then: oneOf(["accept", "reject", "next"]).optional().meta({
    description: "What becomes of a route that matches; `next` goes on with the next term, changes applied.",
    default: "accept",
  }),
}).meta({ id: "term", description: "One term of a policy." });

export const policySchema = list(termSchema).meta({
  id: "policy",
  description:
    "Terms in order. The first that matches and accepts or rejects decides; if none does, the peer's next policy is asked, and after the last one the route is accepted.",
});

export type TermInput = z.output<typeof termSchema>;
