import { describe, expect, it } from "vitest";
import { bird16 } from "../harness/bird16.ts";
import { canPlay, LabRun } from "../harness/lab-run.ts";

const plain = (output: string) => output.replaceAll(/ +/g, " ");

describe.skipIf(!canPlay)("npm run lab, with Calico's resources", () => {
  it("calico-migration: BIRD becomes starling and comes back, and no packet is lost", async () => {
    const run = new LabRun(["calico-migration", "--fast"]);
    const { status, output } = await run.ended();
    const text = plain(output);
    for (const said of [
      /^✓ a mesh of BIRD, as Calico runs it .*BIRD 2, Calico 3\.33: 12 sessions/m,
      /^✓ node-1: from BIRD to starling .* routes taken out of kernels: 0; packets lost: 0$/m,
      /^✓ node-2: from BIRD to starling .* routes taken out of kernels: 0; packets lost: 0$/m,
      /^✓ node-2: back to BIRD .* packets lost: 0$/m,
      /^✓ node-1: back to BIRD .* packets lost: 0$/m,
      /^ packets lost, of all between each two pods 0 of \d{4,}$/m,
      /^cleaned up: nothing of it is left/m,
    ]) {
      expect(text).toMatch(said);
    }
    const perPair = [...text.matchAll(/^ pod-\d and pod-\d, IPv[46]: (\d+) sent, 0 lost$/gm)];
    expect(perPair).toHaveLength(12);
    expect(Math.min(...perPair.map(([, sent]) => Number(sent)))).toBeGreaterThan(200);
    expect(text).not.toMatch(/^✗/m);
    expect(status).toBe(0);
    expect(await run.leftovers()).toEqual([]);
  });

  it("calico-migration --bird16: from the BIRD that Calico's is made from, and back", async (context) => {
    if ((await bird16()) === undefined) context.skip("BIRD 1.6 cannot be had from Debian's archive");
    const run = new LabRun(["calico-migration", "--fast", "--bird16", "--release", "3.31"]);
    const { status, output } = await run.ended();
    expect(plain(output)).toMatch(/^✓ a mesh of BIRD, as Calico runs it .*BIRD 1\.6, Calico 3\.31: 12 sessions/m);
    expect(output).toMatch(/^✓ count the packets .* sent, \d lost$/m);
    expect(status).toBe(0);
    expect(await run.leftovers()).toEqual([]);
  });

  it("calico-racks: without a reflector no packet is lost, without a switch the other one carries them", async () => {
    const run = new LabRun(["calico-racks", "--fast"]);
    const { status, output } = await run.ended();
    const text = plain(output);
    for (const said of [
      /^✓ start the daemons, sessions come up .*36 of 36 established/m,
      /^ node-11 4: Node_10_0_1_2, Node_10_0_1_253, Node_10_0_1_254, Node_10_0_1_3$/m,
      /^ reflector-2b 5: Node_10_0_1_2, Node_10_0_1_3, Node_10_0_2_11, Node_10_0_2_12, Node_10_0_2_2$/m,
      /^ 10\.0\.2\.0\/24 metric 2147483547; nexthop via 10\.0\.1\.253 .*; nexthop via 10\.0\.1\.254 /m,
      /^ 10\.244\.21\.0\/26 metric 1024; nexthop via 10\.0\.1\.253 .*; nexthop via 10\.0\.1\.254 /m,
      /^ blackhole 10\.244\.11\.0\/26$/m,
      /^ 10\.244\.12\.0\/26 via 10\.0\.1\.12 dev eth0 metric 1024$/m,
      /^✓ kill -9 on reflector-1a, start it again .* 0 lost$/m,
      /^✓ tor-1a loses its power .*out of node-11's kernel/m,
      /^✓ tor-1a is back .* 0 lost$/m,
      /^cleaned up: nothing of it is left/m,
    ]) {
      expect(text).toMatch(said);
    }
    expect(status).toBe(0);
    expect(await run.leftovers()).toEqual([]);
  });

  it("knows its labs", async () => {
    const { status, output } = await new LabRun(["calico"]).ended();
    expect(output).toContain("no lab is called calico; there are rack, calico-migration, calico-racks");
    expect(status).toBe(2);
  });
});
