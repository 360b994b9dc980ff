import { describe, expect, it } from "vitest";
import { MessageCounters } from "../../../src/bgp/message-counters.ts";
import type { PeerId } from "../../../src/bgp/model/ids.ts";
import { type InputSession, SessionInput } from "../../../src/bgp/session-input.ts";
import type { Connection } from "../../../src/bgp/transport.ts";
import { Turns } from "../../../src/bgp/turns.ts";
import { MemoryRib } from "../../harness/memory-rib.ts";
import { KEEPALIVE, rawMessage } from "../../harness/raw-bytes.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";

const CEASE = rawMessage(3, Buffer.of(6, 2));

function setUp(handle: (event: string) => void = () => {}) {
  const clock = new VirtualClock();
  const turns = new Turns(clock);
  const heard: string[] = [];
  const session: InputSession = {
    state: "Established",
    negotiated: undefined,
    handle: (event) => {
      handle(event.kind);
      heard.push(event.kind);
    },
    protocolError: (error) => heard.push(error.message),
    opened: () => undefined,
    notified: ({ code, subcode }) => heard.push(`notification ${code}/${subcode}`),
  };
  const connection = { pause: () => heard.push("pause"), resume: () => heard.push("resume") } as unknown as Connection;
  const owner = {
    id: 1 as PeerId,
    counters: new MessageCounters(),
    rib: new MemoryRib(),
    mended: () => {},
    failed: (error: unknown) => heard.push(`failed: ${error}`),
  };
  const input = new SessionInput(session, connection, owner, { clock, turns });
  return { clock, turns, heard, input };
}

describe("what a peer sends last, while others are being served", () => {
  it("waits for its turn, and nothing more is read meanwhile", () => {
    const { clock, turns, heard, input } = setUp();
    turns.wake({ work: () => false });
    input.received(CEASE);
    expect(heard).toEqual(["pause"]);
    clock.settle();
    expect(heard).toEqual(["pause", "notification 6/2", "resume"]);
  });

  it("is dealt with before the end of the connection, once", () => {
    const { clock, turns, heard, input } = setUp();
    turns.wake({ work: () => false });
    input.received(Buffer.concat([KEEPALIVE, CEASE]));
    input.finish();
    expect(heard).toEqual(["pause", "keepaliveReceived", "notification 6/2", "resume"]);
    clock.settle();
    expect(heard).toHaveLength(4);
  });

  it("an incomplete message is nothing to deal with", () => {
    const { heard, input } = setUp();
    input.received(CEASE.subarray(0, 20));
    input.finish();
    expect(heard).toEqual([]);
  });
});

describe("a bug of ours over one peer's message", () => {
  it("ends that session with a Cease, and goes no further", () => {
    const { heard, input } = setUp((event) => {
      if (event === "keepaliveReceived") throw new TypeError("not a function");
    });
    input.received(Buffer.concat([KEEPALIVE, KEEPALIVE]));
    expect(heard).toEqual(["failed: TypeError: not a function", "internal error: not a function"]);
  });
});
