/** What the lab shows, step by step: a network that starling built, and what becomes of it when a node's daemon ends. */

import type { Paint } from "../src/cli/terminal.ts";
import type { Lab } from "../test/harness/netns.ts";
import { waitFor } from "../test/harness/wait-for.ts";
import { Bird } from "./bird.ts";
import { nodeConfiguration, reflectorConfiguration, torConfiguration } from "./configuration.ts";
import { handsOn } from "./hands-on.ts";
import { LabError } from "./lab-error.ts";
import { type PingCount, Pings, pingsPerSecond } from "./pings.ts";
import type { Programs } from "./programs.ts";
import { RouteWatch } from "./route-watch.ts";
import type { Scenario, Story } from "./scenario.ts";
import { milliseconds, type Screen, seconds } from "./screen.ts";
import { sessionsEstablished } from "./sessions.ts";
import { Starling } from "./starling.ts";
import { buildNetwork, type LabNetwork, nodeA, nodeB, plan } from "./topology.ts";

/** SIGTERM makes it say good-bye to its peers: that is how this lab shuts a node down. */
const polite = ["--cease-on-exit"];

/** A withdrawn route must be out of the other node's kernel within this time. */
const goneWithin = 1000;

export class RackStory implements Story {
  /** What was measured, for the summary. */
  readonly measured: [what: string, value: string][] = [];
  readonly #programs: Programs;
  readonly #screen: Screen;
  readonly #lab: Lab;
  readonly #pings: number;
  readonly #downtime: number;
  #building: Promise<LabNetwork> | undefined;

  constructor(...[screen, lab, programs, { fast }]: Parameters<Scenario["story"]>) {
    this.#screen = screen;
    this.#lab = lab;
    this.#programs = programs;
    this.#pings = fast ? 20 : 100;
    this.#downtime = fast ? 500 : 2000;
  }

  /** Throws at the first step that does not hold. */
  async tell(): Promise<(paint: Paint) => string> {
    const network = await this.#build();
    const watch = new RouteWatch(network.nodeA, this.#programs);
    const started = Date.now();
    const first = new Starling(network.nodeA, this.#programs, (socket) => nodeConfiguration(nodeA, socket), polite);
    const second = new Starling(network.nodeB, this.#programs, (socket) => nodeConfiguration(nodeB, socket), polite);
    const reflector = new Starling(network.reflector, this.#programs, reflectorConfiguration, polite);
    const speakers = [first, second, reflector];
    const birdc = await this.#sessions(network, speakers, started);
    await this.#kernelRoutes(network, watch, first, started);
    await this.#ping(network, "pod-a to pod-b", nodeB.podAddress);
    await this.#ping(network, "pod-a to the server", plan.server);
    await this.#kill(network, watch, second, reflector);
    await this.#shutDown(network, watch, second, reflector);
    await this.#comeBack(network, watch, second);
    return (paint) => handsOn({ network, speakers, birdc }, paint);
  }

  /** Resolves when no namespace is being made (any more): only then can all of them be removed. */
  async settled(): Promise<void> {
    await this.#building?.catch(() => undefined);
  }

  async #build(): Promise<LabNetwork> {
    return await this.#screen.step("build the network", async (progress) => {
      this.#building = buildNetwork(this.#lab, progress.note);
      const network = await this.#building;
      progress.note("8 network namespaces, a switch, 7 cables");
      return network;
    });
  }

  async #sessions(network: LabNetwork, speakers: readonly Starling[], started: number): Promise<readonly string[]> {
    return await this.#screen.step("start the daemons, sessions come up", async (progress) => {
      progress.note("starling on node-a, node-b and reflector; BIRD on tor");
      for (const speaker of speakers) speaker.launch();
      const bird = new Bird(network.tor, this.#programs, torConfiguration());
      const [count] = await Promise.all([
        sessionsEstablished(speakers, started, progress, this.#screen.paint),
        bird.start(),
      ]);
      this.measured.push(["all sessions up, from the start of the daemons", seconds(Date.now() - started)]);
      progress.note(`${count} of ${count} established, as starling sees them; the tor runs BIRD`);
      return bird.birdc;
    });
  }

  async #kernelRoutes(network: LabNetwork, watch: RouteWatch, first: Starling, started: number): Promise<void> {
    await this.#screen.step("kernel routes on node-a", async (progress) => {
      const wanted = [
        `blackhole ${nodeA.block}`,
        `${nodeB.block} via ${nodeB.address}`,
        `${plan.servers} via ${plan.tor}`,
      ];
      const routes = await waitFor(
        async () => {
          const text = await network.nodeA.ip("-4", "route", "show");
          const written = text.split(/\s*\n/).filter((line) => line.endsWith(" proto bird"));
          progress.show(written);
          return wanted.every((start) => written.some((line) => line.startsWith(start))) && written;
        },
        { what: `node-a's kernel to have ${wanted.join(", ")}` },
      );
      const { at } = await watch.next(started, nodeB.block, "added");
      this.measured.push(["node-b's block in node-a's kernel, likewise", seconds(at - started)]);
      const [learnt] = await first.routes({ origin: "kernel" });
      if (learnt?.prefix !== `${nodeA.podAddress}/32`) throw new LabError("node-a has not learnt its pod's route");
      progress.keep(...routes);
      progress.note(`${routes.length} written; learnt from the kernel: ${learnt.prefix} dev ${nodeA.podInterface}`);
    });
  }

  async #ping(network: LabNetwork, title: string, address: string): Promise<void> {
    await this.#screen.step(`ping ${title}`, async (progress) => {
      progress.note(`${this.#pings} packets, ${pingsPerSecond} a second`);
      const count = await new Pings(network.podA, this.#programs, address, { count: this.#pings }).ended();
      if (count.received !== count.sent) throw new LabError(`${title}: ${described(count)}`);
      progress.note(described(count));
    });
  }

  /** RFC 4724: a daemon that dies without a word leaves its routes behind, in its own kernel and with its peers. */
  async #kill(network: LabNetwork, watch: RouteWatch, second: Starling, reflector: Starling): Promise<void> {
    await this.#screen.step("kill -9 on node-b, start it again", async (progress) => {
      const pings = new Pings(network.podA, this.#programs, nodeB.podAddress);
      progress.note("pings go on");
      await pings.answers(10);
      const killed = Date.now();
      await second.kill();
      progress.note("node-b has no daemon; the reflector keeps its route as stale");
      await waitFor(() => isStale(reflector), { what: `the reflector to keep ${nodeB.block} as stale`, interval: 20 });
      await pings.answers((this.#downtime / 1000) * pingsPerSecond);
      progress.note("node-b starts again");
      await second.start();
      await waitFor(async () => (await allEstablished(second)) && (await isFresh(reflector)), {
        what: "node-b's sessions to come back and its route to be told again",
        timeout: 20_000,
      });
      const stale = Date.now() - killed;
      progress.note("back; pings go on");
      await pings.answers(pingsPerSecond / 2);
      const count = await pings.stop();
      const gone = watch.since(killed, nodeB.block).filter(({ kind }) => kind === "removed").length;
      if (count.received !== count.sent || gone > 0) {
        throw new LabError(`while node-b restarted: ${described(count)}; route at node-a removed ${gone} times`);
      }
      this.measured.push([`packets lost while node-b's route was stale, for ${seconds(stale)}`, `0 of ${count.sent}`]);
      progress.keep(
        "the reflector and the tor kept its route (graceful restart, RFC 4724); node-a's kernel route never went away",
      );
      progress.note(`its route stale for ${seconds(stale)}; ${described(count)}`);
    });
  }

  /** A Cease is good-bye: nobody waits for a node that says it. */
  async #shutDown(network: LabNetwork, watch: RouteWatch, second: Starling, reflector: Starling): Promise<void> {
    await this.#screen.step("shut node-b down", async (progress) => {
      const asked = Date.now();
      const exit = second.shutDown();
      progress.note("waiting for its route to go away");
      const removed = await watch.next(asked, nodeB.block, "removed");
      const seenByReflector = (await reflector.peers()).find((peer) => peer.name === nodeB.name)?.lastError;
      await exit;
      const time = removed.at - asked;
      if (time > goneWithin) throw new LabError(`its route stayed at node-a for ${milliseconds(time)}`);
      const pings = await new Pings(network.podA, this.#programs, nodeB.podAddress, { count: 5 }).ended();
      if (pings.received > 0) throw new LabError(`pod-b answered without a route: ${described(pings)}`);
      this.measured.push(["route gone from node-a's kernel, after SIGTERM at node-b", milliseconds(time)]);
      progress.keep(
        `node-a's kernel: deleted ${removed.route}`,
        `the reflector on node-b: ${seenByReflector ?? "no error"}`,
        `pod-a to pod-b: ${described(pings)}, as it should be`,
      );
      progress.note(`route gone from node-a's kernel after ${milliseconds(time)}`);
    });
  }

  async #comeBack(network: LabNetwork, watch: RouteWatch, second: Starling): Promise<void> {
    await this.#screen.step("start node-b again", async (progress) => {
      const started = Date.now();
      await second.start();
      progress.note("waiting for its route");
      const added = await watch.next(started, nodeB.block, "added");
      const pings = await new Pings(network.podA, this.#programs, nodeB.podAddress, { count: 10 }).ended();
      if (pings.received !== pings.sent) throw new LabError(`pod-a to pod-b: ${described(pings)}`);
      const time = seconds(added.at - started);
      this.measured.push(["route back in node-a's kernel, after node-b's start", time]);
      progress.note(`route back after ${time}; ${described(pings)}`);
    });
  }
}

async function isStale(reflector: Starling): Promise<boolean> {
  const [route] = await reflector.routes({ prefix: nodeB.block });
  if (route === undefined) throw new LabError(`the reflector dropped ${nodeB.block}`);
  return route.stale;
}

async function isFresh(reflector: Starling): Promise<boolean> {
  return !(await isStale(reflector));
}

async function allEstablished(speaker: Starling): Promise<boolean> {
  return (await speaker.peers()).every((peer) => peer.state === "Established");
}

function described({ sent, received, averageTime }: PingCount): string {
  const time = averageTime === undefined ? "" : `, ${averageTime.toFixed(2)} ms on average`;
  return `${sent} sent, ${received} received, ${sent - received} lost${time}`;
}
