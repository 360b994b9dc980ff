/** A real etcd, alone or one of a cluster, on a port of its own: started, stopped, wiped and compacted by a test. */

import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BackgroundProcess, findProgram, runCommand } from "../process.ts";
import { waitFor } from "../wait-for.ts";

export interface ServerTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

interface Ports {
  readonly client: number;
  readonly peer: number;
}

export interface EtcdSettings {
  /** Paths; clients must show a certificate of the same CA, which `client` is. */
  readonly tls?: { readonly server: ServerTls; readonly client: ServerTls };
  readonly flags?: readonly string[];
}

/** True where both programs are there. */
export const hasEtcd = findProgram("etcd") !== undefined && findProgram("etcdctl") !== undefined;

export class EtcdServer {
  readonly endpoint: string;
  /** Options of etcdctl that say who asks. */
  identity: readonly string[] = [];
  readonly #folder: string;
  readonly #settings: EtcdSettings;
  readonly #ports: Ports;
  #process: BackgroundProcess | undefined;

  readonly #peers: string;

  static async start(settings: EtcdSettings = {}): Promise<EtcdServer> {
    const [ports = { client: 0, peer: 0 }] = await freePorts(1);
    const server = new EtcdServer(settings, ports, peerUrl(ports));
    await server.start();
    return server;
  }

  /** Several members of one cluster. */
  static async cluster(count: number): Promise<EtcdServer[]> {
    const ports = await freePorts(count);
    const peers = ports.map(peerUrl).join(",");
    const servers = ports.map((own) => new EtcdServer({}, own, peers));
    await Promise.all(servers.map((server) => server.start()));
    return servers;
  }

  private constructor(settings: EtcdSettings, ports: Ports, peers: string) {
    this.#settings = settings;
    this.#ports = ports;
    this.#peers = peers;
    this.#folder = mkdtempSync(join(tmpdir(), "starling-etcd-"));
    this.endpoint = `${settings.tls === undefined ? "http" : "https"}://127.0.0.1:${ports.client}`;
  }

  get port(): number {
    return this.#ports.client;
  }

  async start(): Promise<void> {
    this.launch();
    const answers = async () => {
      await this.control("get", "anything");
      return true;
    };
    try {
      await waitFor(answers, { what: `etcd to answer at ${this.endpoint}`, timeout: 30_000 });
    } catch (error) {
      // Whoever starts it has nothing to close yet.
      await this.close();
      throw error;
    }
  }

  /** Without waiting: a member alone answers nothing. */
  launch(): void {
    const [name, peer = ""] = peerUrl(this.#ports).split("=");
    const { tls, flags = [] } = this.#settings;
    const command = [
      ...["etcd", "--name", name ?? "", "--data-dir", this.#data, "--log-level", "error", "--logger", "zap"],
      ...["--listen-client-urls", this.endpoint, "--advertise-client-urls", this.endpoint],
      ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", this.#peers],
      ...flags,
    ];
    if (tls !== undefined) {
      const { ca, cert, key } = tls.server;
      command.push("--client-cert-auth", "--trusted-ca-file", ca, "--cert-file", cert, "--key-file", key);
    }
    this.#process = new BackgroundProcess("etcd", command, join(this.#folder, "etcd.log"));
  }

  /** As a machine that loses its power. */
  async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.#process?.stop(signal);
  }

  /** Stopped for good, or until the next start, with nothing left of what it held. */
  async wipe(): Promise<void> {
    await this.stop();
    rmSync(this.#data, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.wipe();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  put(key: string, value: unknown): Promise<string> {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return this.control("put", key, "--", text);
  }

  delete(key: string): Promise<string> {
    return this.control("del", key);
  }

  /** Many at once: at most 128, as one revision. */
  putAll(values: Iterable<readonly [string, unknown]>): Promise<string> {
    const puts = [...values].map(([key, value]) => `put ${key} ${JSON.stringify(JSON.stringify(value))}`);
    // In etcdctl's form of a transaction: no comparisons, what is done then, nothing otherwise.
    return this.#run(["txn"], `\n${puts.join("\n")}\n\n\n`);
  }

  /** The value, or undefined where there is no such key. */
  async get(key: string): Promise<string | undefined> {
    const text = await this.control("get", key, "--print-value-only");
    return text === "" ? undefined : text.trimEnd();
  }

  /** Forgets all revisions but the newest. */
  async compact(): Promise<void> {
    const status = JSON.parse(await this.control("endpoint", "status", "-w", "json")) as [
      { Status: { header: { revision: number } } },
    ];
    await this.control("compact", String(status[0].Status.header.revision), "--physical");
  }

  control(...words: readonly string[]): Promise<string> {
    return this.#run(words);
  }

  #run(words: readonly string[], input = ""): Promise<string> {
    const tls = this.#settings.tls?.client;
    const certificates = tls === undefined ? [] : ["--cacert", tls.ca, "--cert", tls.cert, "--key", tls.key];
    return runCommand(["etcdctl", "--endpoints", this.endpoint, ...certificates, ...this.identity, ...words], {
      env: { ETCDCTL_API: "3" },
      input,
    });
  }

  get #data(): string {
    return join(this.#folder, "data");
  }
}

/** As `--initial-cluster` has it. */
function peerUrl({ client, peer }: Ports): string {
  return `m${client}=http://127.0.0.1:${peer}`;
}

/** All of them are held until the last is found, so that none is found twice. */
async function freePorts(count: number): Promise<Ports[]> {
  const servers = Array.from({ length: 2 * count }, () => createServer());
  await Promise.all(servers.map((one) => new Promise<void>((resolve) => one.listen(0, "127.0.0.1", resolve))));
  const numbers = servers.map((one) => (one.address() as AddressInfo).port);
  await Promise.all(servers.map((one) => new Promise((resolve) => one.close(resolve))));
  return Array.from({ length: count }, (_, n) => ({ client: numbers[2 * n] ?? 0, peer: numbers[2 * n + 1] ?? 0 }));
}
