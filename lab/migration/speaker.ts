/** One node of the migration lab, whichever of the two speaks BGP on it. */

import type { Bird16 } from "../../test/harness/bird16.ts";
import { waitFor } from "../../test/harness/wait-for.ts";
import { Bird } from "../bird.ts";
import { starlingFile } from "../calico/resources.ts";
import { LabError } from "../lab-error.ts";
import type { Programs } from "../programs.ts";
import { RouteWatch } from "../route-watch.ts";
import { Starling } from "../starling.ts";
import { birdOfCalico, meshName } from "./bird-of-calico.ts";
import { families, type Member, meshNodes, type Release } from "./network.ts";

/** BIRD takes its time: it tries again after five seconds, and ends a table three seconds after a restarted peer is back. */
const longest = 60_000;

export class NodeSpeaker {
  readonly member: Member;
  readonly starling: Starling;
  /** Calico has one for each family. */
  readonly birds: readonly Bird[];
  readonly #watch: RouteWatch;
  #runs: "bird" | "starling" | undefined;

  /** `bird16`: instead of the installed one. */
  constructor(member: Member, programs: Programs, resources: string, release: Release, bird16: Bird16 | undefined) {
    const { node, plan } = member;
    this.member = member;
    this.#watch = new RouteWatch(node, programs);
    const version = bird16 === undefined ? "2" : "1.6";
    // -R, as Calico starts it: routes in the kernel are those of the run before.
    const options = ["-R"];
    this.birds = [
      new Bird(node, programs, birdOfCalico(plan, "ipv4", version, release), {
        options,
        program: bird16?.bird ?? "bird",
      }),
      new Bird(node, programs, birdOfCalico(plan, "ipv6", version, release), {
        name: "bird6",
        options,
        program: bird16?.bird6 ?? "bird",
      }),
    ];
    this.starling = new Starling(node, programs, (socket) =>
      starlingFile(plan.name, resources, node.folder, socket, { release }),
    );
  }

  get name(): string {
    return this.member.plan.name;
  }

  /** Who speaks on it. */
  get runs(): "bird" | "starling" | undefined {
    return this.#runs;
  }

  /** Routes to blocks that its kernel was made to drop since then, if only to have them again. */
  removedSince(moment: number): readonly string[] {
    return meshNodes.flatMap((plan) =>
      families.flatMap((family) =>
        this.#watch.since(moment, plan[family].block).flatMap(({ kind, route }) => (kind === "removed" ? [route] : [])),
      ),
    );
  }

  async startBird(): Promise<void> {
    await Promise.all(this.birds.map((bird) => bird.start()));
    this.#runs = "bird";
  }

  /** BIRD goes as runit lets it go: SIGKILL. */
  async toStarling(): Promise<void> {
    await Promise.all(this.birds.map((bird) => bird.kill()));
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
      const sessions = await Promise.all(this.birds.map((bird) => bird.sessions()));
      return sessions.flatMap((one) => [...one].flatMap(([name, state]) => (state === "Established" ? [name] : [])));
    }
    const peers = await this.starling.peers();
    return peers.flatMap(({ name, state }) => (state === "Established" ? [name] : []));
  }

  /** Whether it keeps routes of a peer that has not told them again yet. */
  async hasStaleRoutes(): Promise<boolean> {
    // "(100s)": its preference, and the mark of a stale route.
    if (this.#runs === "bird") {
      const tables = await Promise.all(this.birds.map((bird) => bird.ask("show", "route")));
      return tables.some((table) => /\(\d+-?s/.test(table));
    }
    return (await this.starling.routes({ origin: "peer" })).some(({ stale }) => stale);
  }
}

/** Every node has a session with every other one, and nothing that it knows is left over from before. */
export async function settled(speakers: readonly NodeSpeaker[]): Promise<void> {
  const namesOf = ({ member }: NodeSpeaker) => families.map((family) => meshName(member.plan[family].address));
  const missing = async () => {
    const perNode = await Promise.all(
      speakers.map(async (speaker) => {
        const there = new Set(await speaker.established());
        const lacks = speakers
          .flatMap((other) => (other === speaker ? [] : namesOf(other)))
          .filter((name) => !there.has(name))
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
