import { beforeEach, describe, expect, it } from "vitest";
import type { TimerName } from "../../../src/bgp/fsm-types.ts";
import { SessionTimers } from "../../../src/bgp/session-timers.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";

let clock: VirtualClock;
let fired: [TimerName, number][];
let hasInput: boolean;
let unsent: number;
let random: number;
let timers: SessionTimers;

beforeEach(() => {
  clock = new VirtualClock();
  fired = [];
  hasInput = false;
  unsent = 0;
  random = 0.5;
  timers = new SessionTimers({
    clock,
    random: () => random,
    hasInput: () => hasInput,
    unsent: () => unsent,
    expired: (timer) => fired.push([timer, clock.now()]),
  });
});

describe("hold timer, RFC 4271 §6.5", () => {
  it("counts from the last message", () => {
    timers.start("hold", 90);
    for (let i = 0; i < 5; i++) {
      clock.advanceSeconds(60);
      timers.start("hold", 90);
    }
    clock.advanceSeconds(89);
    expect(fired).toEqual([]);
    clock.advanceSeconds(1);
    expect(fired).toEqual([["hold", 390_000]]);
  });

  it("takes the negotiated time in place of the large one of OpenSent", () => {
    timers.start("hold", 240);
    clock.advanceSeconds(1);
    timers.start("hold", 3);
    clock.advanceSeconds(3);
    expect(fired).toEqual([["hold", 4000]]);
  });

  it("waits while input is queued: we are slow, the peer is not dead", () => {
    timers.start("hold", 90);
    hasInput = true;
    clock.advanceSeconds(95);
    hasInput = false;
    expect(fired).toEqual([]);
    clock.advanceSeconds(90);
    expect(fired).toEqual([["hold", 180_000]]);
  });

  it("lets sockets be read first after a pause of the whole process", () => {
    timers.start("hold", 90);
    clock.jump(1_000_000);
    // As libuv does it: timers, then sockets, then what is to run soon.
    clock.soon(() => timers.start("hold", 90));
    clock.advance(0);
    expect(fired).toEqual([]);
    clock.advanceSeconds(90);
    expect(fired).toEqual([["hold", 1_090_000]]);
  });

  it("stays stopped", () => {
    timers.start("hold", 90);
    timers.stop("hold");
    timers.start("sendHold", 90);
    timers.stopAll();
    clock.advanceSeconds(1000);
    expect([fired, clock.pendingTimers]).toEqual([[], 0]);
  });
});

describe("send hold timer, RFC 9687", () => {
  it("fires when the peer has taken nothing for that long", () => {
    timers.start("sendHold", 480);
    clock.advanceSeconds(100);
    timers.watchSending();
    unsent = 5000;
    for (let i = 0; i < 60; i++) {
      clock.advanceSeconds(10);
      timers.watchSending();
    }
    expect(fired).toEqual([["sendHold", 580_000]]);
  });

  it("does not while the peer takes a little, or when there is nothing to take", () => {
    timers.start("sendHold", 480);
    unsent = 5000;
    for (let i = 0; i < 200; i++) {
      clock.advanceSeconds(10);
      unsent -= 10;
      timers.watchSending();
    }
    expect(fired).toEqual([]);
    unsent = 0;
    clock.advanceSeconds(10_000);
    expect(fired).toEqual([]);
  });
});

describe("jitter, RFC 4271 §10", () => {
  it.each<[TimerName, number, number]>([
    ["keepalive", 0, 22_500],
    ["keepalive", 0.999, 29_992.5],
    ["connectRetry", 0, 22_500],
    ["idleHold", 0, 30_000],
    ["hold", 0, 30_000],
  ])("%s with %d", (timer, jitter, at) => {
    random = jitter;
    timers.start(timer, 30);
    clock.advanceSeconds(31);
    expect(fired).toEqual([[timer, at]]);
  });
});
