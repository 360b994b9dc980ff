import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canMakeNetworks, Lab } from "../harness/netns.ts";
import { findProgram, runCommand } from "../harness/process.ts";
import { waitFor } from "../harness/wait-for.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const read = (name: string) => readFileSync(join(checkout, name), "utf8");

/** No container engine is needed: the Dockerfile's steps are scripts/image.sh, which here fills a folder. */
describe("the image", () => {
  const folder = mkdtempSync(join(tmpdir(), "starling-image-"));
  const source = join(folder, "source");
  const root = join(folder, "root");
  const starling = join(root, "usr/local/bin/starling");
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeAll(async () => {
    chmodSync(folder, 0o755);
    for (const name of shipped()) {
      mkdirSync(dirname(join(source, name)), { recursive: true });
      cpSync(join(checkout, name), join(source, name), { recursive: true });
    }
    await runCommand([join(source, "scripts/image.sh"), "build", source, root], { timeout: 240_000 });
  }, 300_000);

  it("is built by the steps of the Dockerfile", () => {
    const runs = [...read("Dockerfile").matchAll(/image\.sh (build|finish) /g)].map((match) => match[1]);
    expect(runs).toEqual(["build", "finish"]);
  });

  it("starts, with nothing of the build left in it", async () => {
    const version = JSON.parse(read("package.json")).version;
    expect(await runCommand([starling, "--version"])).toBe(`${version}\n`);
    expect(existsSync(join(root, "usr/local/lib/starling/node_modules/typescript"))).toBe(false);
    expect(existsSync(join(root, "usr/local/lib/starling/dist/third-party-licenses.txt"))).toBe(true);
  });

  it("has BIRD's clients, and names for calicoctl to find", async () => {
    for (const name of ["birdcl", "birdcl6"]) {
      const asked = runCommand([join(root, "usr/bin", name), "-s", join(folder, "nobody.ctl"), "show", "status"]);
      await expect(asked).rejects.toThrow("nobody.ctl");
    }
    for (const name of ["bird", "bird6"]) expect(await runCommand([join(root, "usr/local/bin", name), "0"])).toBe("");
  });

  const privileged = canMakeNetworks() && findProgram("setcap", "setpriv") !== undefined;
  it.skipIf(!privileged)("runs as a user of its own, on port 179, and is healthy", async () => {
    await using lab = await Lab.create("image");
    const node = await lab.node("a");
    await node.stub("uplink", "10.0.0.1/32");
    await runCommand([join(source, "scripts/image.sh"), "finish", root]);
    const asUser = ["setpriv", "--reuid", "10001", "--regid", "10001", "--clear-groups"];
    const socket = join(root, "run/starling/starling.sock");
    const daemon = node.spawn([...asUser, starling, "run", "--socket", socket], "image");
    const health = ["show", "summary", "--json", "--socket", socket];
    const summary = await waitFor(async () => JSON.parse(await node.exec([...asUser, starling, ...health])), {
      what: "the health check",
    });
    expect(summary).toMatchObject({ asNumber: 64512, routerId: "10.0.0.1" });
    expect(await node.exec(["ss", "-Hltn"])).toMatch(/:179\b/);
    const status = readFileSync(`/proc/${daemon.pid}/status`, "utf8");
    expect(status).toMatch(/^Uid:\t10001\t10001/m);
    // CAP_NET_BIND_SERVICE and CAP_NET_ADMIN, nothing else.
    expect(status).toMatch(/^CapEff:\t0+1400$/m);
    expect(await daemon.stop()).toBe(0);
  });

  it.skipIf(!privileged)("runs as root of few powers, as in Kubernetes, where its Node may not gain any", async () => {
    const bounds = "--bounding-set=-all,+net_admin,+net_bind_service";
    const pod = ["setpriv", "--inh-caps=-all", bounds, "--no-new-privs"];
    expect(await runCommand([...pod, starling, "--version"])).toMatch(/^\d/);
  });

  it.skipIf(!privileged)("runs as a pure reflector where the container has no capabilities", async () => {
    const bare = ["setpriv", "--reuid", "10001", "--regid", "10001", "--clear-groups", "--bounding-set=-all"];
    expect(await runCommand([...bare, starling, "--version"])).toMatch(/^\d/);
  });
});

/** What .dockerignore lets in. */
function shipped(): string[] {
  return read(".dockerignore")
    .split("\n")
    .filter((line) => line.startsWith("!"))
    .map((line) => line.slice(1));
}
