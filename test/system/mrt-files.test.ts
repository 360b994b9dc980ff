import { describe, expect, it } from "vitest";
import { type BgpdumpModel, readBgpdump, type Tables } from "../harness/bgpdump-text.ts";
import { mrtFile, readWhole } from "../harness/mrt.ts";
import { replayIntoTables } from "../harness/mrt-tables.ts";
import { type ReplayEvent, replay } from "../harness/mrt-updates.ts";

/** What a file's text says beside, or against, the protocol. */
interface Exceptions {
  /** Corrects the attributes of the text's lines. */
  readonly adjust?: (attributes: string) => string;
  /** Lines of the text that no session could give, and how many there are. */
  readonly beside?: { readonly isBeside: (line: string) => boolean; readonly count: number };
  /** What RFC 7606 has to mend, and how often. */
  readonly mended?: Readonly<Record<string, number>>;
  /** Messages that would end a session. */
  readonly resets?: Readonly<Record<string, number>>;
}

/** RFC 7607 §2: an AGGREGATOR with AS 0 is malformed, and RFC 7606 §7.7 has it discarded. */
const withoutAggregatorOfAs0 = (attributes: string) => attributes.replace(/\|0 [\d.]+$/, "|");

/** What the collector had of its own: no peer sent it, and it has no NEXT_HOP (bgpdump prints 255.255.255.255). */
const isCollectorsOwn = (line: string) => line.startsWith("A|0.0.0.0|0|");

const NONE: Exceptions = {};

const FILES: readonly (readonly [name: string, lines: number, exceptions: Exceptions])[] = [
  [
    "ripe-bgpdump.bview.20020722.2337.mrt.gz",
    115_521,
    {
      adjust: withoutAggregatorOfAs0,
      mended: { "discard: AGGREGATOR is malformed: 000000000000 (RFC 7606 §7.7)": 7 },
    },
  ],
  ["ripe-bgpdump.bview.ipv4_unicast_add_path.mrt.gz", 62, { beside: { isBeside: isCollectorsOwn, count: 2 } }],
  [
    "ripe-bgpdump.updates.20070211.0141.mrt.gz",
    53_657,
    {
      // One peer's routes for multicast (SAFI 2), which the text does not tell from the others.
      beside: {
        isBeside: (line) => /^[AW]\|195\.66\.224\.138\|2914\|(192\.12\.135\.0|157\.130\.0\.0)\//.test(line),
        count: 151,
      },
      mended: {
        "discard: MP_REACH_NLRI is for AFI 1 SAFI 2, which was not negotiated": 93,
        "discard: MP_UNREACH_NLRI is for AFI 1 SAFI 2, which was not negotiated": 58,
      },
    },
  ],
  ["ripe-bgpdump.updates.20100722.2015.mrt.gz", 5_614, NONE],
  ["ripe-bgpdump.updates.et-header.2015.first4000.mrt.gz", 87_517, NONE],
  ["ripe-bgpdump.updates.long_withdrawal.mrt.gz", 4_096, NONE],
  ["routeviews.rib.20140523.0600.firstMB.mrt.gz", 270_005, NONE],
  ["routeviews6.rib.20151101.0600.firstMB.mrt.gz", 149_578, NONE],
  ["ris.rrc06.rib.20100701.0759.first100k.repacked.mrt.gz", 100_000, NONE],
  ["ris.updates.20190101.0000.mrt.gz", 162_574, NONE],
  ["ris.rrc06.updates.20150401.0000.mrt.gz", 1_557, NONE],
  [
    "ris.rrc01.updates.20001104.0124.mrt.gz",
    519,
    // OPEN messages that the collector cut short: the bytes are no BGP message.
    { resets: { "the marker of a message is not all ones": 10 } },
  ],
  ["ris.rrc03.updates.20100227.1600.first796.mrt.gz", 1_359, NONE],
  ["ris.rrc15.updates.20100227.1610.mrt.gz", 7_469, NONE],
  ["bgpipe.sample.mrt", 816, NONE],
  ["bgpkit.local_only.updates.mrt.gz", 268, NONE],
  ["mrtparse.bird6-mrtdump_bgp.mrt", 12, NONE],
  ["mrtparse.bird-mrtdump_rib.mrt", 18, { beside: { isBeside: isCollectorsOwn, count: 6 } }],
  [
    "mrtparse.openbgpd_rib_table.mrt",
    31,
    // OpenBGPD wrote eight octets of AGGREGATOR where a TABLE_DUMP has six, and bgpdump read the first six.
    {
      adjust: withoutAggregatorOfAs0,
      mended: { "discard: AGGREGATOR is malformed: 0000fde8c0a8000f (RFC 7606 §7.7)": 1 },
    },
  ],
  ["mrtparse.openbgpd_rib_table-v2.mrt", 31, NONE],
  ["mrtparse.quagga_rib.mrt", 9, NONE],
];

/** Of messages from 1999, whose text gives withdrawals wrongly. */
const TYPE_5 = "ris.rrc00.updates.19991214.1621.mrt.gz";
/** Of a BIRD that wrote add-path before there was a subtype for it, whose text takes Path Identifiers for prefixes. */
const EARLY_ADD_PATH = "mrtparse.bird_bgp.mrt";
const ADD_PATH_TABLE = "mrtparse.bird-mrtdump_rib.mrt";

const hasData = FILES.every(([name]) => mrtFile(name) !== undefined);
const SUITE = `MRT files (RFC 6396) through framing, decoder and tables, against what bgpdump reads in them${
  hasData ? "" : ": skipped, the shared data is not there"
}`;

describe.skipIf(!hasData)(SUITE, { timeout: 60_000 }, () => {
  it.each(FILES)("%s: all %i lines", (name, lines, exceptions) => {
    const text = textOf(name, exceptions.adjust);
    expect(text.lines).toHaveLength(lines);
    const replayed = replayIntoTables(replay(bytesOf(name)));

    const { isBeside, count } = exceptions.beside ?? { isBeside: () => false, count: 0 };
    const { missing, surplus } = compare(text.lines, replayed.said.lines);
    expect(missing.filter((line) => !isBeside(line)).slice(0, 10)).toEqual([]);
    expect(missing).toHaveLength(count);
    expect(surplus.slice(0, 10)).toEqual([]);
    const tables = compareTables(text.tables, replayed.tables);
    expect(tables.missing.filter((line) => !isBeside(line)).slice(0, 10)).toEqual([]);
    expect(tables.surplus.slice(0, 10)).toEqual([]);
    expect(Object.fromEntries(replayed.problems)).toEqual(exceptions.mended ?? {});
    expect(Object.fromEntries(replayed.resets)).toEqual(exceptions.resets ?? {});
  });

  // In lines of type 5, bgpdump prints the peer's address in the place of a withdrawn prefix, cut to the prefix's length; and
  // no separator between MED and communities. Both sides are brought to that form.
  it(`${TYPE_5}: all announcements, and as many withdrawals of each length`, () => {
    const text = textOf(TYPE_5, withoutAggregatorOfAs0);
    const replayed = replayIntoTables(replay(bytesOf(TYPE_5)));
    const asPrinted = (line: string) => {
      if (line.startsWith("W|")) return line.replace(/\|[^|]*\//, "|/");
      const fields = line.split("|");
      return [...fields.slice(0, 8), `${fields[8]}${fields[9]}`, ...fields.slice(10)].join("|");
    };
    const { missing, surplus } = compare(text.lines.map(asPrinted), replayed.said.lines.map(asPrinted));
    expect({ missing: missing.slice(0, 10), surplus: surplus.slice(0, 10) }).toEqual({ missing: [], surplus: [] });
    expect(text.lines).toHaveLength(55_489);

    expect(compareTables(replayed.said.tables, replayed.tables)).toEqual({ missing: [], surplus: [] });
    expect(Object.fromEntries(replayed.resets)).toEqual({});
  });

  it(`${EARLY_ADD_PATH}: with add-path, as its OPENs had agreed, the routes that the same BIRD's table held`, () => {
    const withAddPath = (event: ReplayEvent): ReplayEvent =>
      event.kind === "message" ? { ...event, addPath: true } : event;
    const replayed = replayIntoTables([...replay(bytesOf(EARLY_ADD_PATH))].map(withAddPath));
    const table = textOf(ADD_PATH_TABLE).lines.filter((line) => line.includes("|AP|") && !isCollectorsOwn(line));
    // The peer's own network, which it had not announced yet when that table was written.
    const network = "A|192.168.0.10|65000|AP|192.168.16.0/24#1||IGP|192.168.0.10|100|0||NAG|";
    expect(new Set(replayed.said.lines)).toEqual(new Set([...table, network]));
    // Two sessions, one after the other.
    expect(replayed.said.lines).toHaveLength(14);
  });
});

function bytesOf(name: string): Uint8Array {
  return readWhole(mrtFile(name) ?? name);
}

function textOf(name: string, adjust?: (attributes: string) => string): BgpdumpModel {
  return readBgpdump(new TextDecoder().decode(bytesOf(`${name}.bgpdump-m.txt.gz`)), adjust);
}

function compareTables(want: Tables, have: Tables) {
  const beyond = (some: Tables, others: Tables) =>
    [...some].flatMap(([session, table]) =>
      [...table]
        .filter(([path, attributes]) => others.get(session)?.get(path) !== attributes)
        .map(([path, attributes]) => `A|${session}|${path}|${attributes}`),
    );
  return { missing: beyond(want, have), surplus: beyond(have, want) };
}

/** Each line that one side has more often than the other, as many times. */
function compare(want: readonly string[], have: readonly string[]) {
  const balance = new Map<string, number>();
  for (const line of want) balance.set(line, (balance.get(line) ?? 0) + 1);
  for (const line of have) balance.set(line, (balance.get(line) ?? 0) - 1);
  const missing: string[] = [];
  const surplus: string[] = [];
  for (const [line, count] of balance) {
    for (let n = count; n > 0; n--) missing.push(line);
    for (let n = count; n < 0; n++) surplus.push(line);
  }
  return { missing, surplus };
}
