import { chownSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { built } from "../harness/attacked-daemon.ts";
import { Starling } from "../harness/daemons/starling.ts";
import { canMakeNetworks, Lab } from "../harness/netns.ts";
import { waitFor } from "../harness/wait-for.ts";

/** Two nodes on one cable, each with a network of its own behind it. */
async function pair(lab: Lab, extras: ConstructorParameters<typeof Starling>[2] = {}) {
  const [left, right] = await lab.nodes("left", "right");
  await lab.link(left, right, {
    addresses: [
      ["10.0.0.1/24", "2001:db8::1/64"],
      ["10.0.0.2/24", "2001:db8::2/64"],
    ],
  });
  await left.stub("net0", "192.0.2.1/32", "2001:db8:1::1/128");
  await right.stub("net0", "198.51.100.1/32", "2001:db8:2::1/128");
  const a = new Starling(
    left,
    {
      asNumber: 65001,
      routerId: "10.0.0.1",
      peers: [
        { address: "10.0.0.2", asNumber: 65002 },
        { address: "2001:db8::2", asNumber: 65002 },
      ],
      routes: [{ prefix: "192.0.2.1/32" }, { prefix: "2001:db8:1::1/128" }],
      kernel: true,
    },
    extras,
  );
  const b = new Starling(right, {
    asNumber: 65002,
    routerId: "10.0.0.2",
    peers: [
      { address: "10.0.0.1", asNumber: 65001 },
      { address: "2001:db8::1", asNumber: 65001 },
    ],
    routes: [{ prefix: "198.51.100.1/32" }, { prefix: "2001:db8:2::1/128" }],
    kernel: true,
  });
  return { left, right, a, b };
}

const established = (speaker: Starling) =>
  waitFor(async () => (await speaker.sessions()).every((s) => s.established), { what: "all sessions" });

describe.skipIf(!canMakeNetworks())("starling on a node", () => {
  it("a ping crosses a network that starling built, over IPv4 and IPv6", async (context) => {
    await using lab = await Lab.create("daemon-ping", context);
    const { left, a, b } = await pair(lab);
    await Promise.all([a.start(), b.start()]);
    await waitFor(() => left.pings("198.51.100.1", "192.0.2.1"), { what: "a ping over IPv4" });
    await waitFor(() => left.pings("2001:db8:2::1", "2001:db8:1::1"), { what: "a ping over IPv6" });
    const routes = await left.routes("ipv4");
    expect(routes.filter((r) => r.protocol === "12")).toMatchObject([{ dst: "198.51.100.1", gateway: "10.0.0.2" }]);
    expect((await a.kernel()).map(({ prefix, state }) => `${prefix} ${state}`).sort()).toEqual([
      "198.51.100.1/32 ok",
      "2001:db8:2::1/128 ok",
    ]);
  });

  it("a reload changes only what differs, and a wrong file changes nothing and says why", async (context) => {
    await using lab = await Lab.create("daemon-reload", context);
    const { left, a, b } = await pair(lab);
    await Promise.all([a.start(), b.start()]);
    await established(a);
    await waitFor(async () => (await b.routes("ipv4")).some((r) => r.prefix === "192.0.2.1/32"), { what: "the route" });
    const before = (await a.peers()).map(({ name, transitions }) => ({ name, transitions }));
    const same = async () => (await a.peers()).map(({ name, transitions }) => ({ name, transitions }));

    // Originated routes and policies: no session is touched.
    await a.announce({ prefix: "203.0.113.0/24", communities: ["65001:7"] });
    await waitFor(async () => (await b.routes("ipv4")).some((r) => r.prefix === "203.0.113.0/24"), {
      what: "the new route",
    });
    const policies = { "no-test-net": [{ match: { prefixes: ["203.0.113.0/24"] }, then: "reject" }] };
    const said = await a.reload({}, { file: { policies }, peers: { "10.0.0.2": { export: ["no-test-net"] } } });
    expect(said).toMatch(/refreshed out/);
    await waitFor(async () => !(await b.routes("ipv4")).some((r) => r.prefix === "203.0.113.0/24"), {
      what: "its end",
    });
    expect((await b.routes("ipv4")).some((r) => r.prefix === "192.0.2.1/32")).toBe(true);
    expect(await same()).toEqual(before);

    // A wrong file: refused as a whole, with the place; nothing changes.
    const broken = `${JSON.stringify({ asNumber: "x", control: { socket: a.socket } })}\n`;
    writeFileSync(a.file, broken);
    const refusal = await a.command("reload").then(
      () => "accepted",
      (error: unknown) => String(error),
    );
    expect(refusal).toMatch(/asNumber/);
    expect(await same()).toEqual(before);
    expect((await a.peers()).every((p) => p.state === "Established")).toBe(true);

    // SIGHUP, and a session's own parameter: that session alone begins anew.
    await a.reload({}, { peers: { "10.0.0.2": { timers: { hold: "30s", connectRetry: "1s", idleHold: "1s" } } } });
    await established(a);
    const after = await same();
    expect(after.find((p) => p.name === "2001:db8::2")).toEqual(before.find((p) => p.name === "2001:db8::2"));
    expect(after.find((p) => p.name === "10.0.0.2")?.transitions).toBe(2);
    await waitFor(() => left.pings("198.51.100.1", "192.0.2.1"), { what: "a ping after all that" });
  });

  it("a link that goes down takes its routes with it at once, and gives them back", async (context) => {
    await using lab = await Lab.create("daemon-link", context);
    const [node, near, far] = await lab.nodes("node", "near", "far");
    const [toNear] = await lab.link(node, near, { addresses: [["10.0.1.1/24"], ["10.0.1.2/24"]] });
    await lab.link(node, far, { addresses: [["10.0.2.1/24"], ["10.0.2.2/24"]] });
    const dut = new Starling(node, {
      asNumber: 65000,
      routerId: "10.0.2.1",
      peers: [{ address: "10.0.2.2", asNumber: 65000, routeReflectorClient: true }],
      kernel: true,
    });
    // The peer is on one link, the next hop of its route on the other: the session stands while the route must go.
    const other = new Starling(far, {
      asNumber: 65000,
      routerId: "10.0.2.2",
      peers: [{ address: "10.0.2.1", asNumber: 65000 }],
      routes: [{ prefix: "192.0.2.0/24", nextHop: "10.0.1.2" }],
    });
    await Promise.all([dut.start(), other.start()]);
    const present = async () => (await node.routes("ipv4")).some((r) => r.dst === "192.0.2.0/24");
    await waitFor(present, { what: "the route in the kernel" });
    await node.setLink(toNear, "down");
    const downAt = performance.now();
    await waitFor(
      async () => (await dut.routeViews("192.0.2.0/24")).every((r) => !r.best && /unreachable/.test(r.reason ?? "")),
      {
        what: "the route to be unreachable",
        interval: 5,
      },
    );
    console.log(`link down: seen as unreachable by a command ${(performance.now() - downAt).toFixed(0)} ms later`);
    expect(await present()).toBe(false);
    expect((await dut.sessions()).every((s) => s.established)).toBe(true);
    await node.setLink(toNear, "up");
    await waitFor(present, { what: "the route to come back" });
  });

  it("killed and started again, it takes no route away that it still wants, though a peer never comes back", async (context) => {
    await using lab = await Lab.create("daemon-prune", context);
    const { left, a, b } = await pair(lab, {
      file: {
        kernel: { enabled: true, pruneAfter: "4s" },
        peers: [
          { address: "10.0.0.2", asNumber: 65002, timers: { connectRetry: "1s", idleHold: "1s" } },
          { address: "10.0.0.99", asNumber: 65002 },
        ],
      },
    });
    await Promise.all([a.start(), b.start()]);
    const present = async () => (await left.routes("ipv4")).some((r) => r.dst === "198.51.100.1");
    await waitFor(present, { what: "the route" });
    await a.kill();
    const monitor = left.spawn(["ip", "monitor", "route"], "monitor");
    await a.start();
    await waitFor(() => a.process.output().includes("restart finished"), { what: "routes to be selected" });
    // Past the time at which what is stale goes.
    await sleep(4000);
    expect(await present()).toBe(true);
    expect(
      monitor
        .output()
        .split("\n")
        .filter((line) => /^Deleted .* proto bird/.test(line)),
    ).toEqual([]);
  });

  it("without a file it serves at once as an ordinary user, and says what is running and what to try", async (context) => {
    await built();
    await using lab = await Lab.create("daemon-default", context);
    const node = await lab.node("node");
    await node.ip("link", "set", "dev", "lo", "up");
    const folder = mkdtempSync(join(tmpdir(), "starling-default-"));
    chownSync(folder, 65534, 65534);
    const socket = join(folder, "starling.sock");
    const executable = new URL("../../bin/starling.mjs", import.meta.url).pathname;
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"];
    const run = [process.execPath, executable, "run", "--socket", socket];
    const daemon = node.spawn([...nobody, ...run], "starling");
    await waitFor(() => daemon.output().includes("Try in another terminal"), { what: "the first screen" });
    for (const words of ["AS 64512", "0.0.0.0:1790", "CAP_NET_BIND_SERVICE", "--kernel", "http://127.0.0.1:9179"])
      expect(daemon.output()).toContain(words);
    expect(daemon.output().match(/starling (show|config)/g)).toHaveLength(3);
    const command = (...words: string[]) => node.exec([process.execPath, executable, ...words, "--socket", socket]);
    expect(JSON.parse(await command("show", "summary", "--json"))).toMatchObject({ asNumber: 64512 });
    // A terminal that is closed takes it along: there is no file that SIGHUP could have it read again.
    expect(await daemon.stop("SIGHUP")).toBe(0);
  });

  it("without CAP_NET_ADMIN it says so and reflects, as an ordinary user on a high port", async (context) => {
    await using lab = await Lab.create("daemon-user", context);
    const node = await lab.node("node");
    await node.ip("link", "set", "dev", "lo", "up");
    const folder = mkdtempSync(join(tmpdir(), "starling-user-"));
    chownSync(folder, 65534, 65534);

    const file = join(folder, "starling.yaml");
    const socket = join(folder, "starling.sock");
    const configuration = {
      asNumber: 65000,
      routerId: "10.0.0.1",
      listen: { addresses: ["127.0.0.1"], port: 1790 },
      control: { socket },
      http: false,
      log: { format: "json" },
      originate: [{ prefix: "192.0.2.0/24", blackhole: true }],
    };
    writeFileSync(file, JSON.stringify(configuration));
    const nobody = [
      "setpriv",
      "--reuid=65534",
      "--regid=65534",
      "--clear-groups",
      "--inh-caps=-all",
      "--bounding-set=-all",
    ];
    const executable = new URL("../../bin/starling.mjs", import.meta.url).pathname;
    const daemon = node.spawn([...nobody, process.execPath, executable, "run", "-c", file], "starling");
    const summary = await waitFor(
      async () =>
        JSON.parse(await node.exec([process.execPath, executable, "show", "summary", "--json", "--socket", socket])),
      { what: "starling to answer" },
    );
    expect(summary.kernel).toMatchObject({ enabled: false, reason: expect.stringContaining("CAP_NET_ADMIN") });
    expect(summary.prefixes.ipv4).toBe(1);
    await daemon.stop("SIGTERM");
  });
});
