/** A CalicoSource whose datastore is in the hands of the test, and what it made of it. */

import { CalicoConfig } from "../../src/config/calico/calico-config.ts";
import type { DatastoreEvents } from "../../src/config/calico/datastore/port.ts";
import type { CalicoOptions } from "../../src/config/calico/options.ts";
import { accept, type Opened, openValue } from "../../src/config/load.ts";
import type { Config } from "../../src/config/model.ts";
import type { Problem } from "../../src/config/problem.ts";
import type { Surroundings } from "../../src/config/surroundings.ts";
import { CalicoSource } from "../../src/daemon/calico-source.ts";
import { MemoryLog } from "./memory-log.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export const OPTIONS: CalicoOptions = {
  nodeName: "node-1",
  nodeSelector: undefined,
  kubernetesNodeName: "node-1",
  release: "3.33",
  role: "node",
  backend: "bird",
  datastore: { type: "file", path: "/nowhere" },
  secretNamespace: "kube-system",
  endpointStatusFolder: "/nowhere",
  routerId: "",
  advertiseClusterIps: undefined,
  usePodCidr: false,
  logSeverity: undefined,
};

const machine: Surroundings = {
  routerId: () => undefined,
  addresses: () => [],
  readText: () => ({ kind: "error", message: "there are no files here" }),
  environment: () => undefined,
  resolvePath: (path) => path,
  routingTable: () => undefined,
};

export function fileOf(value: object = {}): Opened {
  return openValue({ calico: {}, http: false, ...value }, "starling.yaml", machine);
}

type Spec = Readonly<Record<string, unknown>>;

export class SourceBench {
  readonly log = new MemoryLog();
  readonly changes: Config[] = [];
  problems: readonly Problem[] = [];
  readonly wanted: string[][] = [];
  isClosed = false;
  readonly source: CalicoSource;
  readonly #clock: VirtualClock;
  #events: DatastoreEvents | undefined;
  /** What is done with each configuration. */
  take: (config: Config) => Promise<unknown> = () => Promise.resolve();

  constructor(clock: VirtualClock, file: Opened, options: CalicoOptions) {
    this.#clock = clock;
    const logger = Object.assign(this.log, { setLevels: () => {}, flush: () => {} });
    const config = new CalicoConfig(file, options);
    this.initial = accept(config.file);
    this.source = new CalicoSource({
      node: { options, config, problems: [] },
      clock,
      logger,
      open: (_options, events) => {
        this.#events = events;
        return Promise.resolve({
          start: () => {},
          wantSecrets: (_namespace, names) => void this.wanted.push([...names]),
          writeNodeStatus: undefined,
          close: () => {
            this.isClosed = true;
            return Promise.resolve();
          },
        });
      },
      statuses: () => ({ set: () => {}, deleted: () => {}, close: () => {} }),
      changed: async (next, problems) => {
        this.changes.push(next);
        this.problems = problems;
        await this.take(next);
      },
    });
  }

  /** Before anything is known. */
  readonly initial: Config;

  get events(): DatastoreEvents {
    if (this.#events === undefined) throw new RangeError("the datastore has not been opened");
    return this.#events;
  }

  set(kind: string, name: string, spec: Spec): void {
    this.events.set({ apiVersion: "projectcalico.org/v3", kind, metadata: { name }, spec }, `${kind}.yaml`);
  }

  secret(name: string, key: string, password: string): void {
    const data = { [key]: Buffer.from(password).toString("base64") };
    const metadata = { name, namespace: "kube-system" };
    this.events.set({ apiVersion: "v1", kind: "Secret", metadata, data }, "secret.yaml");
  }

  delete(kind: string, name: string): void {
    this.events.deleted({ group: "calico", kind, namespace: "", name });
  }

  node(name: string, address: string, more: Spec = {}): void {
    this.set("Node", name, { bgp: { ipv4Address: `${address}/24`, ...more } });
  }

  /** Time enough for what was told to be done. */
  async settle(milliseconds = 150): Promise<void> {
    // What is awaited on the way goes on only when the test lets it.
    for (let i = 0; i < 20; i++) {
      this.#clock.advance(milliseconds / 20);
      for (let turns = 0; turns < 10; turns++) await Promise.resolve();
    }
  }

  get last(): Config {
    const config = this.changes.at(-1);
    if (config === undefined) throw new RangeError("there was no configuration");
    return config;
  }

  logged(level: "info" | "warn" | "error"): string[] {
    return this.log.lines.filter((line) => line.level === level).map(({ event }) => event);
  }
}

export async function sourceBench(clock: VirtualClock, file = fileOf(), options = OPTIONS): Promise<SourceBench> {
  const bench = new SourceBench(clock, file, options);
  await bench.source.start();
  return bench;
}
