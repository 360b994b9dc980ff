/** How a Calico node starts: before its datastore is there, as a reflector, and where there is nothing to do. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { ControlClient } from "../../src/cli/control-client.ts";
import type { SummaryView } from "../../src/control/views.ts";
import { built, executable } from "../harness/attacked-daemon.ts";
import { writeResources } from "../harness/calico-folder.ts";
import type { ApiObject } from "../harness/kubernetes-objects.ts";
import type { LabNode } from "../harness/lab-node.ts";
import { canMakeNetworks, Lab } from "../harness/netns.ts";
import { waitFor } from "../harness/wait-for.ts";

const RESOURCES: ApiObject[] = [
  { name: "node-1", address: "10.0.0.1/24" },
  { name: "node-2", address: "10.0.0.2/24" },
].map(({ name, address }) => ({
  apiVersion: "projectcalico.org/v3",
  kind: "Node",
  metadata: { name },
  spec: { bgp: { ipv4Address: address } },
}));
const BLOCK: ApiObject = {
  apiVersion: "projectcalico.org/v3",
  kind: "BlockAffinity",
  metadata: { name: "node-1-10-244-1-0-26" },
  spec: { node: "node-1", cidr: "10.244.1.0/26", state: "confirmed", deleted: "false" },
};

async function start(node: LabNode, calico: object, env: Readonly<Record<string, string>> = {}) {
  const socket = join(node.folder, "starling.sock");
  const file = join(node.folder, "starling.yaml");
  const control = { socket, birdSocket: false, bird6Socket: false };
  writeFileSync(file, JSON.stringify({ calico, control, http: false, log: { format: "json" } }));
  const daemon = node.spawn([process.execPath, executable, "run", "-c", file], "starling", env);
  const client = new ControlClient(socket);
  const summary = () => client.call<SummaryView>("summary");
  await waitFor(summary, { what: "starling to answer" });
  return { daemon, summary };
}

async function network(lab: Lab): Promise<LabNode> {
  const [node, other] = await lab.nodes("node", "other");
  await lab.link(node, other, { addresses: [["10.0.0.1/24"], ["10.0.0.2/24"]] });
  return node;
}

const calicoAt = (path: string) => ({ nodeName: "node-1", release: "3.33", datastore: { type: "file", path } });

beforeAll(built);

describe.skipIf(!canMakeNetworks())("the start of a Calico node", () => {
  it("before there is a datastore commands are answered, and it goes on when there is one", async (context) => {
    await using lab = await Lab.create("calico-start", context);
    const node = await network(lab);
    const folder = join(node.folder, "resources");
    const { daemon, summary } = await start(node, calicoAt(folder));
    await waitFor(async () => (await summary()).calico?.datastore.reason?.includes(folder), { what: "the reason" });
    expect(daemon.output()).toContain("waiting for Calico's datastore");
    expect(await node.exec(["ss", "-Hltn"])).not.toContain(":179");
    writeResources(node.folder, { resources: RESOURCES, kubernetes: [] });
    await waitFor(async () => (await summary()).peers.configured === 1, { what: "the mesh" });
    expect((await summary()).calico).toMatchObject({ nodeName: "node-1", datastore: { current: true } });
    expect(await node.exec(["ss", "-Hltn"])).toContain("0.0.0.0:179");
  });

  it("a signal ends it while it waits", async (context) => {
    await using lab = await Lab.create("calico-wait", context);
    const node = await network(lab);
    const { daemon } = await start(node, calicoAt(join(node.folder, "resources")));
    daemon.signal("SIGTERM");
    expect(await daemon.exited).toBe(0);
  });

  it("with another networking backend it has nothing to do, and says so", async (context) => {
    await using lab = await Lab.create("calico-idle", context);
    const node = await network(lab);
    const folder = writeResources(node.folder, { resources: RESOURCES, kubernetes: [] });
    const { daemon, summary } = await start(node, calicoAt(folder), { CALICO_NETWORKING_BACKEND: "vxlan" });
    await waitFor(() => daemon.output().includes("nothing to do"), { what: "what it says" });
    expect(await summary()).toMatchObject({
      peers: { configured: 0 },
      kernel: { enabled: false, reason: "Calico's networking backend is not bird" },
    });
    expect(await node.exec(["ss", "-Hltn"])).not.toContain(":179");
  });

  it("as a route reflector it leaves the kernel alone and has no routes of its own", async (context) => {
    await using lab = await Lab.create("calico-reflector", context);
    const node = await network(lab);
    const folder = writeResources(node.folder, { resources: [...RESOURCES, BLOCK], kubernetes: [] });
    const { summary } = await start(node, { ...calicoAt(folder), role: "route-reflector" });
    await waitFor(async () => (await summary()).peers.configured === 1, { what: "its peers" });
    expect(await summary()).toMatchObject({
      prefixes: { ipv4: 0 },
      kernel: { enabled: false, reason: "calico.role is route-reflector" },
    });
    expect((await node.routes("ipv4")).filter(({ protocol }) => protocol === "12")).toEqual([]);
  });
});
