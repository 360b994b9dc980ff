/** Restarts that lose no packet (RFC 4724), and routes that outlive a longer one (RFC 9494). */

import { expect, type TestContext } from "vitest";
import type { PeerDaemon } from "../../harness/daemons/catalogue.ts";
import type { SeenRoute, Speaker } from "../../harness/daemons/speaker.ts";
import type { Feature } from "../../harness/interop-suite.ts";
import type { LabNode } from "../../harness/lab-node.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { here, makePair, otherAs, type Pair, pathsOf, routeFrom, there } from "./pair.ts";

const ownPrefix = "198.51.100.0/24";
const ownHost = "198.51.100.1";
const otherPrefix = "192.0.2.0/24";
const otherHost = "192.0.2.1";
const llgrStale = "65535:6";

/** A workload behind each node, and routes between them in both kernels. */
async function restartPair(daemon: PeerDaemon, name: string, context: TestContext, restart: object): Promise<Pair> {
  const pair = await makePair(daemon, name, context, {
    session: { gracefulRestart: 60, ...restart },
    starling: { kernel: true, routes: [{ prefix: ownPrefix }] },
    other: { kernel: true, routes: [{ prefix: otherPrefix }] },
  });
  await pair.starlingNode.stub("workload", `${ownHost}/32`);
  await pair.otherNode.stub("workload", `${otherHost}/32`);
  // They leave the kernel to another program, which would have kept the route through the restart.
  if (daemon === "gobgp" || daemon === "exabgp") await pair.otherNode.ip("route", "add", ownPrefix, "via", here);
  await pair.establish();
  await routeFrom(pair.starling, otherPrefix, there);
  await routeFrom(pair.other, ownPrefix, here);
  return pair;
}

/** A packet each 10 ms until it is stopped; the way there and back lies in both kernels. */
class Pings {
  readonly #process: ReturnType<LabNode["spawn"]>;

  private constructor(node: LabNode) {
    this.#process = node.spawn(["ping", "-n", "-i", "0.01", "-I", ownHost, otherHost], "pings");
  }

  static async start(node: LabNode): Promise<Pings> {
    await waitFor(() => node.pings(otherHost, ownHost), { what: "a first ping through both kernels" });
    return new Pings(node);
  }

  async stop(): Promise<{ sent: number; lost: number }> {
    await this.#process.stop("SIGINT");
    const [, sent = "0", received = "0"] =
      /(\d+) packets transmitted, (\d+) received/.exec(this.#process.output()) ?? [];
    return { sent: Number(sent), lost: Number(sent) - Number(received) };
  }
}

const isStale = async (pair: Pair) => {
  const views = await pair.starling.routeViews("--peer", there);
  return views.find((view) => view.prefix === otherPrefix)?.stale;
};

async function sessionNumber(pair: Pair, transitions: number): Promise<void> {
  await waitFor(
    async () => {
      const view = await pair.view();
      return view.state === "Established" && view.transitions === transitions;
    },
    { what: `session number ${transitions}`, timeout: 40_000 },
  );
}

const endOfRibOnly = { openbgpd: "it has the End-of-RIB marker alone" };
const noTable = { exabgp: "it is no router: it keeps no routes" };

const otherRestarts: Feature = {
  name: "graceful restart: the other daemon is killed and comes back, no packet lost",
  unsupported: endOfRibOnly,
  timeout: 90_000,
  async test(daemon, context) {
    await using pair = await restartPair(daemon, "grhelper", context, {});
    const pings = await Pings.start(pair.starlingNode);
    await pair.other.kill();
    await waitFor(() => isStale(pair), { what: "its routes to be stale" });
    expect((await pair.view()).state).not.toBe("Established");
    expect(await pair.starlingNode.routes("ipv4")).toContainEqual(
      expect.objectContaining({ dst: otherPrefix, gateway: there }),
    );
    await pair.other.start();
    await sessionNumber(pair, 2);
    await waitFor(async () => (await isStale(pair)) === false, { what: "its routes to be fresh again" });
    await routeFrom(pair.other, ownPrefix, here);
    // Whatever the end of the restart removes would have been removed by then.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const { sent, lost } = await pings.stop();
    expect(sent).toBeGreaterThan(100);
    expect(lost).toBe(0);
  },
};

const starlingRestarts: Feature = {
  name: "graceful restart: starling is killed, then stopped, and comes back each time, no packet lost",
  unsupported: { ...endOfRibOnly, ...noTable },
  timeout: 90_000,
  async test(daemon, context) {
    await using pair = await restartPair(daemon, "grrestart", context, {});
    const pings = await Pings.start(pair.starlingNode);
    for (const end of ["kill", "stop"] as const) {
      await pair.starling[end]();
      await waitFor(async () => (await pair.other.sessions()).every((session) => !session.established), {
        what: `${daemon} to notice`,
      });
      expect(await pathsOf(pair.other, ownPrefix)).toHaveLength(1);
      await pair.starling.start();
      await pair.established();
      await routeFrom(pair.starling, otherPrefix, there);
      await waitFor(async () => (await pair.starling.kernel()).every((route) => route.state === "ok"), {
        what: "the kernel to be in order",
      });
      await new Promise((resolve) => setTimeout(resolve, 1000));
      expect(await pathsOf(pair.other, ownPrefix)).toHaveLength(1);
    }
    const { sent, lost } = await pings.stop();
    expect(sent).toBeGreaterThan(100);
    expect(lost).toBe(0);
  },
};

const noLongLived = { openbgpd: "it does not have it", exabgp: "it does not have it" };
const longLived = { gracefulRestart: 2, longLived: 60 };

const staleAt = (speaker: Speaker, prefix: string, peer: string): Promise<SeenRoute> =>
  waitFor(
    async () => {
      const path = (await pathsOf(speaker, prefix)).find((candidate) => candidate.peer === peer);
      return path?.communities.includes(llgrStale) && path;
    },
    { what: `${prefix} to be long-lived stale at ${speaker.daemon}`, timeout: 15_000 },
  );

const freshAt = (speaker: Speaker, prefix: string, peer: string): Promise<unknown> =>
  waitFor(
    async () =>
      (await pathsOf(speaker, prefix)).some((path) => path.peer === peer && !path.communities.includes(llgrStale)),
    { what: `${prefix} to be fresh at ${speaker.daemon}`, timeout: 15_000 },
  );

const longLivedHelper: Feature = {
  name: "long-lived graceful restart (RFC 9494): starling keeps the other's routes as a last resort",
  unsupported: noLongLived,
  timeout: 90_000,
  async test(daemon, context) {
    await using pair = await restartPair(daemon, "llhelper", context, longLived);
    expect((await pair.view()).negotiated?.longLivedGracefulRestart).toBe(true);
    await pair.other.kill();
    await staleAt(pair.starling, otherPrefix, there);
    expect(await isStale(pair)).toBe(true);
    expect(await pair.starlingNode.routes("ipv4")).toContainEqual(expect.objectContaining({ dst: otherPrefix }));
    await pair.other.start();
    await sessionNumber(pair, 2);
    await freshAt(pair.starling, otherPrefix, there);
    expect(await isStale(pair)).toBe(false);
  },
};

const longLivedRestarter: Feature = {
  name: "long-lived graceful restart (RFC 9494): the other daemon keeps starling's routes as a last resort",
  unsupported: noLongLived,
  timeout: 90_000,
  async test(daemon, context) {
    await using pair = await restartPair(daemon, "llrestart", context, longLived);
    await pair.starling.kill();
    await staleAt(pair.other, ownPrefix, here);
    await pair.starling.start();
    await pair.established();
    await freshAt(pair.other, ownPrefix, here);
  },
};

const notification: Feature = {
  name: "graceful restart with notifications (RFC 8538): a peer's options change, and no packet is lost",
  unsupported: { bird: "it does not have the N bit: a NOTIFICATION ends the routes" },
  timeout: 90_000,
  async test(daemon, context) {
    await using pair = await restartPair(daemon, "grnotify", context, {});
    expect((await pair.view()).negotiated?.gracefulRestart).toMatchObject({ notification: true });
    const pings = await Pings.start(pair.starlingNode);
    await pair.starling.reload({
      peers: [{ address: there, localAddress: here, asNumber: otherAs, gracefulRestart: 60, holdTime: 30 }],
    });
    await sessionNumber(pair, 2);
    expect((await pair.view()).negotiated?.holdTime).toBe(30);
    await waitFor(async () => (await isStale(pair)) === false, { what: "its routes to be fresh again" });
    await routeFrom(pair.other, ownPrefix, here);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const { sent, lost } = await pings.stop();
    expect(sent).toBeGreaterThan(50);
    expect(lost).toBe(0);

    // A reset by the operator is a hard one: the routes go.
    await pair.starling.command("peer", there, "reset");
    await waitFor(async () => (await pathsOf(pair.other, ownPrefix)).length === 0, {
      what: "starling's routes to go",
      interval: 10,
    });
    await sessionNumber(pair, 3);
    await routeFrom(pair.other, ownPrefix, here);
  },
};

/** Of the daemons that know it. */
export const notificationFeatures: readonly Feature[] = [notification];

export const restartFeatures: readonly Feature[] = [
  otherRestarts,
  starlingRestarts,
  longLivedHelper,
  longLivedRestarter,
];
