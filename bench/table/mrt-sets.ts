/** A real table, from an MRT file of the shared data, as internal peers would send it. */

import { attributesWith } from "../../src/bgp/model/attributes.ts";
import { Family } from "../../src/bgp/model/family.ts";
import { formatPrefix } from "../../src/bgp/model/prefix.ts";
import { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import { createAttributesCodec } from "../../src/bgp/wire/attributes-codec.ts";
import { HEADER_LENGTH } from "../../src/bgp/wire/header.ts";
import { UpdateDecoder } from "../../src/bgp/wire/update-decoder.ts";
import { type Feed, feedsOf } from "../../test/harness/bgp-replayer.ts";
import { mrtFile, readWhole } from "../../test/harness/mrt.ts";
import { replay } from "../../test/harness/mrt-updates.ts";
import { BenchError } from "../bench-error.ts";
import type { RouteSet } from "./route-set.ts";

export interface MrtTable {
  readonly family: Family;
  /** One for each sender: those peers that had most to say. */
  readonly senders: readonly (readonly RouteSet[])[];
  /** Distinct prefixes of all of them. */
  readonly prefixes: number;
}

const LOCAL_PREF = 100;

/** Throws a BenchError when the file is not there. */
export function mrtTable(name: string, senders: number): MrtTable {
  const path = mrtFile(name);
  if (path === undefined) throw new BenchError(`the shared data with MRT files is not there: no ${name}`);
  const feeds = feedsOf(replay(readWhole(path))).toSorted((a, b) => octets(b) - octets(a));
  const chosen = feeds.slice(0, senders);
  const family = chosen[0]?.family ?? Family.Ipv4;
  const tables = chosen.map(setsOf);
  const distinct = new Set<string>();
  for (const { prefixes } of tables.flat()) {
    for (let i = 0; i < prefixes.count; i++) distinct.add(formatPrefix(prefixes.prefixAt(i)));
  }
  return { family, senders: tables, prefixes: distinct.size };
}

function octets({ messages }: Feed): number {
  return messages.reduce((sum, message) => sum + message.length, 0);
}

/** What shares attributes goes together, in the order of first mention, as a daemon would send it; the last path of a prefix counts. */
function setsOf({ family, fourOctetAs, messages }: Feed): RouteSet[] {
  const codec = createAttributesCodec();
  const families = [{ family, addPathReceive: false, addPathSend: false, extendedNextHop: false }];
  const decoder = new UpdateDecoder({ internal: false, fourOctetAs, families });
  const sets = new Map<string, RouteSet>();
  const seen = new Set<string>();
  // From the end, so that of two paths for a prefix the later one is met first.
  for (const message of messages.toReversed()) {
    for (const { attributes, prefixes } of decoder.decode(message.subarray(HEADER_LENGTH)).announced) {
      const internal = attributesWith(attributes.nextHop, {
        ...codec.decode(attributes.bytes.slice(attributes.from, attributes.end)),
        linkLocalNextHop: undefined,
        localPref: LOCAL_PREF,
      });
      const key = Buffer.from(codec.encode(internal)).toString("latin1");
      const set = sets.get(key) ?? { attributes: internal, prefixes: new PrefixBatch(family) };
      for (let i = 0; i < prefixes.count; i++) {
        const prefix = prefixes.prefixAt(i);
        const text = formatPrefix(prefix);
        if (seen.has(text)) continue;
        seen.add(text);
        set.prefixes.add(prefix);
      }
      if (set.prefixes.count > 0) sets.set(key, set);
    }
  }
  return [...sets.values()].reverse();
}
