/** The table of path attributes: how the loop that walks an attribute list reads each of them (RFC 4271 §4.3). */

import type { Reader } from "../reader.ts";
import { aggregator } from "./aggregator.ts";
import { asPath } from "./as-path.ts";
import { as4Aggregator } from "./as4-aggregator.ts";
import { as4Path } from "./as4-path.ts";
import { atomicAggregate } from "./atomic-aggregate.ts";
import { clusterList } from "./cluster-list.ts";
import { communities } from "./communities.ts";
import type { AttributeCodec, AttributeContext, AttributeRules } from "./contract.ts";
import type { AttributeDraft } from "./draft.ts";
import { extendedCommunities } from "./extended-communities.ts";
import { largeCommunities } from "./large-communities.ts";
import { localPref } from "./local-pref.ts";
import { multiExitDisc } from "./multi-exit-disc.ts";
import { nextHop } from "./next-hop.ts";
import { onlyToCustomer } from "./only-to-customer.ts";
import { origin } from "./origin.ts";
import { originatorId } from "./originator-id.ts";

/** An attribute with its place in the draft. MP_REACH_NLRI and MP_UNREACH_NLRI have none: they are about prefixes. */
interface AttributeRow {
  readonly rules: AttributeRules;
  readonly isPlain: AttributeCodec<unknown>["isPlain"];
  /** False: malformed. */
  decodeInto(r: Reader, context: AttributeContext, draft: AttributeDraft): boolean;
}

function row<K extends keyof AttributeDraft>(
  field: K,
  codec: AttributeCodec<NonNullable<AttributeDraft[K]>>,
): AttributeRow {
  return {
    rules: codec,
    isPlain: codec.isPlain,
    decodeInto(r, context, draft) {
      const value = codec.decode(r, context);
      if (value === undefined || r.remaining > 0) return false;
      draft[field] = value;
      return true;
    },
  };
}

const ROWS: readonly (AttributeRow | undefined)[] = byType([
  row("origin", origin),
  row("asPath", asPath),
  row("nextHop", nextHop),
  row("med", multiExitDisc),
  row("localPref", localPref),
  row("atomicAggregate", atomicAggregate),
  row("aggregator", aggregator),
  row("communities", communities),
  row("originatorId", originatorId),
  row("clusterList", clusterList),
  row("extendedCommunities", extendedCommunities),
  row("as4Path", as4Path),
  row("as4Aggregator", as4Aggregator),
  row("largeCommunities", largeCommunities),
  row("onlyToCustomer", onlyToCustomer),
]);

/** Undefined for an attribute that starling does not know. */
export function attributeRow(type: number): AttributeRow | undefined {
  return ROWS[type];
}

function byType(rows: readonly AttributeRow[]): readonly (AttributeRow | undefined)[] {
  const table = new Array<AttributeRow | undefined>(256).fill(undefined);
  for (const r of rows) table[r.rules.type] = r;
  return table;
}
