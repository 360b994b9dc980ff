import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { acceptingState, initialState, step } from "../../../src/bgp/fsm.ts";
import type { FsmAction, FsmConfig, FsmEvent, FsmState, SessionState, TimerName } from "../../../src/bgp/fsm-types.ts";
import { NotificationCode, type NotificationMessage } from "../../../src/bgp/model/messages.ts";

const active: FsmConfig = { passive: false, connectRetrySeconds: 5, idleHoldSeconds: 5 };
const passive: FsmConfig = { ...active, passive: true };
const cease: NotificationMessage = { code: NotificationCode.Cease, subcode: 2, data: new Uint8Array(0) };

const start: FsmEvent = { kind: "start" };
const connected: FsmEvent = { kind: "connected" };
const connectionFailed: FsmEvent = { kind: "connectionFailed" };
const open: FsmEvent = { kind: "openReceived", holdSeconds: 90, keepaliveSeconds: 30 };
const keepalive: FsmEvent = { kind: "keepaliveReceived" };
const update: FsmEvent = { kind: "updateReceived" };
const holdExpired: FsmEvent = { kind: "holdExpired" };
const notified: FsmEvent = { kind: "notificationReceived", again: false };
const toEstablished = [start, connected, open, keepalive];

function run(config: FsmConfig, events: readonly FsmEvent[]): { state: FsmState; actions: readonly FsmAction[] } {
  let state = initialState(config);
  let actions: readonly FsmAction[] = [];
  for (const event of events) ({ state, actions } = step(state, event));
  return { state, actions };
}

const sent = (actions: readonly FsmAction[]) =>
  actions.flatMap((a) => (a.kind === "sendNotification" ? [`${a.notification.code}/${a.notification.subcode}`] : []));
const started = (actions: readonly FsmAction[]) =>
  actions.flatMap((a) => (a.kind === "startTimer" ? [`${a.timer} ${a.seconds}`] : []));

describe("FSM, RFC 4271 §8.2.2", () => {
  it("tries a peer that refuses soon again, then less often, and from the beginning after an OPEN", () => {
    const refused: FsmEvent[] = [connectionFailed, { kind: "connectRetryExpired" }];
    const pause = (events: readonly FsmEvent[]) => started(run(active, [start, ...events]).actions);
    const refusals = (count: number) => Array.from({ length: count }, () => refused).flat();
    expect([0, 1, 2, 3, 4].map((count) => pause([...refusals(count), connectionFailed]))).toEqual(
      [1, 2, 4, 5, 5].map((seconds) => [`connectRetry ${seconds}`]),
    );
    expect(
      pause([...refusals(3), connected, open, connectionFailed, { kind: "idleHoldExpired" }, connectionFailed]),
    ).toEqual(["connectRetry 1"]);
  });

  it.each<[string, FsmConfig, readonly FsmEvent[], SessionState, readonly string[]]>([
    ["Idle, event 1: dials", active, [start], "Connect", ["connectRetry 5"]],
    ["Idle, event 4: listens", passive, [start], "Active", []],
    ["Connect, event 9: dials again", active, [start, { kind: "connectRetryExpired" }], "Connect", ["connectRetry 5"]],
    ["Connect, event 18: waits in Active", active, [start, connectionFailed], "Active", ["connectRetry 1"]],
    ["Connect, event 16: sends OPEN", active, [start, connected], "OpenSent", ["hold 240"]],
    ["Active, event 17: sends OPEN", passive, [start, connected], "OpenSent", ["hold 240"]],
    [
      "Active, event 9: dials",
      active,
      [start, connectionFailed, { kind: "connectRetryExpired" }],
      "Connect",
      ["connectRetry 5"],
    ],
    ["OpenSent, event 18: Active", active, [start, connected, connectionFailed], "Active", ["connectRetry 1"]],
    ["OpenSent, event 19: OpenConfirm", active, [start, connected, open], "OpenConfirm", ["keepalive 30", "hold 90"]],
    [
      "OpenConfirm, event 11: keepalive",
      active,
      [start, connected, open, { kind: "keepaliveExpired" }],
      "OpenConfirm",
      ["keepalive 30"],
    ],
    ["OpenConfirm, event 26: Established", active, toEstablished, "Established", ["hold 90", "sendHold 480"]],
    ["Established, event 26: hold timer restarts", active, [...toEstablished, keepalive], "Established", ["hold 90"]],
    ["Established, event 27: hold timer restarts", active, [...toEstablished, update], "Established", ["hold 90"]],
    ["Established, event 18", active, [...toEstablished, connectionFailed], "Idle", ["idleHold 5"]],
    [
      "Established and stable, event 18: soon again",
      active,
      [...toEstablished, keepalive, connectionFailed],
      "Idle",
      ["idleHold 1"],
    ],
    ["Established, event 25", active, [...toEstablished, notified], "Idle", ["idleHold 5"]],
    [
      "Idle, event 13: dials",
      active,
      [...toEstablished, notified, { kind: "idleHoldExpired" }],
      "Connect",
      ["connectRetry 5"],
    ],
  ])("%s", (_name, config, events, name, timers) => {
    const { state, actions } = run(config, events);
    expect(state.name).toBe(name);
    expect(started(actions)).toEqual(timers);
  });

  it.each<[string, readonly FsmEvent[], string]>([
    ["hold timer in OpenSent, event 10", [start, connected, holdExpired], "4/0"],
    ["hold timer in Established, event 10", [...toEstablished, holdExpired], "4/0"],
    ["UPDATE in OpenSent, RFC 6608 §3", [start, connected, update], "5/1"],
    ["KEEPALIVE in OpenSent, RFC 6608 §3", [start, connected, keepalive], "5/1"],
    ["UPDATE in OpenConfirm, RFC 6608 §3", [start, connected, open, update], "5/2"],
    ["second OPEN in OpenConfirm, RFC 6608 §3", [start, connected, open, open], "5/2"],
    ["OPEN in Established, RFC 6608 §3", [...toEstablished, open], "5/3"],
    ["send hold timer, RFC 9687 §3", [...toEstablished, { kind: "sendHoldExpired" }], "8/0"],
    ["collision, §6.8", [start, connected, open, { kind: "collisionDump", silent: false }], "6/7"],
    [
      "stop, event 2",
      [...toEstablished, { kind: "stop", manual: true, notification: cease, restartSeconds: undefined }],
      "6/2",
    ],
  ])("%s is answered with NOTIFICATION %#", (_name, events, notification) => {
    const { state, actions } = run(active, events);
    expect(state.name).toBe("Idle");
    expect(sent(actions)).toEqual([notification]);
  });

  it("answers no NOTIFICATION with another, §6.4", () => {
    for (const events of [
      [start, connected, notified],
      [start, connected, open, notified],
      [...toEstablished, notified],
    ]) {
      expect(sent(run(active, events).actions)).toEqual([]);
    }
  });

  it("aborts rather than closes when the peer does not read, RFC 9687 §3", () => {
    const { actions } = run(active, [...toEstablished, { kind: "sendHoldExpired" }]);
    expect(actions.map((a) => a.kind)).toContain("abort");
    expect(actions.map((a) => a.kind)).not.toContain("close");
  });

  it("waits twice as long after each failure and turns the peer away from the second on, §8.1.1", () => {
    let state = initialState(active);
    const waits: string[] = [];
    const refuses: boolean[] = [];
    for (let n = 0; n < 6; n++) {
      for (const event of [n === 0 ? start : ({ kind: "idleHoldExpired" } as const), connected, open, keepalive]) {
        state = step(state, event).state;
      }
      const failed = step(state, notified);
      state = failed.state;
      waits.push(...started(failed.actions));
      refuses.push(state.refuses);
    }
    expect(waits).toEqual(["idleHold 5", "idleHold 10", "idleHold 20", "idleHold 40", "idleHold 60", "idleHold 60"]);
    expect(refuses).toEqual([false, true, true, true, true, true]);
    const stable = [{ kind: "idleHoldExpired" } as const, connected, open, keepalive, keepalive].reduce<FsmState>(
      (s, event) => step(s, event).state,
      state,
    );
    expect(stable.oscillations).toBe(0);
  });

  it("runs no timers with a hold time of zero, §4.2", () => {
    const zero: FsmEvent = { kind: "openReceived", holdSeconds: 0, keepaliveSeconds: 0 };
    expect(started(run(active, [start, connected, zero]).actions)).toEqual([]);
    expect(started(run(active, [start, connected, zero, keepalive, update]).actions)).toEqual([]);
  });

  it("stays Idle until told after a stop without a restart, and for the time of a stop with one", () => {
    const stop = (restartSeconds: number | undefined): FsmEvent => ({
      kind: "stop",
      manual: false,
      notification: cease,
      restartSeconds,
    });
    const rests = run(active, [...toEstablished, stop(undefined)]);
    expect(started(rests.actions)).toEqual([]);
    expect(rests.state.refuses).toBe(true);
    expect(started(run(active, [...toEstablished, stop(600)]).actions)).toEqual(["idleHold 600"]);
    expect(started(run(active, [...toEstablished, stop(600), stop(30)]).actions)).toEqual(["idleHold 30"]);
  });
});

describe("any event sequence keeps the FSM legal, RFC 4271 §8", () => {
  const anyEvent = fc.oneof<fc.Arbitrary<FsmEvent>[]>(
    fc.constantFrom<FsmEvent>(
      start,
      connected,
      connectionFailed,
      open,
      keepalive,
      update,
      holdExpired,
      notified,
      { kind: "openReceived", holdSeconds: 0, keepaliveSeconds: 0 },
      { kind: "notificationReceived", again: true },
      { kind: "connectRetryExpired" },
      { kind: "keepaliveExpired" },
      { kind: "idleHoldExpired" },
      { kind: "sendHoldExpired" },
      { kind: "protocolError", notification: cease },
      { kind: "collisionDump", silent: false },
      { kind: "collisionDump", silent: true },
    ),
    fc.record({
      kind: fc.constant("stop" as const),
      manual: fc.boolean(),
      notification: fc.constantFrom(cease, undefined),
      restartSeconds: fc.constantFrom(undefined, 0, 30),
    }),
    // So that runs reach Established often.
    fc.constantFrom<FsmEvent>(connected, open, keepalive),
  );

  it("acts on connections that exist, and runs the timers of its state", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), fc.boolean(), fc.boolean(), (events, isPassive, accepting) => {
        const config = isPassive ? passive : active;
        let state = accepting ? acceptingState(config, 0) : initialState(config);
        let connection: "none" | "dialing" | "open" = "none";
        let established = false;
        const timers = new Set<TimerName>();
        for (const event of events) {
          if (event.kind === "connected" && (state.name === "Connect" || state.name === "Active")) connection = "open";
          if (event.kind === "connectionFailed") connection = "none";
          const next = step(state, event);
          for (const action of next.actions) {
            switch (action.kind) {
              case "dial":
                expect(connection).toBe("none");
                connection = "dialing";
                break;
              case "close":
              case "abort":
                connection = "none";
                break;
              case "sendOpen":
              case "sendKeepalive":
              case "sendNotification":
                expect(connection).toBe("open");
                break;
              case "startTimer":
                expect(action.seconds).toBeGreaterThanOrEqual(0);
                timers.add(action.timer);
                break;
              case "stopTimer":
                timers.delete(action.timer);
                break;
              case "up":
                expect(established).toBe(false);
                established = true;
                break;
              default:
                expect(established).toBe(true);
                established = false;
            }
          }
          state = next.state;
          expect(established).toBe(state.name === "Established");
          expect(connection).toBe(
            state.name === "Connect" ? "dialing" : state.name === "Idle" || state.name === "Active" ? "none" : "open",
          );
          const expected = timersOf(state, timers);
          expect([...timers].sort()).toEqual(expected.sort());
        }
      }),
      { numRuns: 2000 },
    );
  });

  function timersOf(state: FsmState, running: ReadonlySet<TimerName>): TimerName[] {
    const liveness: TimerName[] = [
      ...(state.holdSeconds > 0 ? (["hold"] as const) : []),
      ...(state.keepaliveSeconds > 0 ? (["keepalive"] as const) : []),
    ];
    switch (state.name) {
      case "Idle":
        return running.has("idleHold") ? ["idleHold"] : [];
      case "Connect":
        return ["connectRetry"];
      case "Active":
        // An incoming connection's machine begins in Active and has not dialled.
        return running.has("connectRetry") && !state.config.passive ? ["connectRetry"] : [];
      case "OpenSent":
        return ["hold"];
      case "OpenConfirm":
        return liveness;
      default:
        return [...liveness, "sendHold"];
    }
  }
});
