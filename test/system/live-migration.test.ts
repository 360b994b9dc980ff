/** A virtual machine moves from one node of a Calico cluster to another and keeps its address, as KubeVirt and Felix have it. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dump } from "js-yaml";
import { describe, expect, it } from "vitest";
import { executable } from "../harness/attacked-daemon.ts";
import type { LabNode } from "../harness/lab-node.ts";
import { canMakeNetworks, Lab } from "../harness/netns.ts";
import { waitFor } from "../harness/wait-for.ts";

const VM = "10.244.1.5";
const BLOCKS = { a: "10.244.1.0/26", b: "10.244.2.0/26", c: "10.244.3.0/26" } as const;
const ADDRESSES = { a: "10.0.0.1", b: "10.0.0.2", c: "10.0.0.3" } as const;
const NORMAL = 1024;
const ELEVATED = 512;

/** What `calicoctl get -o yaml` would print. */
function resources(): string {
  const all = [
    {
      kind: "IPPool",
      metadata: { name: "pods" },
      spec: { cidr: "10.244.0.0/16", ipipMode: "Never", vxlanMode: "Never" },
    },
    ...Object.entries(ADDRESSES).map(([name, address]) => ({
      kind: "Node",
      metadata: { name },
      spec: { bgp: { ipv4Address: `${address}/24` } },
    })),
    ...Object.entries(BLOCKS).map(([node, cidr]) => ({
      kind: "BlockAffinity",
      metadata: { name: `${node}-block` },
      spec: { node, cidr, state: "confirmed", deleted: "false" },
    })),
  ];
  return all.map((object) => dump({ apiVersion: "projectcalico.org/v3", ...object })).join("---\n");
}

function startStarling(node: LabNode): void {
  const file = join(node.folder, "resources.yaml");
  writeFileSync(file, resources());
  const config = join(node.folder, "starling.yaml");
  writeFileSync(
    config,
    dump({
      calico: { nodeName: node.name, release: "3.33", datastore: { type: "file", path: file } },
      control: {
        socket: join(node.folder, "starling.sock"),
        birdSocket: join(node.folder, "bird.ctl"),
        bird6Socket: join(node.folder, "bird6.ctl"),
      },
      http: false,
      log: { format: "json" },
    }),
  );
  node.spawn([process.execPath, executable, "run", "-c", config], "starling");
}

/** "via GATEWAY metric N" of BGP's routes to the machine and "here metric N" of Felix's, the most wanted first. */
async function waysTo(node: LabNode, destination: string): Promise<string[]> {
  const routes = (await node.routes("ipv4")).filter(({ dst }) => dst === destination);
  return routes
    .sort((x, y) => (x.metric ?? 0) - (y.metric ?? 0))
    .map(({ gateway, metric, protocol }) => `${protocol === "12" ? `via ${gateway}` : "here"} metric ${metric ?? 0}`);
}

describe.skipIf(!canMakeNetworks())("live migration", () => {
  it("the better route wins everywhere at each step, and no packet is lost", async () => {
    await using lab = await Lab.create("migrate");
    const [a, b, c, machine] = await lab.nodes("a", "b", "c", "vm");
    await lab.bridge("sw", [
      [a, `${ADDRESSES.a}/24`],
      [b, `${ADDRESSES.b}/24`],
      [c, `${ADDRESSES.c}/24`],
    ]);
    // It is reached over either cable, as before and after its move.
    for (const node of [a, b]) await lab.link(node, machine, { interfaces: [`cali${node.name}`, `to-${node.name}`] });
    await machine.stub("own", `${VM}/32`);
    for (const [node, address] of [
      [a, "169.254.1.1"],
      [b, "169.254.1.2"],
    ] as const) {
      await node.ip("address", "add", `${address}/32`, "dev", `cali${node.name}`);
      await machine.ip("route", "add", address, "dev", `to-${node.name}`);
      await machine.ip(
        "route",
        "add",
        `${ADDRESSES[node.name as "a" | "b"]}/32`,
        "via",
        address,
        "dev",
        `to-${node.name}`,
      );
    }
    await machine.ip("route", "add", "default", "via", "169.254.1.1", "dev", "to-a");
    const felix = (node: LabNode, what: "add" | "del", metric: number) =>
      node.ip("route", what, VM, "dev", `cali${node.name}`, "scope", "link", "proto", "boot", "metric", String(metric));
    await felix(a, "add", NORMAL);
    for (const node of [a, b, c]) startStarling(node);

    const expectWays = (node: LabNode, destination: string, ...want: string[]) =>
      waitFor(async () => JSON.stringify(await waysTo(node, destination)) === JSON.stringify(want), {
        what: `${want.join(", ") || "no route"} to ${destination} on ${node.name}`,
        timeout: 30_000,
      });
    // Within its node's block it is not announced by itself.
    await expectWays(c, BLOCKS.a, `via ${ADDRESSES.a} metric ${NORMAL}`);
    await expectWays(c, VM);
    const ping = c.spawn(["ping", "-n", "-i", "0.02", "-W", "1", VM], "ping");
    await waitFor(() => ping.output().includes("icmp_seq=10 "), { what: "answers" });

    // It runs on b from now on; a has not noticed.
    await felix(b, "add", ELEVATED);
    await expectWays(c, VM, `via ${ADDRESSES.b} metric ${ELEVATED}`);
    await expectWays(a, VM, `via ${ADDRESSES.b} metric ${ELEVATED}`, `here metric ${NORMAL}`);
    await machine.ip("route", "replace", "default", "via", "169.254.1.2", "dev", "to-b");
    await felix(a, "del", NORMAL);
    await expectWays(a, VM, `via ${ADDRESSES.b} metric ${ELEVATED}`);

    // All have noticed: b's route is one like others, of an address borrowed from a's block.
    await felix(b, "add", NORMAL);
    await felix(b, "del", ELEVATED);
    await expectWays(c, VM, `via ${ADDRESSES.b} metric ${NORMAL}`);
    await expectWays(a, VM, `via ${ADDRESSES.b} metric ${NORMAL}`);
    await ping.stop("SIGINT");
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(ping.output()) ?? [];
    expect(Number(sent)).toBeGreaterThan(10);
    // The last one may have been on its way.
    expect(Number(sent) - Number(received)).toBeLessThanOrEqual(1);

    // It ends: what is left is the block.
    await felix(b, "del", NORMAL);
    await expectWays(c, VM);
    await expectWays(a, VM);
    await expectWays(c, BLOCKS.a, `via ${ADDRESSES.a} metric ${NORMAL}`);
  });
});
