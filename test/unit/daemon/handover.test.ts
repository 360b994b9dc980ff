import { describe, expect, it } from "vitest";
import { Family } from "../../../src/bgp/model/family.ts";
import type { PeerId } from "../../../src/bgp/model/ids.ts";
import { Handover } from "../../../src/daemon/handover.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";

const OLD = 1 as PeerId;
const NEW = 2 as PeerId;
const OTHER = 3 as PeerId;
const FAMILIES = [Family.Ipv4];

function under(isCovered: () => boolean) {
  const clock = new VirtualClock();
  const left: PeerId[] = [];
  const handover = new Handover({
    clock,
    isCovered: () => Promise.resolve(isCovered()),
    leave: (peers) => void left.push(...peers),
  });
  handover.begin([OLD], [NEW]);
  const wait = async (milliseconds: number) => {
    clock.advance(milliseconds);
    for (let turns = 0; turns < 5; turns++) await Promise.resolve();
  };
  return { handover, left, wait };
}

describe("a peer that others replace", () => {
  it("goes when they have told everything and nothing rests on it alone", async () => {
    let covered = false;
    const { handover, left, wait } = under(() => covered);
    await wait(1000);
    expect([handover.isLeaving(OLD), left]).toEqual([true, []]);
    handover.established(NEW, FAMILIES);
    handover.endOfRib(NEW, Family.Ipv4);
    await wait(1000);
    expect(left).toEqual([]);
    covered = true;
    await wait(1000);
    expect([handover.isLeaving(OLD), left]).toEqual([false, [OLD]]);
  });

  it("goes after 30 s at the latest", async () => {
    const { left, wait } = under(() => false);
    await wait(29_000);
    expect(left).toEqual([]);
    await wait(2000);
    expect(left).toEqual([OLD]);
  });

  it("leaves its routes for as long where its side ends the session first, and nobody else does", () => {
    const { handover } = under(() => false);
    expect(handover.endOf(OLD, FAMILIES, { kind: "flush" })).toEqual({
      kind: "retain",
      families: [{ family: Family.Ipv4, staleSeconds: 30, longLivedSeconds: 0 }],
    });
    expect(handover.endOf(OTHER, FAMILIES, { kind: "flush" })).toEqual({ kind: "flush" });
    const kept = { kind: "retain", families: [] } as const;
    expect(handover.endOf(OLD, FAMILIES, kept)).toBe(kept);
  });
});
