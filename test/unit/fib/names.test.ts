import { describe, expect, it } from "vitest";
import { parsePrefix } from "../../../src/bgp/model/prefix.ts";
import { nameMatcher } from "../../../src/fib/glob.ts";
import { scopeOf } from "../../../src/fib/learn-rules.ts";

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
