/** The benchmark's programs in C: what they count and time must be right, or no figure of the benchmark is. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { buildNative, type NativeTools } from "../../bench/native/build.ts";
import { BlobFile } from "../../bench/table/blob-file.ts";
import { clientSet } from "../../bench/table/route-set.ts";
import { Family } from "../../src/bgp/model/family.ts";
import { built, executable, freePort } from "../harness/attacked-daemon.ts";
import { canMakeNetworks } from "../harness/netns.ts";
import { BackgroundProcess, findProgram, runCommand } from "../harness/process.ts";
import { waitFor } from "../harness/wait-for.ts";

const AS = 65_000;
const SESSIONS = 20;
const BLOCKS = 3;
const ALL = SESSIONS * BLOCKS;
/** Until every session has every route but its own. */
const CONVERGE = ["connect", "wait", `expect count=${ALL} except-own`, "send", "wait"];

interface Event {
  readonly event: string;
  readonly [name: string]: unknown;
}

/** The generator as a user at a terminal has it: lines in, lines out. */
class Load {
  readonly events: Event[] = [];
  readonly #child: ChildProcess;

  constructor(program: string) {
    this.#child = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) =>
      this.events.push(JSON.parse(line)),
    );
  }

  tell(...lines: readonly string[]): void {
    this.#child.stdin?.write(`${lines.join("\n")}\n`);
  }

  /** The next event of this name that was not asked for before. */
  async next(name: string): Promise<Event> {
    const find = () => this.events.findIndex(({ event }) => event === name);
    await waitFor(() => find() >= 0, { what: `${name} among ${JSON.stringify(this.events)}`, timeout: 20_000 });
    return this.events.splice(find(), 1)[0] as Event;
  }

  async stats(): Promise<Event> {
    this.tell("stats");
    return await this.next("stats");
  }

  async quit(): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.#child.once("exit", resolve));
    this.tell("quit");
    return await ended;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

describe.runIf(findProgram("cc", "gcc", "clang") !== undefined)("native tools of the benchmark", () => {
  let tools: NativeTools;
  let folder = "";
  let sessions: string[] = [];
  const loads: Load[] = [];
  const daemons: BackgroundProcess[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "starling-native-"));
    [tools] = await Promise.all([buildNative(), built()]);
    const file = new BlobFile(join(folder, "clients.blob"));
    sessions = Array.from({ length: SESSIONS }, (_, client) => {
      const set = clientSet(Family.Ipv4, client, BLOCKS);
      const blobs = { blob: file.announce([set]), again: file.announce([set]), withdraw: file.withdraw(set.prefixes) };
      const words = Object.entries(blobs).map(
        ([name, { file, offset, length }]) => `${name}=${file} offset=${offset} length=${length}`,
      );
      const host = client + 1;
      return `session local=127.9.0.${host} as=${AS} routerid=10.9.0.${host} receive=1 ${words.join(" ")}`;
    });
    file.close();
  });
  afterEach(async () => {
    for (const load of loads.splice(0)) load.kill();
    await Promise.all(daemons.splice(0).map((daemon) => daemon.stop("SIGKILL")));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function generator(port: number, lines: readonly string[] = sessions): Load {
    const load = new Load(tools.generator);
    loads.push(load);
    load.tell(`target address=127.0.0.1 port=${port}`, ...lines);
    return load;
  }

  async function relay(): Promise<number> {
    const port = await freePort();
    const options = ["--port", String(port), "--as", String(AS), "--sessions", String(SESSIONS)];
    daemons.push(new BackgroundProcess("relay", [tools.relay, ...options], join(folder, "relay.log")));
    return port;
  }

  async function starling(): Promise<number> {
    const port = await freePort();
    const configuration = {
      asNumber: AS,
      routerId: "10.0.0.1",
      listen: { addresses: ["127.0.0.1"], port },
      peers: [
        { range: "127.9.0.0/16", asNumber: AS, multihop: 64, gracefulRestart: false, routeReflectorClient: true },
      ],
      kernel: { enabled: false },
      control: { socket: join(folder, `${port}.sock`) },
    };
    const file = join(folder, `${port}.yaml`);
    writeFileSync(file, JSON.stringify(configuration));
    const command = [process.execPath, executable, "run", "-c", file];
    daemons.push(new BackgroundProcess("starling", command, join(folder, "starling.log")));
    return port;
  }

  it("counts what starling reflects, and again after drops", async () => {
    const load = generator(await starling());
    // Before the daemon listens: the first dials fail and are repeated.
    load.tell("connect window=8");
    expect(await load.next("established")).toMatchObject({ sessions: SESSIONS });

    load.tell(`expect count=${ALL} except-own`, "send");
    const converged = await load.next("converged");
    expect(converged["sent"]).toMatchObject({ updates: 2 * SESSIONS });
    expect(Number(converged["seconds"])).toBeGreaterThanOrEqual(Number(converged["firstSeconds"]));
    expect(await load.stats()).toMatchObject({ established: SESSIONS, minimum: ALL - BLOCKS, down: 0 });

    // Two are gone: the others hold that much less.
    load.tell("clock", "drop sessions=0-1 hard=1");
    await waitFor(async () => (await load.stats())["maximum"] === ALL - 3 * BLOCKS, { what: "withdrawals" });
    expect((await load.stats())["received"]).toMatchObject({ announced: 0, withdrawn: (SESSIONS - 2) * 2 * BLOCKS });

    load.tell("clock", "drop", "reconnect window=4", `expect count=${ALL} except-own`);
    expect(await load.next("established")).toMatchObject({ sessions: SESSIONS });
    await load.next("converged");
    expect(load.events).toEqual([]);
    expect(await load.quit()).toBe(0);
  });

  it("times a flap at every other session", async () => {
    const load = generator(await starling());
    load.tell(...CONVERGE, "churn session=3 events=6 interval=30");
    const churned = await load.next("churned");
    expect(churned).toMatchObject({ events: 6, samples: 6 * (SESSIONS - 1), lost: 0 });
    const [p50, p99, max] = [Number(churned["p50"]), Number(churned["p99"]), Number(churned["max"])];
    expect(p50).toBeGreaterThan(0);
    expect(p99).toBeGreaterThanOrEqual(p50);
    expect(max).toBeGreaterThanOrEqual(p99);
    // The last event announced again.
    expect(await load.stats()).toMatchObject({ minimum: ALL - BLOCKS });
  });

  it("the relay passes everything on to all others, as it came", async () => {
    const load = generator(await relay());
    load.tell(...CONVERGE, "churn session=0 events=4 interval=20");
    const converged = await load.next("converged");
    expect(converged["received"]).toMatchObject({
      announced: (SESSIONS - 1) * ALL,
      updates: (SESSIONS - 1) * SESSIONS,
      endOfRib: 0,
    });
    expect(await load.next("churned")).toMatchObject({ samples: 4 * (SESSIONS - 1), lost: 0 });
    expect(await load.stats()).toMatchObject({ minimum: ALL - BLOCKS, maximum: ALL - BLOCKS });
  });

  it("a slow reader reads at its rate and keeps nobody waiting", async () => {
    const rate = 1000;
    const [first = "", ...others] = sessions;
    const load = generator(await relay(), [`${first} rate=${rate}`, ...others]);
    load.tell("connect", "wait", `expect count=${ALL} except-own readers=fast`, "send");
    await load.next("converged");
    const { minimum, maximum } = await load.stats();
    expect(maximum).toBe(ALL - BLOCKS);
    expect(minimum).toBeLessThan(ALL - BLOCKS);
    load.tell(`expect count=${ALL} except-own readers=all`);
    const { seconds, received } = await load.next("converged");
    const octets = (received as { octets: number }).octets / SESSIONS;
    expect(Number(seconds)).toBeGreaterThan((octets / rate) * 0.8);
  });

  it("names what is lost against its will, and what it cannot do", async () => {
    const load = generator(await relay());
    load.tell("connect");
    await load.next("established");
    daemons[0]?.signal("SIGKILL");
    expect(await load.next("down")).toMatchObject({ text: expect.stringMatching(/closed|reset/i) });
    await waitFor(async () => (await load.stats())["down"] === SESSIONS, { what: "all to be down" });
    expect((await load.stats())["established"]).toBe(0);
    load.tell("fly", "session blob=/nowhere", "churn session=99");
    for (const text of ["no such command: fly", "/nowhere: No such file or directory", "churn: no session 99"])
      expect(await load.next("error")).toMatchObject({ text });
  });

  it("tells how a daemon refuses it", async () => {
    const load = generator(await starling(), [`session local=127.9.0.1 as=${AS + 1}`]);
    load.tell("connect");
    await waitFor(async () => (await load.stats())["lastError"] === "NOTIFICATION 2/2", { what: "Bad Peer AS" });
    expect(Number((await load.stats())["retries"])).toBeGreaterThan(0);
  });

  it.runIf(canMakeNetworks())("routes into the kernel, replaced and deleted", async () => {
    const device =
      "ip link set lo up && ip link add here type veth peer name there && ip link set here up && ip link set there up";
    const run = (options: string) => `${tools.kernelLoop} --device here --routes 2500 ${options}`;
    const script = `${device} && ip address add 192.0.2.2/24 dev here &&
      ${run("--via 192.0.2.1 --replace")} && ip route show proto bgp | wc -l && ${run("--ipv6 --replace --delete")} &&
      ip -6 route show proto bgp | wc -l`;
    const output = await runCommand(["unshare", "--net", "sh", "-c", script]);
    const lines = output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { step: "add", routes: 2500 },
      { step: "replace", routes: 2500 },
      2500,
      { step: "add", routes: 2500 },
      { step: "replace", routes: 2500 },
      { step: "delete", routes: 2500 },
      0,
    ]);
    expect(lines[0].perSecond).toBeGreaterThan(0);
  });
});
