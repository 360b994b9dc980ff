import { describe, expect, it } from "vitest";
import { MemoryNetwork } from "../../harness/memory-transport.ts";
import { TestSpeaker } from "../../harness/test-speaker.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";

function world() {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  return { clock, network, a: new TestSpeaker(A, network, clock), b: new TestSpeaker(B, network, clock) };
}

describe("two speakers", () => {
  it("come up and tell each other routes and the end of them", async () => {
    const { clock, a, b, network } = world();
    await a.start({ to: B });
    await b.start({ to: A });
    clock.advanceSeconds(10);
    expect([a.state(), b.state()]).toEqual(["Established", "Established"]);
    expect(network.connections).toBe(1);
    a.announce(["10.1.0.0/16", "10.2.0.0/16"]);
    clock.advanceSeconds(1);
    expect(b.rib.lines).toEqual(["up 1", "1 end ipv4", "1 +10.1.0.0/16", "1 +10.2.0.0/16"]);
    clock.advanceSeconds(600);
    expect([a.state(), b.state()]).toEqual(["Established", "Established"]);
  });
});
