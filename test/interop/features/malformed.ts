/** RFC 7606 over live sessions: ExaBGP sends the malformed attributes of FRR's and GoBGP's suites as they stand there. */

import { expect, type TestContext } from "vitest";
import type { RouteView } from "../../../src/control/views.ts";
import type { PeerDaemon } from "../../harness/daemons/catalogue.ts";
import { Exabgp } from "../../harness/daemons/exabgp.ts";
import { DaemonError } from "../../harness/daemons/speaker.ts";
import { Starling } from "../../harness/daemons/starling.ts";
import type { Feature } from "../../harness/interop-suite.ts";
import { Lab } from "../../harness/netns.ts";
import { frrDifferences, gobgpResets, type Outcome } from "../../harness/rfc7606-cases.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { rowsOf } from "../../unit/wire/shared-data.ts";
import {
  establishedWith,
  here,
  makePair,
  otherAs,
  type Pair,
  peerView,
  routeFrom,
  starlingAs,
  staysFor,
  there,
} from "./pair.ts";

interface Case {
  readonly name: string;
  readonly prefix: string;
  /** In every route that is to be judged, so that it is told from the good one before it. */
  readonly mark: string;
  readonly type: number | undefined;
  readonly flags: number;
  readonly value: string;
  readonly nextHop: string;
  readonly outcome: Outcome;
}

interface FrrRow {
  readonly name: string;
  readonly attr_type: number | null;
  readonly attr_flags: number;
  readonly attr_value_hex: string;
  readonly nexthop?: string;
  readonly expected_outcome: Readonly<Record<string, Outcome>>;
}

interface GobgpRow {
  readonly name: string;
  readonly attr_type: number;
  readonly attr_flags: number;
  readonly attr_value_hex: string;
}

const frrRows = rowsOf<FrrRow>("vectors/frr-rfc7606-cases.jsonl");
const gobgpRows = rowsOf<GobgpRow>("vectors/gobgp-malformed.jsonl");

const both = ["ipv4", "ipv6"] as const;
const communitiesType = 8;

const numbered = (index: number) => ({ prefix: `203.0.${index}.0/24`, mark: `65010:${index}` });

function frrCases(sort: "ebgp" | "ibgp"): Case[] {
  return frrRows.flatMap((row, index) => {
    const expected = row.expected_outcome[sort];
    if (expected === undefined) return [];
    const name = row.name.replace(/^.*\//, "");
    const [outcome] = frrDifferences[name] ?? [expected];
    const { attr_type: type, attr_flags: flags, attr_value_hex: value, nexthop: nextHop = there } = row;
    return [{ name, ...numbered(index), type: type ?? undefined, flags, value, nextHop, outcome }];
  });
}

const gobgpCases = (): Case[] =>
  gobgpRows.map((row, index) => {
    const name = row.name.replace(/^.*\//, "");
    const { attr_type: type, attr_flags: flags, attr_value_hex: value } = row;
    const outcome = gobgpResets.has(name) ? "session-reset" : "treat-as-withdraw";
    return { name, ...numbered(index), type, flags, value, nextHop: there, outcome };
  });

function malformed({ prefix, mark, type, flags, value, nextHop }: Case): string {
  const words = [`announce route ${prefix} next-hop ${nextHop}`];
  if (type !== communitiesType) words.push(`community [ ${mark} ]`);
  const octet = (number: number) => `0x${number.toString(16).padStart(2, "0")}`;
  if (type !== undefined) words.push(`attribute [ ${octet(type)} ${octet(flags)} 0x${value} ]`);
  return words.join(" ");
}

/** What was made of the route, by what is left of it and of the attribute. */
function outcomeOf(view: RouteView | undefined, { type, value }: Case): Outcome {
  if (view === undefined) return "treat-as-withdraw";
  const known: Readonly<Record<number, boolean>> = {
    6: view.atomicAggregate,
    7: view.aggregator !== null,
    9: view.originatorId !== null,
    10: view.clusterList.length > 0,
  };
  const kept = view.unknownAttributes.some((attribute) => attribute.type === type && attribute.value === value);
  return kept || known[type ?? 0] ? "accept" : "discard";
}

async function malformedPair(daemon: PeerDaemon, name: string, context: TestContext, internal: boolean) {
  // Both families: of one that was not negotiated all is ignored, however malformed.
  const pair = await makePair(daemon, name, context, { internal, session: { families: both } });
  await pair.establish();
  const { other } = pair;
  if (!(other instanceof Exabgp)) throw new DaemonError("only ExaBGP sends attributes as they are given");
  return { pair, exabgp: other };
}

async function untouched(pair: Pair, exabgp: Exabgp, cases: readonly Case[]): Promise<void> {
  for (const { prefix } of cases) exabgp.command(`announce route ${prefix} next-hop ${there}`);
  const routes = async () => new Map((await pair.starling.routeViews()).map((view) => [view.prefix, view]));
  await waitFor(async () => (await routes()).size === cases.length, { what: "the good routes" });
  for (const one of cases) exabgp.command(malformed(one));
  exabgp.command(`announce route 198.51.100.0/24 next-hop ${there}`);
  await routeFrom(pair.starling, "198.51.100.0/24", there);
  const after = await routes();
  const found = cases.map((one) => [one.name, outcomeOf(after.get(one.prefix), one)]);
  expect(found).toEqual(cases.map(({ name, outcome }) => [name, outcome]));
  for (const { prefix, mark } of cases) {
    const view = after.get(prefix);
    if (view !== undefined) expect(view.communities, prefix).toEqual([mark]);
  }
  expect(await pair.view()).toMatchObject({
    state: "Established",
    transitions: 1,
    messages: { sent: { notification: 0 }, received: { notification: 0 } },
  });
}

const count = (cases: readonly Case[]) => `${cases.length} malformed attributes`;
const isReset = ({ outcome }: Case) => outcome === "session-reset";

function untouchedFeature(words: string, lab: string, all: readonly Case[], internal: boolean): Feature {
  const cases = all.filter((one) => !isReset(one));
  return {
    name: `RFC 7606, ${words}: ${count(cases)}, and the session is not touched`,
    async test(daemon, context) {
      const made = await malformedPair(daemon, lab, context, internal);
      await using pair = made.pair;
      await untouched(pair, made.exabgp, cases);
    },
  };
}

const resetCases = [...frrCases("ebgp"), ...gobgpCases()].filter(isReset);

/** A session for each, so that none waits for another's to come back. */
const resets: Feature = {
  name: `RFC 7606: ${count(resetCases)} that nothing but a reset answers, and the session is back each time`,
  async test(_daemon, context) {
    await using lab = await Lab.create("resets-exabgp", context);
    const [s, d] = await lab.nodes("s", "d");
    const ends = resetCases.map((one, index) => ({ one, here: `10.0.${index}.1`, there: `10.0.${index}.2` }));
    await lab.link(s, d, { addresses: [ends.map((end) => `${end.here}/24`), ends.map((end) => `${end.there}/24`)] });
    const starling = new Starling(s, {
      asNumber: starlingAs,
      routerId: here,
      peers: ends.map((end) => ({ localAddress: end.here, address: end.there, asNumber: otherAs, families: both })),
    });
    const exabgp = new Exabgp(d, {
      asNumber: otherAs,
      routerId: there,
      peers: ends.map((end) => ({ localAddress: end.there, address: end.here, asNumber: starlingAs, families: both })),
    });
    await Promise.all([starling.start(), exabgp.start()]);
    await Promise.all(
      ends.map(async (end) => {
        const { one } = end;
        await establishedWith(starling, end.there);
        exabgp.command(`neighbor ${end.here} ${malformed(one)}`);
        const { lastError } = await waitFor(
          async () => {
            const view = await peerView(starling, end.there);
            return (view.state !== "Established" || view.transitions > 1) && view;
          },
          { what: `the session to end over ${one.name}` },
        );
        expect(lastError, one.name).toMatch(/MP_REACH_NLRI .*sent UPDATE error/);
        exabgp.command(`neighbor ${end.here} withdraw route ${one.prefix} next-hop ${one.nextHop}`);
        await establishedWith(starling, end.there);
        // It stays: what ended it is not sent again.
        await staysFor(1000, async () => (await peerView(starling, end.there)).state, "Established");
      }),
    );
  },
};

/** None when the cases are not there. */
export const malformedFeatures: readonly Feature[] =
  frrRows.length === 0 || gobgpRows.length === 0
    ? []
    : [
        untouchedFeature("external peer", "malext", frrCases("ebgp"), false),
        untouchedFeature("internal peer", "malint", frrCases("ibgp"), true),
        untouchedFeature("as GoBGP tests it", "malgo", gobgpCases(), false),
        resets,
      ];
