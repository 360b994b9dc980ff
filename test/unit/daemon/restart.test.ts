import { describe, expect, it } from "vitest";
import { Family } from "../../../src/bgp/model/family.ts";
import type { PeerId } from "../../../src/bgp/model/ids.ts";
import { RestartDeferral } from "../../../src/daemon/restart.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";

const [A, B, GUEST] = [1 as PeerId, 2 as PeerId, 3 as PeerId];
const both = [Family.Ipv4, Family.Ipv6];

function deferral(...expected: PeerId[]) {
  const clock = new VirtualClock();
  const said: string[] = [];
  const restart = new RestartDeferral(expected, {
    clock,
    boundMilliseconds: 240_000,
    graceMilliseconds: 10_000,
    tellMilliseconds: 5_000,
    quietMilliseconds: 1_000,
    select: (reason) => said.push(`select: ${reason}`),
    complete: () => said.push("complete"),
  });
  return { clock, said, restart };
}

const BACK = ["select: all peers that are waited for are back", "complete"];

describe("route selection after a restart (RFC 4724 §4.1)", () => {
  it("begins at once when nobody is expected", () => {
    expect(deferral().said).toEqual(BACK);
  });

  it("waits for End-of-RIB of each family of each peer", () => {
    const { said, restart, clock } = deferral(A, B);
    restart.established(A, both);
    restart.established(B, [Family.Ipv4]);
    restart.endOfRib(A, Family.Ipv4);
    restart.endOfRib(B, Family.Ipv4);
    clock.advanceSeconds(100);
    expect(said).toEqual([]);
    restart.endOfRib(A, Family.Ipv6);
    expect(said).toEqual(BACK);
    clock.advanceSeconds(1000);
    expect(said).toEqual(BACK);
    expect(clock.pendingTimers).toBe(0);
  });

  it("waits a little for those that are missing once the others are done, and then without them", () => {
    const { said, restart, clock } = deferral(A, B);
    restart.established(A, []);
    clock.advanceSeconds(9);
    expect(said).toEqual([]);
    clock.advanceSeconds(1);
    expect(said).toEqual(["select: a peer has not come back"]);
    restart.established(B, []);
    expect(said).toEqual(["select: a peer has not come back", "complete"]);
  });

  it("ends with the deferral time, whoever still tells", () => {
    const { said, restart, clock } = deferral(A);
    restart.established(A, both);
    clock.advanceSeconds(240);
    expect(said).toEqual(["select: the time for it is over"]);
  });

  it("gives a peer without End-of-RIB its time in each session, not what is left of the last one", () => {
    const { said, restart, clock } = deferral(A);
    const talk = (seconds: number) => {
      for (let halves = 0; halves < 2 * seconds; halves++) {
        clock.advance(500);
        restart.heard(A);
      }
    };
    restart.established(A, undefined);
    talk(4);
    restart.lost(A);
    restart.established(A, undefined);
    talk(4.5);
    expect(said).toEqual([]);
    clock.advance(500);
    expect(said).toEqual(BACK);
  });

  it("takes a peer without End-of-RIB that has fallen silent for one that has told everything", () => {
    const { said, restart, clock } = deferral(A);
    restart.established(A, undefined);
    clock.advance(900);
    restart.heard(A);
    clock.advance(900);
    expect(said).toEqual([]);
    clock.advance(100);
    expect(said).toEqual(BACK);
    expect(clock.pendingTimers).toBe(0);
  });

  it("does not take the time of a session without End-of-RIB for the end of one with it", () => {
    const { said, restart, clock } = deferral(A);
    restart.established(A, undefined);
    restart.lost(A);
    restart.established(A, both);
    clock.advanceSeconds(6);
    expect(said).toEqual([]);
  });

  it("does not wait for a peer from a range that has gone for good", () => {
    const { said, restart, clock } = deferral(A);
    restart.established(GUEST, both);
    restart.lost(GUEST);
    restart.established(A, []);
    expect(said).toEqual([]);
    restart.removed(GUEST);
    expect(said).toEqual(BACK);
    expect(clock.pendingTimers).toBe(0);
  });

  it("says nothing after it was stopped", () => {
    const { said, restart, clock } = deferral(A);
    restart.established(A, undefined);
    restart.stop();
    restart.endOfRib(A, Family.Ipv4);
    restart.lost(A);
    restart.removed(A);
    clock.advanceSeconds(1000);
    expect(said).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});
