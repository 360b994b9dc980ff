/** `npm run bench -- micro`: codec, tables and fan-out alone, in this process, by tinybench. */

import { Bench } from "tinybench";
import { BenchError } from "../bench-error.ts";
import { advertiserTasks } from "./advertiser.ts";
import { calicoTasks } from "./calico.ts";
import type { MicroTask } from "./micro-task.ts";
import { ribTasks } from "./rib.ts";
import { wireTasks } from "./wire.ts";

const groups: Readonly<Record<string, () => MicroTask[] | Promise<MicroTask[]>>> = {
  wire: wireTasks,
  rib: ribTasks,
  advertiser: advertiserTasks,
  calico: calicoTasks,
};
const MILLISECONDS = 500;
const NANOSECONDS = 1e6;
const NAME_WIDTH = 62;

/** Throws a BenchError for a name that is none of the groups'. */
export async function runMicro(names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (groups[name] === undefined) {
      throw new BenchError(`no micro-benchmark "${name}": there are ${Object.keys(groups).join(", ")}`);
    }
  }
  console.log(`${"".padEnd(NAME_WIDTH)} ${"median ns".padStart(12)} ${"least ns".padStart(12)}`);
  for (const [name, tasksOf] of Object.entries(groups)) {
    if (names.length > 0 && !names.includes(name)) continue;
    for (const task of await tasksOf()) await runTask(task);
  }
}

async function runTask(task: MicroTask): Promise<void> {
  const { name, units, calls } = task;
  // A call that takes a second needs neither half a second of warming up nor 64 repetitions.
  const bench = new Bench(calls === undefined ? { time: MILLISECONDS } : { time: 0, iterations: calls, warmup: false });
  bench.add(name, task.run);
  await bench.run();
  const result = bench.tasks[0]?.result;
  task.close?.();
  if (result === undefined || !("latency" in result)) throw new BenchError(`${name}: no result`);
  const nanoseconds = (milliseconds: number) => ((milliseconds * NANOSECONDS) / units).toFixed(1).padStart(12);
  const note = task.note === undefined ? "" : `   ${task.note()}`;
  console.log(
    `${name.padEnd(NAME_WIDTH)} ${nanoseconds(result.latency.p50)} ${nanoseconds(result.latency.min)}${note}`,
  );
}
