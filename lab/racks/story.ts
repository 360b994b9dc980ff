/** What the lab of two racks shows: a cluster without a mesh comes up, and goes on without a reflector, and without a switch. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Paint } from "../../src/cli/terminal.ts";
import type { Lab } from "../../test/harness/netns.ts";
import { waitFor } from "../../test/harness/wait-for.ts";
import { Bird } from "../bird.ts";
import { starlingFile, writeResources } from "../calico/resources.ts";
import { LabError } from "../lab-error.ts";
import { Pings, pingsPerSecond } from "../pings.ts";
import type { Programs } from "../programs.ts";
import type { Scenario, Story } from "../scenario.ts";
import { milliseconds, type Screen, seconds } from "../screen.ts";
import { Starling } from "../starling.ts";
import { handsOn } from "./hands-on.ts";
import { buildRacks, podOf, type RackNetwork, rackInterface, racks, spineInterface } from "./network.ts";
import { rackResources } from "./resources.ts";
import { switchConfiguration } from "./switches.ts";

export class RacksStory implements Story {
  readonly measured: [what: string, value: string][] = [];
  readonly #screen: Screen;
  readonly #lab: Lab;
  readonly #programs: Programs;
  /** How long what fails stays away, in milliseconds. */
  readonly #away: number;
  readonly #speakers = new Map<string, Starling>();
  readonly #switches = new Map<string, Bird>();
  #building: Promise<RackNetwork> | undefined;

  constructor(...[screen, lab, programs, { fast }]: Parameters<Scenario["story"]>) {
    this.#screen = screen;
    this.#lab = lab;
    this.#programs = programs;
    this.#away = fast ? 1000 : 5000;
  }

  async tell(): Promise<(paint: Paint) => string> {
    const network = await this.#screen.step("build the network", async (progress) => {
      this.#building = buildRacks(this.#lab, progress.note);
      const built = await this.#building;
      progress.note("two racks of 2 nodes, 2 reflectors and 2 switches; 4 pods");
      return built;
    });
    await this.#sessions(network);
    await this.#kernelRoutes(network);
    await this.#reflector(network);
    await this.#switch(network);
    return (paint) => handsOn(paint, this.#lab, [...this.#speakers.values()], [...this.#switches.values()]);
  }

  async settled(): Promise<void> {
    await this.#building?.catch(() => undefined);
  }

  async #sessions(network: RackNetwork): Promise<void> {
    await this.#screen.step("start the daemons, sessions come up", async (progress) => {
      progress.note("starling on nodes and reflectors; BIRD on the switches");
      const started = Date.now();
      const resources = writeResources(this.#lab.folder, rackResources());
      for (const rack of racks) {
        for (const { name, clusterId } of [...rack.workers, ...rack.reflectors]) {
          const node = network.at(name);
          const role = clusterId === undefined ? "node" : "route-reflector";
          const file = (socket: string) => starlingFile(name, resources, node.folder, socket, { role });
          this.#speakers.set(name, new Starling(node, this.#programs, file));
        }
        for (const tor of rack.switches) {
          this.#switches.set(tor.name, new Bird(network.at(tor.name), this.#programs, switchConfiguration(tor, rack)));
        }
      }
      await Promise.all([...this.#speakers.values(), ...this.#switches.values()].map((daemon) => daemon.start()));
      const counts = await this.#whole();
      this.measured.push(["all sessions up, from the start of the daemons", seconds(Date.now() - started)]);
      const total = counts.reduce((sum, { count }) => sum + count, 0);
      progress.keep(...counts.map(({ name, count, words }) => `${name.padEnd(13)} ${count}: ${words}`));
      progress.note(`${total} of ${total} established, as starling sees them`);
    });
  }

  /** Resolves when each session that Calico's resources ask for is established, and nothing is left over from before. */
  async #whole(): Promise<{ readonly name: string; readonly count: number; readonly words: string }[]> {
    return await waitFor(
      async () => {
        const rows = await Promise.all(
          [...this.#speakers.values()].map(async (speaker) => {
            const peers = await speaker.peers();
            const stale = (await speaker.routes({ origin: "peer" })).some((route) => route.stale);
            const isWhole = !stale && peers.length >= 4 && peers.every(({ state }) => state === "Established");
            return {
              name: speaker.name,
              count: peers.length,
              isWhole,
              words: peers.map(({ name }) => name).join(", "),
            };
          }),
        );
        return rows.every(({ isWhole }) => isWhole) && rows;
      },
      { what: "all sessions to be established", timeout: 60_000, interval: 100 },
    );
  }

  async #kernelRoutes(network: RackNetwork): Promise<void> {
    await this.#screen.step("kernel routes on node-11", async (progress) => {
      const written = await waitFor(
        async () => {
          const routes = await network.at("node-11").ip("-4", "route", "show", "proto", "bird");
          const lines = routes
            .trimEnd()
            .replaceAll(/\s*\n\t/g, "; ")
            .split(/ *\n/);
          progress.show(lines);
          return blocks.every((block) => lines.some((line) => line.includes(block))) && isSpread(lines) && lines;
        },
        { what: "node-11's kernel to know each block, those of rack 2 over both switches", timeout: 20_000 },
      );
      progress.keep(...written);
      progress.note(`${written.length} written`);
    });
  }

  /** Packets from each pod of rack 1 to its neighbour and to each pod of rack 2. */
  #traffic(network: RackNetwork): Pings[] {
    const [first, second] = racks;
    const [near] = first?.workers ?? [];
    const far = second?.workers ?? [];
    return (first?.workers ?? []).flatMap((worker) =>
      [...(worker === near ? [] : [near]), ...far].flatMap((target) =>
        target === undefined ? [] : [new Pings(network.at(podOf(worker.name)), this.#programs, target.podAddress)],
      ),
    );
  }

  async #reflector(network: RackNetwork): Promise<void> {
    await this.#screen.step("kill -9 on reflector-1a, start it again", async (progress) => {
      const traffic = this.#traffic(network);
      await Promise.all(traffic.map((pings) => pings.answers(10)));
      const speaker = this.#speakers.get("reflector-1a");
      await speaker?.kill();
      progress.note("its clients live on reflector-1b");
      await sleep(this.#away);
      await speaker?.start();
      progress.note("it runs again; waiting for its sessions");
      await this.#whole();
      const { sent, lost } = await count(traffic);
      this.measured.push(["packets lost while a reflector was away", `${lost} of ${sent}`]);
      progress.note(`${sent} sent, ${lost} lost`);
      if (lost > 0) throw new LabError(`${lost} of ${sent} packets were lost while a reflector was away`);
    });
  }

  /** Its power is gone: no link, no word. Half of the paths of rack 1 go over it. */
  async #switch(network: RackNetwork): Promise<void> {
    const tor = network.at("tor-1a");
    const address = racks[0]?.switches[0]?.inRack ?? "";
    const viaTor = async () =>
      (await network.at("node-11").ip("-4", "route", "show", "proto", "bird")).includes(address);
    await this.#screen.step("tor-1a loses its power", async (progress) => {
      const traffic = this.#traffic(network);
      await Promise.all(traffic.map((pings) => pings.answers(10)));
      const began = Date.now();
      for (const name of [rackInterface, spineInterface]) await tor.setLink(name, "down");
      await this.#switches.get("tor-1a")?.kill();
      progress.note("waiting for node-11 to route around it");
      await waitFor(async () => !(await viaTor()), { what: "node-11's kernel to leave tor-1a out", timeout: 20_000 });
      const took = Date.now() - began;
      await Promise.all(traffic.map((pings) => pings.answers(pingsPerSecond)));
      const { sent, lost, longest } = await count(traffic);
      this.measured.push(["node-11 routes around a switch without power", seconds(took)]);
      this.measured.push(["longest silence between two pods meanwhile", milliseconds(longest)]);
      progress.note(
        `out of node-11's kernel after ${seconds(took)}; ${sent} sent, ${lost} lost, longest silence ${milliseconds(longest)}`,
      );
    });
    await this.#screen.step("tor-1a is back", async (progress) => {
      const traffic = this.#traffic(network);
      await Promise.all(traffic.map((pings) => pings.answers(10)));
      for (const name of [rackInterface, spineInterface]) await tor.setLink(name, "up");
      await this.#switches.get("tor-1a")?.start();
      await this.#whole();
      await waitFor(viaTor, { what: "node-11's kernel to use tor-1a again", timeout: 20_000 });
      await Promise.all(traffic.map((pings) => pings.answers(pingsPerSecond)));
      const { sent, lost } = await count(traffic);
      this.measured.push(["packets lost while the switch came back", `${lost} of ${sent}`]);
      progress.note(`in node-11's kernel again; ${sent} sent, ${lost} lost`);
    });
  }
}

const blocks = racks.flatMap(({ workers }) => workers.map(({ block }) => block));

/** The other rack, and each block in it, is reached over both switches (ECMP). */
function isSpread(lines: readonly string[]): boolean {
  const [near, far] = racks;
  const wanted = [far?.subnet ?? "", ...(far?.workers ?? []).map(({ block }) => block)];
  return wanted.every((prefix) => {
    const line = lines.find((text) => text.startsWith(prefix)) ?? "";
    return (near?.switches ?? []).every(({ inRack }) => line.includes(inRack));
  });
}

/** `longest`: milliseconds without an answer, on the pair that fared worst. */
async function count(traffic: readonly Pings[]): Promise<{ sent: number; lost: number; longest: number }> {
  const counts = await Promise.all(traffic.map((pings) => pings.stop()));
  return {
    sent: counts.reduce((sum, { sent }) => sum + sent, 0),
    lost: counts.reduce((sum, { sent, received }) => sum + sent - received, 0),
    longest: (Math.max(...traffic.map((pings) => pings.longestGap())) * 1000) / pingsPerSecond,
  };
}
