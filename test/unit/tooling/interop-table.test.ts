import { describe, expect, it } from "vitest";
import { interopTable } from "../../../scripts/lib/interop-table.ts";

const bird = { daemon: "bird", version: "2.0.12" } as const;
const frr = { daemon: "frr", version: "8.4.4" } as const;

describe("docs/interop.md", () => {
  it("has a row for each feature, and the reason for each no", () => {
    const text = interopTable([
      { ...bird, feature: "route refresh", result: "passed" },
      { ...frr, feature: "route refresh", result: "failed" },
      { ...frr, feature: "route refresh", result: "passed" },
      { ...bird, feature: "hard reset", result: "unsupported", reason: "it has no RFC 8538" },
      { ...frr, feature: "hard reset", result: "passed" },
    ]);
    expect(text.split("\n").slice(-7)).toEqual([
      "|  | BIRD 2.0.12 | FRR 8.4.4 | GoBGP | OpenBGPD | ExaBGP |",
      "| --- | --- | --- | --- | --- | --- |",
      "| route refresh | yes | FAILED |  |  |  |",
      "| hard reset | no [1] | yes |  |  |  |",
      "",
      "1. hard reset: not supported by BIRD 2.0.12: it has no RFC 8538.",
      "",
    ]);
  });
});
