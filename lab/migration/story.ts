/** What the migration lab shows: BIRD's nodes become starling's one by one, and go back, while every packet between pods is counted. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Paint } from "../../src/cli/terminal.ts";
import type { Lab } from "../../test/harness/netns.ts";
import { waitFor } from "../../test/harness/wait-for.ts";
import { cluster, writeResources } from "../calico/resources.ts";
import { LabError } from "../lab-error.ts";
import { Pings } from "../pings.ts";
import type { Programs } from "../programs.ts";
import { RouteWatch } from "../route-watch.ts";
import type { Scenario, Story } from "../scenario.ts";
import { type Screen, seconds } from "../screen.ts";
import { handsOn } from "./hands-on.ts";
import { buildMesh, type Member, meshNodes, pool } from "./network.ts";
import { NodeSpeaker, settled } from "./speaker.ts";

/**
 * Packets a second for every pair of pods; each goes there and comes back, so it counts both ways. ping sleeps by the kernel's tick
 * when it has 10 ms or more, and comes to 60 where 100 are asked for.
 */
const rate = 110;
/** RTPROT_BIRD and RTN_BLACKHOLE, as `ip -N` prints them. */
const birdProtocol = "12";
const blackhole = "6";

interface Pair {
  readonly title: string;
  readonly pings: Pings;
}

export class MigrationStory implements Story {
  readonly measured: [what: string, value: string][] = [];
  readonly #screen: Screen;
  readonly #lab: Lab;
  readonly #programs: Programs;
  /** How many nodes change hands. */
  readonly #changes: number;
  /** Packets go on for so long after each change, in milliseconds. */
  readonly #pause: number;
  #building: Promise<Member[]> | undefined;

  constructor(...[screen, lab, programs, { fast }]: Parameters<Scenario["story"]>) {
    this.#screen = screen;
    this.#lab = lab;
    this.#programs = programs;
    this.#changes = fast ? 2 : meshNodes.length;
    this.#pause = fast ? 500 : 2000;
  }

  async tell(): Promise<(paint: Paint) => string> {
    const members = await this.#screen.step("build the network", async (progress) => {
      this.#building = buildMesh(this.#lab);
      const built = await this.#building;
      progress.note("9 network namespaces: 4 nodes, 4 pods, a switch");
      return built;
    });
    const resources = writeResources(this.#lab.folder, cluster(meshNodes, pool));
    const speakers = members.map((member) => new NodeSpeaker(member, this.#programs, resources));
    await this.#mesh(speakers);
    const watches = members.map(({ node }) => new RouteWatch(node, this.#programs));
    const pairs = this.#traffic(members);
    const changing = speakers.slice(0, this.#changes);
    for (const speaker of changing) await this.#change(speaker, "starling", speakers, watches, pairs);
    for (const speaker of changing.toReversed()) await this.#change(speaker, "BIRD", speakers, watches, pairs);
    await this.#sum(pairs);
    return (paint) => handsOn(paint, this.#lab, speakers);
  }

  async settled(): Promise<void> {
    await this.#building?.catch(() => undefined);
  }

  async #mesh(speakers: readonly NodeSpeaker[]): Promise<void> {
    await this.#screen.step("a mesh of BIRD, as Calico runs it", async (progress) => {
      await Promise.all(speakers.map((speaker) => speaker.startBird()));
      await settled(speakers);
      for (const { member } of speakers)
        await waitFor(() => isComplete(member), { what: `${member.plan.name}'s kernel routes` });
      progress.note("6 sessions; each kernel has its own block and the three others");
    });
  }

  /** Every pair of pods, in one direction: the answers are the other. */
  #traffic(members: readonly Member[]): Pair[] {
    return members.flatMap(({ pod }, i) =>
      members.slice(i + 1).map((other) => ({
        title: `${pod.name} and ${other.pod.name}`,
        pings: new Pings(pod, this.#programs, other.plan.podAddress, { rate }),
      })),
    );
  }

  async #change(
    speaker: NodeSpeaker,
    to: "starling" | "BIRD",
    speakers: readonly NodeSpeaker[],
    watches: readonly RouteWatch[],
    pairs: readonly Pair[],
  ): Promise<void> {
    await this.#screen.step(
      `${speaker.name}: ${to === "BIRD" ? "back to BIRD" : "from BIRD to starling"}`,
      async (progress) => {
        const began = Date.now();
        progress.note("the one that runs ends");
        await (to === "BIRD" ? speaker.toBird() : speaker.toStarling());
        progress.note(`${to} runs; waiting for its sessions, and for routes that are kept for it to be told again`);
        await settled(speakers);
        const took = Date.now() - began;
        await sleep(this.#pause);
        for (const { member } of speakers) {
          if (!(await isComplete(member))) throw new LabError(`${member.plan.name}'s kernel has lost routes`);
        }
        const lost = pairs.reduce((sum, { pings }) => sum + pings.lost(), 0);
        const removed = watches.flatMap((watch) =>
          meshNodes.flatMap(({ block }) => watch.since(began, block).filter(({ kind }) => kind === "removed")),
        );
        progress.keep(...removed.map(({ route }) => `removed for a moment: ${route}`));
        progress.note(
          `whole again after ${seconds(took)}; routes removed from a kernel: ${removed.length}; packets lost: ${lost}`,
        );
        this.measured.push([`${speaker.name} to ${to}, until every session is back and told`, seconds(took)]);
      },
    );
  }

  async #sum(pairs: readonly Pair[]): Promise<void> {
    await this.#screen.step("count the packets", async (progress) => {
      let sent = 0;
      let lost = 0;
      for (const { title, pings } of pairs) {
        const count = await pings.stop();
        sent += count.sent;
        lost += count.sent - count.received;
        progress.keep(`${title}: ${count.sent} sent, ${count.sent - count.received} lost`);
      }
      this.measured.push([`packets lost, of all between ${pairs.length} pairs of pods`, `${lost} of ${sent}`]);
      progress.note(`${sent} sent, ${lost} lost`);
      if (lost > 0)
        throw new LabError(`${lost} of ${sent} packets were lost on the way from BIRD to starling and back`);
    });
  }
}

/** Its own block as a blackhole, and each other one by its node. */
async function isComplete({ node, plan }: Member): Promise<boolean> {
  const routes = await node.routes("ipv4");
  return meshNodes.every(({ address, block }) =>
    routes.some(({ dst, type, gateway, protocol }) => {
      const isRight = block === plan.block ? type === blackhole : gateway === address;
      return dst === block && isRight && protocol === birdProtocol;
    }),
  );
}
