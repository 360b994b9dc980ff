/** The lines of `bgpdump -m`: read into the tables that they describe, and written from our own routes to be held against them. */

import { formatAddress, parseAddress } from "../../src/bgp/model/address.ts";
import { type AsPath, SegmentType } from "../../src/bgp/model/as-path.ts";
import { Origin, type PathAttributes } from "../../src/bgp/model/attributes.ts";
import { WellKnown } from "../../src/bgp/model/community.ts";
import { formatRouterId } from "../../src/bgp/model/ids.ts";
import { formatPrefix, parsePrefix } from "../../src/bgp/model/prefix.ts";

/** By session ("address|AS", and "|AP" with add-path), then by prefix (and "#identifier"), the attributes as bgpdump writes them. */
export type Tables = Map<string, Map<string, string>>;

/** What the peers said, and what stands in each one's table after all of it. */
export class BgpdumpModel {
  readonly tables: Tables = new Map();
  /** "A|session|prefix|attributes" and "W|session|prefix", in the order of the file. */
  readonly lines: string[] = [];

  announce(session: string, path: string, attributes: string): void {
    this.lines.push(`A|${session}|${path}|${attributes}`);
    tableOf(this.tables, session).set(path, attributes);
  }

  withdraw(session: string, path: string): void {
    this.lines.push(`W|${session}|${path}`);
    tableOf(this.tables, session).delete(path);
  }

  down(peer: string): void {
    for (const session of [peer, `${peer}|AP`]) this.tables.get(session)?.clear();
  }
}

const ESTABLISHED = "6";

/** `adjust` corrects the attributes where a file's text is known to say something else than the protocol does. */
export function readBgpdump(text: string, adjust: (attributes: string) => string = (same) => same): BgpdumpModel {
  const model = new BgpdumpModel();
  for (const line of text.split("\n")) {
    const fields = line.split("|");
    const [type = "", , what, address = "", asNumber = "", prefix = ""] = fields;
    const peer = `${canonicalAddress(address)}|${asNumber}`;
    // Add-path puts the Path Identifier behind the prefix.
    const addPath = type.endsWith("_AP");
    const session = addPath ? `${peer}|AP` : peer;
    const path = canonicalPrefix(prefix) + (addPath ? `#${fields[6]}` : "");
    if (what === "A" || what === "B") {
      const rest = fields.slice(addPath ? 7 : 6);
      // Lines of type 5 leave the communities out.
      if (type === "BGP") rest.splice(5, 0, "");
      model.announce(session, path, adjust(attributesOf(rest)));
    } else if (what === "W") model.withdraw(session, path);
    else if (what === "STATE" && prefix === ESTABLISHED) model.down(peer);
  }
  return model;
}

/** The attributes of a route as bgpdump writes them; MED and LOCAL_PREF that are not there count as 0. */
export function bgpdumpAttributes(a: PathAttributes): string {
  const { aggregator } = a;
  return [
    asPathText(a.asPath),
    a.origin === Origin.Igp ? "IGP" : a.origin === Origin.Egp ? "EGP" : "INCOMPLETE",
    formatAddress(a.nextHop),
    a.localPref ?? 0,
    a.med ?? 0,
    a.communities.map(communityText).join(" "),
    a.atomicAggregate ? "AG" : "NAG",
    aggregator === undefined ? "" : `${aggregator.asNumber} ${formatRouterId(aggregator.address)}`,
  ].join("|");
}

export function tableOf(tables: Tables, key: string): Map<string, string> {
  let table = tables.get(key);
  if (table === undefined) {
    table = new Map();
    tables.set(key, table);
  }
  return table;
}

function attributesOf(fields: readonly string[]): string {
  const [asPath, origin, nextHop = "", localPref, med, communities = "", atomic, aggregator] = fields;
  return [asPath, origin, canonicalAddress(nextHop), localPref, med, communities.trim(), atomic, aggregator].join("|");
}

function canonicalAddress(text: string): string {
  const address = text.includes(":") ? parseAddress(text) : undefined;
  return address === undefined ? text : formatAddress(address);
}

function canonicalPrefix(text: string): string {
  const prefix = parsePrefix(text);
  return prefix === undefined ? text : formatPrefix(prefix);
}

/** Sets in braces, confederations in brackets, with commas. */
function asPathText(path: AsPath): string {
  return path
    .map(({ type, asns }) => {
      if (type === SegmentType.Sequence) return asns.join(" ");
      if (type === SegmentType.Set) return `{${asns.join(",")}}`;
      return type === SegmentType.ConfedSequence ? `(${asns.join(" ")})` : `[${asns.join(",")}]`;
    })
    .join(" ");
}

const COMMUNITY_NAMES: ReadonlyMap<number, string> = new Map([
  [WellKnown.NoExport, "no-export"],
  [WellKnown.NoAdvertise, "no-advertise"],
  [WellKnown.NoExportSubconfed, "local-AS"],
]);

function communityText(value: number): string {
  return COMMUNITY_NAMES.get(value) ?? `${value >>> 16}:${value & 0xffff}`;
}
