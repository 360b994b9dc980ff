/** One node of the migration lab, whichever of the two speaks BGP on it. */

import { waitFor } from "../../test/harness/wait-for.ts";
import { Bird } from "../bird.ts";
import { starlingFile } from "../calico/resources.ts";
import { LabError } from "../lab-error.ts";
import type { Programs } from "../programs.ts";
import { Starling } from "../starling.ts";
import { birdOfCalico, meshName } from "./bird-of-calico.ts";
import { asNumber, type Member, meshNodes, pool } from "./network.ts";

/** BIRD takes its time: it tries again after five seconds, and ends a table three seconds after a restarted peer is back. */
const longest = 60_000;

export class NodeSpeaker {
  readonly member: Member;
  readonly starling: Starling;
  readonly bird: Bird;
  #runs: "bird" | "starling" | undefined;

  constructor(member: Member, programs: Programs, resources: string) {
    const { node, plan } = member;
    this.member = member;
    // -R, as Calico starts it: routes in the kernel are those of the run before.
    this.bird = new Bird(node, programs, birdOfCalico(plan, meshNodes, asNumber, pool), ["-R"]);
    this.starling = new Starling(node, programs, (socket) => starlingFile(plan.name, resources, node.folder, socket));
  }

  get name(): string {
    return this.member.plan.name;
  }

  get runs(): "bird" | "starling" | undefined {
    return this.#runs;
  }

  async startBird(): Promise<void> {
    await this.bird.start();
    this.#runs = "bird";
  }

  /** BIRD goes as runit lets it go: SIGKILL. */
  async toStarling(): Promise<void> {
    await this.bird.kill();
    this.#runs = undefined;
    await this.starling.start();
    this.#runs = "starling";
  }

  /** starling goes as kubelet asks it to: SIGTERM, upon which it says nothing to its peers. */
  async toBird(): Promise<void> {
    await this.starling.shutDown();
    this.#runs = undefined;
    await this.startBird();
  }

  /** Names of peers with which there is a session. */
  async established(): Promise<string[]> {
    if (this.#runs === "bird") {
      return [...(await this.bird.sessions())].flatMap(([name, state]) => (state === "Established" ? [name] : []));
    }
    const peers = await this.starling.peers();
    return peers.flatMap(({ name, state }) => (state === "Established" ? [name] : []));
  }

  /** Whether it keeps routes of a peer that has not told them again yet. */
  async hasStaleRoutes(): Promise<boolean> {
    // "(100s)": its preference, and the mark of a stale route.
    if (this.#runs === "bird") return /\(\d+-?s/.test(await this.bird.ask("show", "route"));
    return (await this.starling.routes({ origin: "peer" })).some(({ stale }) => stale);
  }
}

/** Every node has a session with every other one, and nothing that it knows is left over from before. */
export async function settled(speakers: readonly NodeSpeaker[]): Promise<void> {
  const names = speakers.map(({ member }) => meshName(member.plan.address));
  const missing = async () => {
    const perNode = await Promise.all(
      speakers.map(async (speaker) => {
        const own = meshName(speaker.member.plan.address);
        const there = new Set(await speaker.established());
        const lacks = names
          .filter((name) => name !== own && !there.has(name))
          .map((name) => `${speaker.name} lacks ${name}`);
        return (await speaker.hasStaleRoutes()) ? [...lacks, `${speaker.name} has stale routes`] : lacks;
      }),
    );
    return perNode.flat();
  };
  let last: readonly string[] = [];
  await waitFor(
    async () => {
      last = await missing();
      return last.length === 0;
    },
    { what: "the mesh to be whole", timeout: longest, interval: 200 },
  ).catch(() => {
    throw new LabError(`the mesh is not whole again after ${longest / 1000} s: ${last.join(", ")}`);
  });
}
