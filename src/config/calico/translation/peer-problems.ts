/** What BGPPeers say that leads nowhere. */

import { isDeepStrictEqual } from "node:util";
import { suggestion } from "../../nearest.ts";
import type { Cluster } from "../cluster.ts";
import { type CalicoProblem, Place } from "../problem.ts";
import type { BgpPeer } from "../resources/bgp-peer.ts";
import type { ExplicitPlans } from "./explicit-plans.ts";
import { type PeerContext, peerOfPlan } from "./peer-of-plan.ts";
import { type PeerPlan, planName } from "./peer-plan.ts";

/** Thousands of BGPPeers may have one fault: a few hundred times it is told. */
const MAX_PROBLEMS = 300;
/** Plans that came too late; of one pair of BGPPeers there are as many as they have nodes. */
const MAX_COMPARED = 300;
/** Names that a nearest one is looked for: each is compared with all that there are. */
const MAX_SUGGESTIONS = 20;

export class PeerProblems {
  readonly found: CalicoProblem[] = [];
  readonly #cluster: Cluster;
  readonly #suggestions = new Map<string, string>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  add(resource: string, place: Place): void {
    this.found.push(...this.#cluster.problemsOf(resource, place));
  }

  check(bgpPeers: readonly BgpPeer[]): void {
    const { nodes, bgpFilters } = this.#cluster;
    for (const one of bgpPeers) {
      if (this.found.length >= MAX_PROBLEMS) return;
      const place = new Place("spec");
      for (const [i, filter] of one.filters.entries()) {
        if (bgpFilters.get(filter) !== undefined) continue;
        const guess = this.#suggestion(filter);
        place
          .at("filters")
          .at(i)
          .warn(`there is no BGPFilter "${filter}"${guess}: routes pass as if it were not named`);
      }
      if (one.node !== undefined && nodes.get(one.node) === undefined) {
        place.at("node").warn(`there is no Node "${one.node}": nobody has this session`);
      }
      if (one.nodeSelector !== undefined && nodes.countMatching(one.nodeSelector) === 0) {
        place.at("nodeSelector").warn(`selects no node: nobody has this session`);
      }
      if (one.peerSelector !== undefined && nodes.countMatching(one.peerSelector) === 0) {
        place.at("peerSelector").warn(`selects no node: there is nobody to peer with`);
      }
      if (place.findings.length > 0) this.add(`BGPPeer/${one.name}`, place);
    }
  }

  checkPlans({ late, lacksAsNumber }: ExplicitPlans, context: PeerContext): void {
    for (const { name } of lacksAsNumber) {
      const place = new Place("spec").at("asNumber");
      place.refuse(
        "is missing, and no node has the address of spec.peerIP; accepted: an AS number from 1 to 4294967295",
      );
      this.add(`BGPPeer/${name}`, place);
    }
    for (const { plan, first } of late.slice(0, MAX_COMPARED)) {
      if (this.found.length >= MAX_PROBLEMS) return;
      if (plan.source === first.source || isSamePeer(plan, first, context)) continue;
      const place = new Place();
      place.warn(`has no effect on ${planName(first)}, which ${first.source} gives first; remove one of them`);
      this.add(plan.source, place);
    }
  }

  #suggestion(filter: string): string {
    const known = this.#suggestions.get(filter);
    if (known !== undefined || this.#suggestions.size >= MAX_SUGGESTIONS) return known ?? "";
    const guess = suggestion(filter, [...this.#cluster.bgpFilters.names()]);
    this.#suggestions.set(filter, guess);
    return guess;
  }
}

function isSamePeer(plan: PeerPlan, first: PeerPlan, context: PeerContext): boolean {
  const { source: _, name: _name, ...one } = peerOfPlan(plan, undefined, context);
  const { source: __, name: __name, ...other } = peerOfPlan(first, undefined, context);
  return isDeepStrictEqual(one, other) && isDeepStrictEqual(plan.bgpPeer?.password, first.bgpPeer?.password);
}
