/** The AS path that a two-octet speaker's UPDATE means (RFC 6793 §4.2.3). */

import { describe, expect, it } from "vitest";
import { type AsPath, formatAsPath, SegmentType } from "../../../src/bgp/model/as-path.ts";
import { asn } from "../../../src/bgp/model/ids.ts";
import { mergePath } from "../../../src/bgp/wire/attributes/as4-merge.ts";
import { attributesOf, decoderFor, NEXT_HOP, NLRI, ORIGIN_IGP, updateBody } from "./messages.ts";

/** "1 2 {3 4}" and "(5 6)", as formatAsPath writes them. */
function path(text: string): AsPath {
  return [...text.matchAll(/\{([^}]*)\}|\(([^)]*)\)|([\d ]+)/g)]
    .map(([, set, confed, plain]) => ({
      type:
        set !== undefined ? SegmentType.Set : confed !== undefined ? SegmentType.ConfedSequence : SegmentType.Sequence,
      asns: (set ?? confed ?? plain ?? "").trim().split(/\s+/).filter(Boolean).map(Number).map(asn),
    }))
    .filter(({ asns }) => asns.length > 0);
}

describe("mergePath", () => {
  it.each([
    ["all of it was written by new speakers", "23456 23456", "70000 70001", "70000 70001"],
    ["old speakers in front", "1 2 23456 23456", "70000 70001", "1 2 70000 70001"],
    ["AS_PATH is the shorter one: AS4_PATH is ignored", "1 23456", "70000 70001 70002", "1 23456"],
    ["a set counts as one", "1 {2 3} 23456", "70000", "1 {2 3} 70000"],
    ["a set in AS4_PATH", "1 23456 {2 3}", "70000 {2 3}", "1 70000 {2 3}"],
    ["a leading confederation segment stays", "(65001) 1 23456", "70000", "(65001) 1 70000"],
    ["and so does one beside what was taken", "1 (65001) 23456", "70000", "1 (65001) 70000"],
    ["AS4_PATH is empty", "1 2", "", "1 2"],
  ])("%s", (_name, asPath, as4Path, want) => {
    expect(formatAsPath(mergePath(path(asPath), path(as4Path)))).toBe(want);
  });

  it("joins the parts of one sequence", () => {
    expect(mergePath(path("1 23456"), path("70000"))).toEqual(path("1 70000"));
  });
});

describe("UPDATE of an old speaker", () => {
  const decode = (attributes: string) => {
    const update = decoderFor({ fourOctetAs: false }).decode(updateBody(`${ORIGIN_IGP}${NEXT_HOP}${attributes}`, NLRI));
    const got = attributesOf(update);
    return { path: formatAsPath(got?.asPath ?? []), aggregator: got?.aggregator?.asNumber };
  };
  const AS_PATH_OLD = "400206 0202 fde9 5ba0";
  const AS4_PATH = "c01106 0201 00011170";
  const AS4_AGGREGATOR = "c01208 00011170 0a000001";

  it("AS4_PATH alone", () => {
    expect(decode(`${AS_PATH_OLD}${AS4_PATH}`)).toEqual({ path: "65001 70000", aggregator: undefined });
  });
  it("AGGREGATOR with AS_TRANS: AS4_AGGREGATOR holds", () => {
    expect(decode(`${AS_PATH_OLD}c00706 5ba0 0a000001${AS4_PATH}${AS4_AGGREGATOR}`)).toEqual({
      path: "65001 70000",
      aggregator: 70000,
    });
  });
  it("AGGREGATOR with another: both AS4 attributes are ignored", () => {
    expect(decode(`${AS_PATH_OLD}c00706 fde9 0a000001${AS4_PATH}${AS4_AGGREGATOR}`)).toEqual({
      path: "65001 23456",
      aggregator: 65001,
    });
  });
});
