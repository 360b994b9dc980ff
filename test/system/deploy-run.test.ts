import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { dump } from "js-yaml";
import { describe, expect, it } from "vitest";
import { contained } from "../harness/container.ts";
import { deployFolder, manifestsOf } from "../harness/deploy-kubernetes.ts";
import type { LabNode } from "../harness/lab-node.ts";
import { canMakeNetworks, Lab } from "../harness/netns.ts";
import type { BackgroundProcess } from "../harness/process.ts";
import { waitFor } from "../harness/wait-for.ts";

const executable = fileURLToPath(new URL("../../bin/starling.mjs", import.meta.url));

interface Container {
  readonly name: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly securityContext: { readonly capabilities: { readonly add: readonly string[] } };
  readonly volumeMounts: readonly { readonly mountPath: string; readonly readOnly?: boolean }[];
}

function container(workload: string, name: string): Container {
  const manifest = manifestsOf(["reflectors"]).find(({ metadata }) => metadata.name === workload);
  if (manifest === undefined) throw new RangeError(`there is no ${workload}`);
  const pod = (manifest["spec"] as { template: { spec: Record<string, Container[]> } }).template.spec;
  const found = pod["containers"]?.find((one) => one.name === name);
  if (found === undefined) throw new RangeError(`${workload} has no container ${name}`);
  return found;
}

const calico = (kind: string, metadata: object, spec: object) =>
  dump({ apiVersion: "projectcalico.org/v3", kind, metadata, spec });
const resources = [
  calico("BGPConfiguration", { name: "default" }, { nodeToNodeMeshEnabled: false }),
  calico(
    "BGPPeer",
    { name: "reflectors" },
    { nodeSelector: "!has(starling/reflector)", peerSelector: "has(starling/reflector)" },
  ),
  calico("Node", { name: "node-1" }, { bgp: { ipv4Address: "10.0.0.1/24" } }),
  calico(
    "Node",
    { name: "rr-1", labels: { "starling/reflector": "true" } },
    { bgp: { ipv4Address: "10.0.0.2/24", routeReflectorClusterID: "244.0.0.1" } },
  ),
  calico("IPPool", { name: "pods" }, { cidr: "10.244.0.0/16", ipipMode: "Never" }),
  calico("BlockAffinity", { name: "node-1-block" }, { node: "node-1", cidr: "10.244.1.0/26", state: "confirmed" }),
].join("---\n");

/** Starts the container, with the overlay's own file but for the datastore: no API server is here. */
function start(lab: Lab, node: LabNode, workload: string, overlayFile: string): BackgroundProcess {
  const path = join(lab.folder, "resources.yaml");
  writeFileSync(path, resources);
  const written = readFileSync(join(deployFolder, "overlays/reflectors", overlayFile), "utf8");
  const text = written.replace("{type: kubernetes}", `{type: file, path: ${path}}`);
  expect(text).not.toBe(written);
  const file = join(lab.folder, overlayFile);
  writeFileSync(file, text);
  const { securityContext, volumeMounts } = container(workload, "starling");
  const writable = volumeMounts.flatMap(({ mountPath, readOnly }) => (readOnly ? [] : [mountPath]));
  const command = [process.execPath, executable, "run", "--config", file];
  const env = { NODENAME: node.name, NAMESPACE: "kube-system", DATASTORE_TYPE: "kubernetes" };
  return node.spawn(contained(command, securityContext.capabilities.add, writable), "starling", env);
}

const probe = `fetch("http://127.0.0.1:9179/readyz").then(async (answer) => console.log(answer.status, await answer.text()))`;
const readiness = (node: LabNode) => node.exec([process.execPath, "-e", probe]);
const statusOf = ({ pid }: BackgroundProcess) => readFileSync(`/proc/${pid}/status`, "utf8");

describe.skipIf(!canMakeNetworks())(
  "containers of deploy/kubernetes, with their capabilities and nothing to write on",
  () => {
    it("a node and a reflector: port 179, the kernel's routes for the node alone, ready when they have each other", async () => {
      await using lab = await Lab.create("deploy");
      const [node, reflector] = await lab.nodes("node-1", "rr-1");
      await lab.link(node, reflector, { addresses: [["10.0.0.1/24"], ["10.0.0.2/24"]] });
      const first = start(lab, node, "starling-node", "node.yaml");
      const alone = await waitFor(() => readiness(node), { what: "an answer" });
      expect(alone).toMatch(/^503 .*"missing":\["./);

      const second = start(lab, reflector, "starling-reflector", "reflector.yaml");
      for (const one of [node, reflector]) {
        await waitFor(async () => (await readiness(one)).startsWith("200 "), {
          what: `readiness of ${one.name}`,
          timeout: 30_000,
        });
        expect(await one.exec(["ss", "-Hltn"])).toMatch(/:179\b/);
      }
      // NET_ADMIN and NET_BIND_SERVICE; NET_BIND_SERVICE alone.
      expect(statusOf(first)).toMatch(/^CapEff:\t0+1400$/m);
      expect(statusOf(second)).toMatch(/^CapEff:\t0+400$/m);
      for (const one of [first, second]) expect(statusOf(one)).toMatch(/^NoNewPrivs:\t1$/m);
      expect(await node.ip("-4", "route", "show", "proto", "bird")).toMatch(/^blackhole 10\.244\.1\.0\/26/m);
      expect(await reflector.ip("-4", "route", "show", "proto", "bird")).toBe("");

      const inside = (path: string) => readdirSync(`/proc/${first.pid}/root${path}`);
      expect(inside("/run/calico").sort()).toEqual(["bird.ctl", "bird6.ctl"]);
      expect(inside("/run/starling")).toContain("starling.sock.restart");

      await second.stop("SIGKILL");
      await waitFor(async () => (await readiness(node)).includes("no session is up, of 1"), {
        what: "the node to be alone",
      });
      expect(await first.stop()).toBe(0);
    });

    it("a node on which BIRD still runs: waits, touches nothing, and speaks the moment BIRD is gone", async () => {
      await using lab = await Lab.create("deploy-port");
      const [node, reflector] = await lab.nodes("node-1", "rr-1");
      await lab.link(node, reflector, { addresses: [["10.0.0.1/24"], ["10.0.0.2/24"]] });
      await node.ip("route", "add", "10.244.9.0/26", "via", "10.0.0.2", "proto", "bird");
      const listen = `require("node:net").createServer().listen(179, "0.0.0.0", () => console.log("listening"))`;
      const bird = node.spawn([process.execPath, "-e", listen], "bird");
      await waitFor(() => bird.output().includes("listening"), { what: "somebody to have the port" });
      start(lab, reflector, "starling-reflector", "reflector.yaml");
      const waiting = start(lab, node, "starling-node", "node.yaml");
      await waitFor(async () => (await readiness(node)).includes("port 179 is in use"), { what: "the node to wait" });
      expect(await node.ip("-4", "route", "show", "proto", "bird")).toMatch(/^10\.244\.9\.0\/26 via/);

      await bird.stop("SIGKILL");
      await waitFor(async () => (await readiness(node)).startsWith("200 "), {
        what: "the node to be ready",
        timeout: 30_000,
      });
      expect(await node.exec(["ss", "-Hltn"])).toMatch(/:179\b/);
      expect(await waiting.stop()).toBe(0);
    });

    it("the other one shows processes called bird and bird6, and ends when it is asked to", async () => {
      await using lab = await Lab.create("deploy-names");
      const node = await lab.node("a");
      const bin = join(lab.folder, "bin");
      mkdirSync(bin);
      for (const name of ["bird", "bird6"]) symlinkSync("/bin/sleep", join(bin, name));
      const { command } = container("starling-node", "bird");
      const names = node.spawn(command, "bird", { PATH: `${bin}:${process.env["PATH"]}` });
      const children = () => readFileSync(`/proc/${names.pid}/task/${names.pid}/children`, "utf8").trim().split(" ");
      const titles = () => children().map((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0]);
      await waitFor(() => titles().join(" ") === "bird bird6", { what: "both to run" });
      expect(await names.stop("SIGTERM")).toBe(0);
    });
  },
);
