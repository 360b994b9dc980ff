/** A daemon that is killed while it writes thousands of routes: the next one finishes the work, and nothing else is touched. */

import { describe, expect, it } from "vitest";
import { Starling } from "../harness/daemons/starling.ts";
import type { LabNode } from "../harness/lab-node.ts";
import { canMakeNetworks, Lab } from "../harness/netns.ts";
import { waitFor } from "../harness/wait-for.ts";

const COUNT = 45_000;
/** So many of them are new in each run. */
const STEP = 20_000;
const FOREIGN = "203.0.113.0/24";

function prefixes(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const at = (from + i) << 6;
    return `10.${(at >> 16) & 0xff}.${(at >> 8) & 0xff}.${at & 0xff}/26`;
  });
}

async function ownRoutes(node: LabNode): Promise<string[]> {
  return (await node.routes("ipv4")).filter((route) => route.protocol === "12").map((route) => route.dst);
}

/** Whether a packet to there would be dropped: a look that does not cost the reading of all routes. */
async function isBlackhole(node: LabNode, address: string): Promise<boolean> {
  const said = await node.ip("route", "get", address).catch(String);
  return said.includes("Invalid argument");
}

describe.skipIf(!canMakeNetworks())("kill -9 during a burst of kernel writes", () => {
  it("again and again, and with other routes at the end: the kernel holds just what is wanted", async (context) => {
    await using lab = await Lab.create("killed", context);
    const node = await lab.node("node");
    await node.stub("net0", "192.0.2.1/24");
    await node.ip("route", "add", "blackhole", FOREIGN, "proto", "static");
    const spec = { asNumber: 65001, routerId: "192.0.2.1", peers: [], kernel: true };
    const run = (list: readonly string[]) => {
      const originate = list.map((prefix) => ({ prefix, blackhole: true }));
      return new Starling(node, spec, { file: { originate, kernel: { enabled: true, pruneAfter: "2s" } } });
    };
    const seen: number[] = [];
    for (let round = 0; round < 3; round++) {
      // Each run has to write what the one before had not come to, and routes of its own.
      const list = prefixes(round * STEP, COUNT);
      const starling = run(list);
      const starting = starling.start().catch(() => undefined);
      const [marker = ""] = (list.at(round === 0 ? 0 : -STEP) ?? "").split("/");
      await waitFor(() => isBlackhole(node, marker), { what: "the burst", interval: 1 });
      await starling.kill();
      await starting;
      seen.push((await ownRoutes(node)).length);
    }
    expect(
      seen.some((count, round) => count < COUNT + round * STEP),
      `${seen}: killed in the middle at least once`,
    ).toBe(true);
    const list = prefixes(STEP, COUNT);
    const starling = run(list);
    await starling.start();
    const wanted = new Set(list);
    await waitFor(
      async () => {
        const present = await ownRoutes(node);
        return present.length === wanted.size && present.every((prefix) => wanted.has(prefix));
      },
      { what: "the kernel to hold what is wanted", timeout: 30_000, interval: 500 },
    );
    expect((await starling.kernel()).filter(({ state }) => state !== "ok")).toEqual([]);
    const foreign = (await node.routes("ipv4")).filter((route) => route.protocol === "4");
    expect(foreign.map((route) => route.dst)).toEqual([FOREIGN]);
    console.log(`killed with ${seen.join(", ")} routes in the kernel; then ${wanted.size} as wanted`);
  });
});
