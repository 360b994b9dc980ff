/** Routes per second into the kernel beside `ip -batch`, and how long the event loop stood still: `tsx bench/kernel.ts [COUNT...]`, as root. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseAddress } from "../src/bgp/model/address.ts";
import { Family } from "../src/bgp/model/family.ts";
import { PrefixBatch } from "../src/bgp/model/prefix-batch.ts";
import { enterNewNamespace, ip, veth } from "../test/kernel/support/namespace.ts";
import { probe, until } from "../test/kernel/support/probe.ts";

const SIZE_OF_SET = 1000;
const directory = mkdtempSync(join(tmpdir(), "starling-bench-"));
const fileOf = (verb: string, count: number) => {
  const lines: string[] = [];
  for (let i = 0; i < count; i++)
    lines.push(`route ${verb} 10.${i >>> 16}.${(i >>> 8) & 255}.${i & 255}/32 via 192.0.2.1`);
  const file = join(directory, verb);
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
};

function row(name: string, count: number, seconds: number, lag?: number, user = 0, system = 0): void {
  const rate = Math.round(count / seconds).toLocaleString("en");
  const loop =
    lag === undefined
      ? ""
      : `   event loop at most ${lag.toFixed(1)} ms late; CPU ${user.toFixed(2)} s own, ${system.toFixed(2)} s kernel`;
  console.log(
    `${name.padEnd(34)} ${String(count).padStart(7)} in ${seconds.toFixed(2)} s = ${rate.padStart(9)}/s${loop}`,
  );
}

async function run(family: Family, count: number): Promise<void> {
  const p = await probe();
  const gateway = parseAddress(family === Family.Ipv4 ? "192.0.2.1" : "2001:db8::1");
  const nextHops = [{ gateway, interface: 0, onlink: false, weight: 1 }];
  const target = { kind: "unicast", nextHops, preferredSource: undefined, metric: undefined } as const;
  const other = { ...target, preferredSource: parseAddress(family === Family.Ipv4 ? "192.0.2.2" : "2001:db8::2") };
  const name = family === Family.Ipv4 ? "IPv4" : "IPv6";
  const present = () => p.fib.counters().routes[family === Family.Ipv4 ? "ipv4" : "ipv6"];

  const step = async (what: string, act: (batch: PrefixBatch) => void, done: () => boolean): Promise<void> => {
    const lag = monitorEventLoopDelay({ resolution: 1 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    lag.enable();
    const cpu = process.cpuUsage();
    const started = performance.now();
    const batch = new PrefixBatch(family, SIZE_OF_SET);
    for (let i = 0; i < count; ) {
      batch.clear();
      for (let n = 0; n < SIZE_OF_SET && i < count; n++, i++) {
        if (family === Family.Ipv4) batch.add4((0x0a000000 + i) >>> 0, 32, 0);
        else batch.add6(0x20010db8, 0x10000, i, 0, 96, 0);
      }
      act(batch);
      // As a table would hand them on: a piece, then the event loop's turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await p.settled();
    await until(done, 60_000);
    const seconds = (performance.now() - started) / 1000;
    lag.disable();
    const { user, system } = process.cpuUsage(cpu);
    row(`starling ${name} ${what}`, count, seconds, lag.max / 1e6 - 1, user / 1e6, system / 1e6);
  };
  await step(
    "add",
    (b) => p.fib.set(b, target),
    () => present() === count,
  );
  await step(
    "replace",
    (b) => p.fib.set(b, other),
    () => present() === count,
  );
  await p.fib.close();
  const started = performance.now();
  const again = await probe();
  row(
    `starling ${name} adopt`,
    again.fib.counters().routes[family === Family.Ipv4 ? "ipv4" : "ipv6"],
    (performance.now() - started) / 1000,
  );
  const deleteStarted = performance.now();
  await again.fib.cleanup();
  row(`starling ${name} delete`, count, (performance.now() - deleteStarted) / 1000);
  await again.fib.close();
}

enterNewNamespace();
veth("bench0", "bench1", ["192.0.2.2/24", "2001:db8::2/64"]);
const counts = process.argv.slice(2).map(Number);
try {
  for (const count of counts.length > 0 ? counts : [100_000, 500_000]) {
    for (const verb of ["add", "del"]) {
      const file = fileOf(verb, count);
      const started = performance.now();
      execFileSync("ip", ["-batch", file]);
      row(`ip -batch IPv4 ${verb}`, count, (performance.now() - started) / 1000);
    }
    await run(Family.Ipv4, count);
    await run(Family.Ipv6, count);
    if (ip("-4 route show proto bird") !== "") throw new RangeError("routes were left");
  }
} finally {
  rmSync(directory, { recursive: true });
}
