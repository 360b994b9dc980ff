import { describe, expect, it } from "vitest";
import { type CollisionVerdict, resolveCollision } from "../../../src/bgp/collision.ts";
import type { SessionState } from "../../../src/bgp/fsm-types.ts";
import { asn, routerId } from "../../../src/bgp/model/ids.ts";

interface Case {
  fresh?: "incoming" | "outgoing";
  other?: "incoming" | "outgoing" | "none";
  state?: SessionState;
  local?: number;
  remote?: number;
  localAs?: number;
  remoteAs?: number;
  isRestart?: boolean;
  isHeard?: boolean;
  waited?: number;
  age?: number;
}

function resolve(c: Case): CollisionVerdict {
  const fresh = c.fresh ?? "incoming";
  return resolveCollision({
    fresh: { state: "OpenSent", incoming: fresh === "incoming", isHeard: true },
    other:
      c.other === "none"
        ? undefined
        : {
            state: c.state ?? "OpenConfirm",
            isHeard: c.isHeard ?? ["OpenConfirm", "Established"].includes(c.state ?? "OpenConfirm"),
            incoming: (c.other ?? (fresh === "incoming" ? "outgoing" : "incoming")) === "incoming",
          },
    localRouterId: routerId(c.local ?? 1),
    localAs: asn(c.localAs ?? 65000),
    remoteRouterId: routerId(c.remote ?? 2),
    remoteAs: asn(c.remoteAs ?? 65000),
    isRestart: c.isRestart ?? false,
    waitedMilliseconds: c.waited ?? 0,
    otherMilliseconds: c.age ?? 60_000,
  });
}

describe("connection collision, RFC 4271 §6.8", () => {
  it.each<[string, Case, CollisionVerdict]>([
    ["the peer is higher: its connection stays", { fresh: "incoming" }, "closeOther"],
    ["the peer is higher: ours goes", { fresh: "outgoing" }, "closeNew"],
    ["we are higher: the peer's goes", { fresh: "incoming", local: 3 }, "closeNew"],
    ["we are higher: ours stays", { fresh: "outgoing", local: 3 }, "closeOther"],
    ["identifiers compare unsigned", { fresh: "incoming", local: 0xc0000001, remote: 0x0a000001 }, "closeNew"],
    [
      "equal identifiers, RFC 6286 §2.3: the higher AS wins",
      { fresh: "incoming", local: 2, remoteAs: 65001 },
      "closeOther",
    ],
    ["equal identifiers, RFC 6286 §2.3: ours is higher", { fresh: "incoming", local: 2, localAs: 65001 }, "closeNew"],
    ["both incoming: the newer one", { fresh: "incoming", other: "incoming", local: 3 }, "closeOther"],
    ["an Established session wins", { state: "Established" }, "closeNew"],
    ["one that has just come up may be about to go", { state: "Established", age: 10 }, "wait"],
    ["and wins if it does not", { state: "Established", age: 1010, waited: 1000 }, "closeNew"],
    ["the only one, ours, and the peer is higher: its own may follow", { other: "none", fresh: "outgoing" }, "wait"],
    ["and has not", { other: "none", fresh: "outgoing", waited: 20 }, "both"],
    ["the only one, ours, and we are higher", { other: "none", fresh: "outgoing", local: 3 }, "both"],
    ["the only one, the peer's", { other: "none" }, "both"],
    [
      "an Established session whose peer restarted, RFC 4724 §4.2",
      { state: "Established", isRestart: true },
      "replaceOther",
    ],
    ["the other is in OpenSent, and would lose", { state: "OpenSent" }, "both"],
    ["the other is in OpenSent, and would stay", { state: "OpenSent", fresh: "outgoing" }, "wait"],
    ["and says nothing for long", { state: "OpenSent", fresh: "outgoing", waited: 1000 }, "both"],
    ["the other waits, and loses", { state: "OpenSent", isHeard: true }, "closeOther"],
    ["the other waits, and stays", { state: "OpenSent", isHeard: true, fresh: "outgoing" }, "closeNew"],
    ["Connect is no connection", { state: "Connect" }, "both"],
    ["Active is no connection", { state: "Active" }, "both"],
  ])("%s", (_name, facts, verdict) => {
    expect(resolve(facts)).toBe(verdict);
  });

  it("keeps the same connection on both sides", () => {
    // Connection X was opened by A (identifier 1), Y by B (identifier 2); each side hears the OPEN of X or of Y last.
    for (const order of ["X last", "Y last"]) {
      const kept = (local: number, remote: number, mine: "X" | "Y") => {
        const last = order === "X last" ? "X" : "Y";
        const verdict = resolve({ fresh: last === mine ? "outgoing" : "incoming", local, remote });
        return verdict === "closeOther" ? last : last === "X" ? "Y" : "X";
      };
      expect(kept(1, 2, "X")).toBe("Y");
      expect(kept(2, 1, "Y")).toBe("Y");
    }
  });
});
