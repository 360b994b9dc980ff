import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { displayWidth, fields, printable, table } from "../../../src/cli/table.ts";
import { paintFor } from "../../../src/cli/terminal.ts";
import { type WelcomeFacts, welcome } from "../../../src/cli/welcome.ts";
import { bytes, duration, plural, since } from "../../../src/cli/words.ts";
import { VERSION } from "../../../src/version.ts";

const plain = paintFor({}, {});

describe("tables", () => {
  it("line up, whatever the letters", () => {
    const rows = ["a", "日本", "e\u0301x", "🐦"];
    const text = table(
      [
        { title: "NAME", cell: (row: string) => row },
        { title: "N", align: "right", cell: () => "7" },
      ],
      rows,
      plain,
    );
    for (const line of text.trimEnd().split("\n")) expect(displayWidth(line)).toBe(7);
  });

  it.each([
    ["plain", 5],
    ["日本", 4],
    ["e\u0301", 1],
    ["🐦", 2],
    ["", 0],
    ["ü", 1],
  ])("width of %s is %i", (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it("fields line up, and nothing trails", () => {
    expect(
      fields([
        ["a", "1"],
        ["long", ""],
      ]),
    ).toBe("  a     1\n  long\n");
  });

  it("control characters become visible", () => {
    expect(printable("a\u001b[31mb\u0007\u0085\u202ec\nd")).toBe("a\ufffd[31mb\ufffd\ufffd\ufffdc\ufffdd");
  });
});

describe("words", () => {
  it.each([
    [0, "0s"],
    [0.4, "0s"],
    [59, "59s"],
    [60, "1m"],
    [125, "2m 5s"],
    [3600, "1h"],
    [3605, "1h"],
    [15_120, "4h 12m"],
    [273_600, "3d 4h"],
    [86_400 * 400, "400d"],
    [-5, "0s"],
  ])("%d s: %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1536, "1.5 KiB"],
    [67_108_864, "64 MiB"],
    [3 * 1024 ** 3, "3.0 GiB"],
  ])("%d bytes: %s", (count, text) => {
    expect(bytes(count)).toBe(text);
  });

  it("moments and numbers", () => {
    expect(since("2026-01-01T00:00:00Z", Date.parse("2026-01-01T01:00:00Z"))).toBe("1h");
    expect(since("never", 0)).toBe("-");
    expect([plural(1, "route"), plural(2, "route"), plural(2, "child", "children")]).toEqual([
      "1 route",
      "2 routes",
      "2 children",
    ]);
  });
});

describe("the first screen", () => {
  const facts: WelcomeFacts = {
    version: "0.1.0",
    asNumber: 64512,
    routerId: "10.0.0.1",
    listen: [
      { address: "0.0.0.0", port: 1790 },
      { address: "::", port: 1790 },
    ],
    portReason: "port 179 needs root or CAP_NET_BIND_SERVICE",
    peerRanges: ["127.0.0.0/8", "10.0.0.0/8"],
    kernel: { enabled: false, reason: "--kernel was not given" },
    http: { address: "::1", port: 9179 },
    socket: "/tmp/starling-1000/starling.sock",
    socketIsDefault: true,
    command: "npx starling",
  };

  it("says what is running and the next three commands", () => {
    const text = welcome(facts, plain);
    for (const part of [
      "AS 64512",
      "0.0.0.0:1790 and [::]:1790",
      "port 179 needs",
      "--kernel was not given",
      "http://[::1]:9179",
    ]) {
      expect(text).toContain(part);
    }
    expect(text.match(/^ {2}npx starling .*$/gm)).toHaveLength(3);
    for (const line of text.split("\n")) expect(line.length).toBeLessThan(120);
  });

  it("names the socket where the client would not find it by itself", () => {
    expect(welcome({ ...facts, socketIsDefault: false, http: undefined, portReason: undefined }, plain)).toContain(
      "npx starling show peers --socket /tmp/starling-1000/starling.sock",
    );
  });
});

describe("version", () => {
  it("is the package's", () => {
    const file = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
    expect(JSON.parse(file).version).toBe(VERSION);
  });
});
