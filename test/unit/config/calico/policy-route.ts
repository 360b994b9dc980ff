/** A route as policies see it, from a few words, and what policies make of it. */

import { formatAsPath } from "../../../../src/bgp/model/as-path.ts";
import type { PathAttributes } from "../../../../src/bgp/model/attributes.ts";
import { formatCommunity, formatLargeCommunity } from "../../../../src/bgp/model/community.ts";
import { evaluate } from "../../../../src/rib/policy/evaluate.ts";
import type { Policy, RouteSource } from "../../../../src/rib/policy/policy.ts";
import { attributes, prefix } from "../../rib/sample.ts";

export interface RouteWords {
  readonly source?: RouteSource;
  readonly interface?: string;
  readonly internal?: boolean;
  readonly attributes?: Partial<PathAttributes>;
}

/** "accept", "reject" or "next" (nobody decided), and after a blank what was changed. */
export function verdictOf(policies: readonly Policy[], text: string, words: RouteWords = {}): string {
  const { family, w0, w1, w2, w3, length } = prefix(text);
  const before = attributes(words.attributes ?? {});
  const result = evaluate(
    policies,
    {
      family,
      w0,
      w1,
      w2,
      w3,
      length,
      attributes: before,
      source: words.source ?? "peer",
      interfaceName: words.interface,
      internalPeer: words.internal ?? true,
      self: undefined,
    },
    { repeatAs: undefined },
  );
  const { attributes: after } = result;
  const changes = [
    after.localPref === before.localPref ? "" : `localPref=${after.localPref}`,
    after.asPath === before.asPath ? "" : `asPath=${formatAsPath(after.asPath)}`,
    ...after.communities.filter((c) => !before.communities.includes(c)).map(formatCommunity),
    ...after.largeCommunities.filter((c) => !before.largeCommunities.includes(c)).map(formatLargeCommunity),
  ].filter((text) => text !== "");
  return [result.term === undefined ? "next" : result.verdict, ...changes].join(" ");
}
