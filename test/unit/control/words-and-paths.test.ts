import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nearest } from "../../../src/control/nearest.ts";
import { endFrame, errorFrame, parseFrame, resultFrame, rowFrame } from "../../../src/control/protocol.ts";
import { clientSocketPath, defaultSocketPath, type SocketPathFacts } from "../../../src/control/socket-path.ts";

describe("socket path: one rule for daemon and client", () => {
  const facts = (uid: number, environment: SocketPathFacts["environment"], ...writable: string[]): SocketPathFacts => ({
    uid,
    environment,
    writable: (directory) => writable.includes(directory),
  });
  it.each([
    ["root", facts(0, {}), "/run/starling/starling.sock"],
    [
      "root with a runtime directory",
      facts(0, { XDG_RUNTIME_DIR: "/run/user/0" }, "/run/user/0"),
      "/run/starling/starling.sock",
    ],
    ["a service user", facts(900, {}, "/run/starling"), "/run/starling/starling.sock"],
    [
      "an ordinary user",
      facts(1000, { XDG_RUNTIME_DIR: "/run/user/1000" }, "/run/user/1000"),
      "/run/user/1000/starling.sock",
    ],
    [
      "a runtime directory of somebody else",
      facts(1000, { XDG_RUNTIME_DIR: "/run/user/0" }),
      "/tmp/starling-1000/starling.sock",
    ],
    [
      "a relative runtime directory",
      facts(1000, { XDG_RUNTIME_DIR: "run" }, "run"),
      "/tmp/starling-1000/starling.sock",
    ],
    ["no runtime directory", facts(1000, {}), "/tmp/starling-1000/starling.sock"],
  ])("%s", (_name, given, path) => {
    expect(defaultSocketPath(given)).toBe(path);
  });

  it("is overruled by --socket, then STARLING_SOCKET", () => {
    const given = facts(0, { STARLING_SOCKET: "/b" });
    expect(clientSocketPath("/a", given)).toBe("/a");
    expect(clientSocketPath(undefined, given)).toBe("/b");
    expect(clientSocketPath(undefined, facts(0, { STARLING_SOCKET: "" }))).toBe("/run/starling/starling.sock");
  });
});

describe("nearest known word", () => {
  it.each([
    ["famly", ["family", "for"], "family"],
    ["tor-b", ["tor-a", "node-1"], "tor-a"],
    ["reste", ["reset", "enable"], "reset"],
    ["xyz", ["family", "for"], undefined],
    ["", ["a"], "a"],
    ["Peers", ["peers"], "peers"],
  ])("%s", (word, known, want) => {
    expect(nearest(word, known)).toBe(want);
  });
});

describe("protocol frames", () => {
  it("come back as they went, whatever they hold", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), fc.nat(), (value, message, rows) => {
        const json = JSON.stringify(value);
        expect(parseFrame(rowFrame(json).trimEnd())).toEqual({ kind: "row", json });
        expect(parseFrame(resultFrame(json).trimEnd())).toEqual({ kind: "result", value: JSON.parse(json) });
        expect(parseFrame(endFrame(rows).trimEnd())).toEqual({ kind: "end", rows });
        const error = parseFrame(errorFrame("usage", message).slice(0, -1));
        expect(error).toEqual({ kind: "error", error: "usage", message });
      }),
    );
  });

  it("anything else is no frame", () => {
    fc.assert(fc.property(fc.string(), (text) => parseFrame(`x${text}`) === undefined));
    for (const line of ["", "null", "[]", "1", "{}", '{"error":1}']) expect(parseFrame(line)).toBeUndefined();
  });
});
