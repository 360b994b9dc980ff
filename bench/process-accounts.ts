/** What a daemon has used, by /proc: all of its threads, and the processes that it started. */

import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ, the unit of times in /proc, is 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;
const OCTETS_PER_KIB = 1024;

/** The process and its descendants. */
export function familyOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const child = Number(name);
    const parent = Number.isInteger(child) ? statOf(child)?.parent : undefined;
    if (parent === undefined) continue;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [child]);
    else siblings.push(child);
  }
  const family = [pid];
  for (const member of family) family.push(...(children.get(member) ?? []));
  return family;
}

/** User and system time. */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (statOf(pid)?.ticks ?? 0), 0) / TICKS_PER_SECOND;
}

/** Octets in 10^6: the most that was ever resident, and what is now. */
export function memoryMegabytes(pids: readonly number[], field: "VmHWM" | "VmRSS"): number {
  let sum = 0;
  for (const pid of pids) {
    const match = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(read(`/proc/${pid}/status`) ?? "");
    sum += Number(match?.[1] ?? 0);
  }
  return (sum * OCTETS_PER_KIB) / 1e6;
}

/** Whether anything listens on the TCP port in the process's network namespace. */
export function isListening(pid: number, port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const listening = new RegExp(`^ *\\d+: [0-9A-F]+:${hex} [0-9A-F]+:0000 0A`, "m");
  return ["tcp", "tcp6"].some((file) => listening.test(read(`/proc/${pid}/net/${file}`) ?? ""));
}

function statOf(pid: number): { readonly parent: number; readonly ticks: number } | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name in brackets may hold blanks; the fields after it are counted from 3 (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
}

/** Undefined once the process is gone. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
