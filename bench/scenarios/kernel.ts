/**
 * Routes of one peer into the kernel's table: from the first UPDATE until the kernel has all. Beside daemons, two programs that
 * do nothing else: `ip -batch`, and a loop in C over messages assembled beforehand, the kernel's own limit (bench/native).
 */

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { formatIpv4, formatIpv6, ipv4, ipv6 } from "../../src/bgp/model/address.ts";
import { attributesWith } from "../../src/bgp/model/attributes.ts";
import { Family } from "../../src/bgp/model/family.ts";
import { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import { BenchError } from "../bench-error.ts";
import type { FamilyName } from "../daemons/daemon.ts";
import type { Namespace } from "../namespace.ts";
import { BlobFile } from "../table/blob-file.ts";
import type { RouteSet } from "../table/route-set.ts";
import { sendersAndReceivers } from "./full.ts";
import { withLoad } from "./loaded-run.ts";
import { type Companion, numberOf, type Outcome, type RunContext, type Scenario } from "./scenario.ts";

const DEVICE = "bench0";
const GATEWAY = { ipv4: "192.0.2.2", ipv6: "2001:db8::2" } as const;
const PER_SET = 1000;
const LOCAL_PREF = 100;
const POLL_MILLISECONDS = 20;

export const kernel: Scenario = {
  name: "kernel",
  summary: "M routes into the kernel of a namespace: M=500000 family=ipv4",
  defaults: { M: 500_000, family: "ipv4" },
  cases: { small: [{ M: 2000 }], full: [{ M: 100_000 }, { M: 500_000 }, { M: 100_000, family: "ipv6" }] },
  async prepare(parameters, folder) {
    const family: FamilyName = parameters["family"] === "ipv6" ? "ipv6" : "ipv4";
    const routes = numberOf(parameters, "M");
    const blobs = new BlobFile(join(folder, "hosts.blob"));
    const blob = blobs.announce(hostSets(family, routes));
    blobs.close();
    const { sessions, network: other } = sendersAndReceivers(family, [blob], 0);
    const network = { ...other, kernel: true };
    return {
      notes: [],
      cannot: (daemon) => daemon.cannot?.(network),
      beside: [ipBatch(family, routes, folder), kernelLoop(family, routes)],
      async run(context) {
        await addDevice(context.namespace);
        return await withLoad(context, network, sessions, async ({ daemon, generator }) => {
          const present = () => routesInKernel(daemon.pid, family);
          const before = present();
          const cpuBefore = daemon.cpuSeconds();
          await daemon.eventLoopLag("reset");
          const started = performance.now();
          generator.send();
          while (present() - before < routes) {
            if (context.signal.aborted) throw new BenchError("no result in time");
            await sleep(POLL_MILLISECONDS);
          }
          const seconds = (performance.now() - started) / 1000;
          const lag = await daemon.eventLoopLag("read");
          await daemon.quiet();
          return {
            figures: {
              seconds,
              cpuSeconds: daemon.cpuSeconds() - cpuBefore,
              peakMegabytes: daemon.peakMegabytes(),
              routesPerSecond: routes / seconds,
              ...(lag === undefined ? {} : { lagP50: lag.p50, lagP99: lag.p99, lagMax: lag.max }),
            },
            notes: [],
          };
        });
      },
    };
  },
};

/** A cable whose other end hangs in the same namespace: a gateway that may be named, and never answers. */
async function addDevice(namespace: Namespace): Promise<void> {
  await namespace.ip("link", "add", "name", DEVICE, "type", "veth", "peer", "name", "bench1");
  await namespace.ip("link", "set", "dev", "bench1", "up");
  await namespace.ip("address", "add", "192.0.2.1/24", "dev", DEVICE);
  await namespace.ip("address", "add", "2001:db8::1/64", "dev", DEVICE, "nodad");
  await namespace.ip("link", "set", "dev", DEVICE, "up");
  // The kernel needs a moment to use the addresses of a cable that has just come up.
  await sleep(100);
}

/** Hosts one after the other, as nodes' addresses are: 10.0.0.0 and up, 2001:db8:1:: and up. */
function* hostSets(family: FamilyName, routes: number): Generator<RouteSet, void> {
  const prefixes = new PrefixBatch(family === "ipv4" ? Family.Ipv4 : Family.Ipv6, PER_SET);
  const nextHop = family === "ipv4" ? ipv4(0xc0000202) : ipv6(0x20010db8, 0, 0, 2);
  const attributes = attributesWith(nextHop, { localPref: LOCAL_PREF });
  for (let i = 0; i < routes; ) {
    prefixes.clear();
    for (; i < routes && prefixes.count < PER_SET; i++) {
      if (family === "ipv4") prefixes.add4(0x0a000000 + i, 32, 0);
      else prefixes.add6(0x20010db8, 0x00010000, i, 0, 128, 0);
    }
    yield { attributes, prefixes };
  }
}

/** Asks the kernel itself, at a cost that is the same for all and none of the daemon's. */
function routesInKernel(pid: number, family: FamilyName): number {
  if (family === "ipv6")
    return Number.parseInt(readFileSync(`/proc/${pid}/net/rt6_stats`, "utf8").split(" ")[3] ?? "", 16);
  const text = readFileSync(`/proc/${pid}/net/fib_triestat`, "utf8");
  return Number(/Prefixes: +(\d+)/.exec(text)?.[1]);
}

function ipBatch(family: FamilyName, routes: number, folder: string): Companion {
  const lines: string[] = [];
  for (let i = 0; i < routes; i++) {
    const host = family === "ipv4" ? formatIpv4(0x0a000000 + i) : formatIpv6(0x20010db8, 0x00010000, i, 0);
    lines.push(`route add ${host} via ${GATEWAY[family]}\n`);
  }
  const file = join(folder, "routes");
  writeFileSync(file, lines.join(""));
  return {
    name: "ip-batch",
    async run(context) {
      await addDevice(context.namespace);
      const started = performance.now();
      await output(context, ["ip", ...(family === "ipv6" ? ["-6"] : []), "-batch", file]);
      return written(routes, (performance.now() - started) / 1000);
    },
  };
}

function kernelLoop(family: FamilyName, routes: number): Companion {
  return {
    name: "kernel-loop",
    async run(context) {
      await addDevice(context.namespace);
      const words = ["--device", DEVICE, "--routes", String(routes), "--via", GATEWAY[family]];
      const six = family === "ipv6" ? ["--ipv6"] : [];
      const step: unknown = JSON.parse(await output(context, [context.tools.kernelLoop, ...words, ...six]));
      return written(routes, (step as { readonly seconds: number }).seconds);
    },
  };
}

function written(routes: number, seconds: number): Outcome {
  return { figures: { seconds, routesPerSecond: routes / seconds }, notes: [] };
}

/** Of a program in the run's namespace, killed when the run's time is over. */
function output({ namespace, signal }: RunContext, command: readonly string[]): Promise<string> {
  const [program = "", ...words] = namespace.inside(command);
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { signal, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part) => (text += part));
    child.once("error", (error) => reject(new BenchError(`${command[0]}: ${error.message}`)));
    child.once("close", (status) =>
      status === 0 ? resolve(text) : reject(new BenchError(`${command[0]}: ${text.slice(0, 500)}`)),
    );
  });
}
