import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/bgp/model/errors.ts";
import { parsePrefix } from "../../../src/bgp/model/prefix.ts";
import { nameMatcher } from "../../../src/fib/glob.ts";
import { scopeOf } from "../../../src/fib/learn-rules.ts";
import { tableNumber } from "../../../src/fib/table.ts";

describe("interface globs", () => {
  it.each([
    [["cali*"], "cali12345", true],
    [["cali*"], "xcali1", false],
    [["eth?"], "eth0", true],
    [["eth?"], "eth10", false],
    [["a.b"], "axb", false],
    [["kube-ipvs*", "lo"], "lo", true],
    [[], "lo", false],
    [["(x"], "(x", true],
  ])("%j %s", (globs, name, matches) => {
    expect(nameMatcher(globs)(name)).toBe(matches);
  });
});

describe("scope of a destination", () => {
  it.each([
    ["0.0.0.0/0", "global"],
    ["127.0.0.0/8", "host"],
    ["127.0.0.1/32", "host"],
    ["169.254.1.1/32", "link"],
    ["224.0.0.0/4", "host"],
    ["240.0.0.0/4", "global"],
    ["::/0", "global"],
    ["::1/128", "host"],
    ["fe80::/64", "link"],
    ["ff00::/8", "host"],
    ["2001:db8::/32", "global"],
  ])("%s %s", (text, scope) => {
    const prefix = parsePrefix(text);
    expect(prefix === undefined ? undefined : scopeOf(prefix)).toBe(scope);
  });
});

describe("tables by name", () => {
  it.each([
    [254, 254],
    ["254", 254],
    ["main", 254],
    ["local", 255],
    [4294967295, 4294967295],
    ["blue", 100],
    ["green", 26],
  ])("%s is %i", (name, number) => {
    const directory = mkdtempSync(join(tmpdir(), "starling-"));
    const file = join(directory, "rt_tables");
    writeFileSync(file, "# reserved\n255\tlocal\n100 blue # ours\n0x1a\tgreen\n");
    try {
      expect(tableNumber(name, [join(directory, "missing"), file])).toBe(number);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it.each([["no-such-table-x"], [0], [-1], [1.5], ["4294967296"], [""]])("%s is none", (name) => {
    expect(() => tableNumber(name, [])).toThrow(UsageError);
  });
});
