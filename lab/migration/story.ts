/** What the migration lab shows: BIRD's nodes become starling's one by one, and go back, while every packet between pods is counted. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Paint } from "../../src/cli/terminal.ts";
import { bird16 } from "../../test/harness/bird16.ts";
import type { Lab } from "../../test/harness/netns.ts";
import { waitFor } from "../../test/harness/wait-for.ts";
import { cluster, writeResources } from "../calico/resources.ts";
import { LabError } from "../lab-error.ts";
import { Pings } from "../pings.ts";
import type { Programs } from "../programs.ts";
import type { Scenario, Story } from "../scenario.ts";
import { type Screen, seconds } from "../screen.ts";
import { handsOn } from "./hands-on.ts";
import { buildMesh, calicoNodes, families, type Member, meshNodes, pools, type Release } from "./network.ts";
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
  readonly #wantsBird16: boolean;
  readonly #release: Release;
  /** Routes that BIRD took out of a kernel to put them in again: it has no way to replace one. */
  #gaps = 0;
  #building: Promise<Member[]> | undefined;

  constructor(...[screen, lab, programs, { fast, bird16: wantsBird16, release }]: Parameters<Scenario["story"]>) {
    this.#screen = screen;
    this.#lab = lab;
    this.#programs = programs;
    this.#changes = fast ? 2 : meshNodes.length;
    this.#pause = fast ? 500 : 2000;
    this.#wantsBird16 = wantsBird16;
    this.#release = release;
  }

  async tell(): Promise<(paint: Paint) => string> {
    const members = await this.#screen.step("build the network", async (progress) => {
      this.#building = buildMesh(this.#lab, this.#release);
      const built = await this.#building;
      progress.note("9 network namespaces: 4 nodes, 4 pods, a switch");
      return built;
    });
    const resources = writeResources(this.#lab.folder, cluster(calicoNodes, Object.values(pools)));
    const speakers = await this.#mesh(members, resources);
    const pairs = this.#traffic(members);
    const changing = speakers.slice(0, this.#changes);
    for (const speaker of changing) await this.#change(speaker, "starling", speakers, pairs);
    for (const speaker of changing.toReversed()) await this.#change(speaker, "BIRD", speakers, pairs);
    await this.#sum(pairs);
    return (paint) => handsOn(paint, this.#lab, speakers);
  }

  async settled(): Promise<void> {
    await this.#building?.catch(() => undefined);
  }

  async #mesh(members: readonly Member[], resources: string): Promise<NodeSpeaker[]> {
    return await this.#screen.step("a mesh of BIRD, as Calico runs it", async (progress) => {
      const old = this.#wantsBird16 ? await bird16() : undefined;
      if (this.#wantsBird16 && old === undefined) throw new LabError("BIRD 1.6 cannot be had from Debian's archive");
      const speakers = members.map((member) => new NodeSpeaker(member, this.#programs, resources, this.#release, old));
      progress.note("sessions come up");
      await Promise.all(speakers.map((speaker) => speaker.startBird()));
      await settled(speakers);
      for (const member of members) {
        await waitFor(() => isComplete(member), { what: `${member.plan.name}'s kernel routes` });
      }
      progress.note(
        `BIRD ${old === undefined ? "2" : "1.6"}, Calico ${this.#release}: 12 sessions; each kernel has all blocks`,
      );
      return speakers;
    });
  }

  /** Every pair of pods, in one direction: the answers are the other. */
  #traffic(members: readonly Member[]): Pair[] {
    return members.flatMap(({ pod }, i) =>
      members.slice(i + 1).flatMap((other) =>
        families.map((family) => ({
          title: `${pod.name} and ${other.pod.name}, ${family === "ipv4" ? "IPv4" : "IPv6"}`,
          pings: new Pings(pod, this.#programs, other.plan[family].podAddress, { rate }),
        })),
      ),
    );
  }

  async #change(
    speaker: NodeSpeaker,
    to: "starling" | "BIRD",
    speakers: readonly NodeSpeaker[],
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
        const removedBy = (who: "bird" | "starling") =>
          speakers.flatMap((one) =>
            one.runs === who ? one.removedSince(began).map((route) => `${one.name}: ${route}`) : [],
          );
        const [byStarling, byBird] = [removedBy("starling"), removedBy("bird")];
        if (byStarling.length > 0)
          throw new LabError(`starling took routes out of a kernel:\n${byStarling.join("\n")}`);
        this.#gaps += byBird.length;
        const gaps = byBird.length === 0 ? "" : `, by BIRD for a moment: ${byBird.length}`;
        progress.note(
          `whole again after ${seconds(took)}; routes taken out of kernels: 0${gaps}; packets lost: ${lost}`,
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
      this.measured.push([`packets lost, of all between each two pods`, `${lost} of ${sent}`]);
      progress.note(`${sent} sent, ${lost} lost`);
      // Each time BIRD 1.6 takes a route out to put it in again, the packets of that moment have none.
      const excused = this.#gaps * families.length;
      if (lost > excused)
        throw new LabError(`${lost} of ${sent} packets were lost on the way from BIRD to starling and back`);
    });
  }
}

/** Its own blocks as blackholes, and each other one by its node. */
async function isComplete({ node, plan }: Member): Promise<boolean> {
  const tables = await Promise.all(families.map((family) => node.routes(family)));
  return families.every((family, i) =>
    meshNodes.every((other) =>
      tables[i]?.some(({ dst, type, gateway, protocol }) => {
        const isRight = other === plan ? type === blackhole : gateway === other[family].address;
        return dst === other[family].block && isRight && protocol === birdProtocol;
      }),
    ),
  );
}
