import { expect, it } from "vitest";
import { Family } from "../../../src/bgp/model/family.ts";
import { PrefixBatch } from "../../../src/bgp/model/prefix-batch.ts";
import { Flag, MessageType } from "../../../src/fib/netlink/constants.ts";
import { MessageCursor } from "../../../src/fib/netlink/message.ts";
import { RouteMessage } from "../../../src/fib/netlink/route-message.ts";
import type { RequestPort } from "../../../src/fib/netlink/socket.ts";
import { NetlinkFib } from "../../../src/fib/netlink-fib.ts";
import { MemoryLog } from "../../harness/memory-log.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";
import { FakeKernel } from "./fake-kernel.ts";
import { hop, unicast } from "./messages.ts";

const ONE = unicast(hop("192.0.2.1"));
const OTHER = unicast(hop("192.0.2.2"));

/** Takes batches, and answers when the test says so: all was done. */
class SlowPort implements RequestPort {
  /** Host numbers of 10.0.0.x, "=" before those that may replace a route. */
  readonly sent: string[][] = [];
  #done: ((errno: number) => void) | undefined;
  #last = 0;

  send(bytes: Uint8Array, length: number, done: (errno: number) => void): void {
    if (this.#done !== undefined) throw new Error("two batches at once");
    this.#done = done;
    const cursor = new MessageCursor(bytes);
    const route = new RouteMessage();
    const hosts: string[] = [];
    cursor.reset(length);
    while (cursor.next()) {
      this.#last = cursor.sequence;
      route.decode(cursor);
      hosts.push(`${(cursor.flags & Flag.Replace) === 0 ? "" : "="}${route.w0 & 255}`);
    }
    this.sent.push(hosts);
  }

  answer(): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(0);
  }

  receive(into: Uint8Array): number {
    const view = new DataView(into.buffer);
    into.fill(0, 0, 36);
    view.setUint32(0, 36, true);
    view.setUint16(4, MessageType.Error, true);
    view.setUint32(8, this.#last, true);
    return 36;
  }

  receiveLater(): void {
    throw new Error("no dump goes this way");
  }
}

function world() {
  const clock = new VirtualClock();
  const kernel = new FakeKernel(clock).ports();
  const requests = new SlowPort();
  const events = { routeChanged: () => {}, linkChanged: () => {}, ready: () => {}, settled: () => {} };
  const options = {
    table: 254,
    protocol: 12,
    metric: undefined,
    preferredSources: [],
    learn: { protocols: [], interfaces: [] },
    excludeInterfaces: [],
    pruneAfterMilliseconds: 240_000,
  };
  let overrun = () => {};
  const listen: typeof kernel.listen = (handler) => {
    overrun = () => handler.overrun();
    return kernel.listen(handler);
  };
  const fib = new NetlinkFib({ ...kernel, requests, listen }, options, clock, new MemoryLog(), events);
  clock.settle();
  return { clock, requests, fib, overrun: () => overrun() };
}

function hosts(...numbers: number[]): PrefixBatch {
  const batch = new PrefixBatch(Family.Ipv4, numbers.length);
  for (const number of numbers) batch.add4(0x0a000000 + number, 32, 0);
  return batch;
}

it("has the next batch ready when the kernel answers one", () => {
  const { clock, requests, fib } = world();
  fib.set(hosts(1, 2), ONE);
  clock.settle();
  fib.set(hosts(3, 4), ONE);
  clock.settle();
  expect(requests.sent).toEqual([["1", "2"]]);
  requests.answer();
  // At once: no turn of the event loop lies between.
  expect(requests.sent).toEqual([
    ["1", "2"],
    ["3", "4"],
  ]);
});

it("makes no request for a route whose last one is unanswered", () => {
  const { clock, requests, fib } = world();
  fib.set(hosts(1, 2), ONE);
  clock.settle();
  fib.set(hosts(3), ONE);
  fib.set(hosts(1), OTHER);
  clock.settle();
  requests.answer();
  expect(requests.sent.slice(1)).toEqual([["3"]]);
  clock.settle();
  requests.answer();
  clock.settle();
  // Now it is known to be there: replaced in place.
  expect(requests.sent.slice(2)).toEqual([["=1"]]);
});

it("takes back what is ready when the kernel's tables must be read first", () => {
  const { clock, requests, fib, overrun } = world();
  fib.set(hosts(1, 2), ONE);
  clock.settle();
  fib.set(hosts(3), ONE);
  clock.settle();
  overrun();
  requests.answer();
  expect(requests.sent).toEqual([["1", "2"]]);
  clock.settle();
  // The tables that were read hold none of them.
  expect([...(requests.sent[1] ?? [])].sort()).toEqual(["1", "2", "3"]);
});
