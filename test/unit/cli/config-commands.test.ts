import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registerConfigCommands } from "../../../src/cli/config-commands.ts";
import { runProgram } from "../../../src/cli/program.ts";
import { systemClock } from "../../../src/daemon/clock.ts";

class Sink extends Writable {
  text = "";

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function starling(...words: string[]): Promise<{ status: number; out: string; err: string }> {
  const [stdout, stderr] = [new Sink(), new Sink()];
  const terminal = { stdout, stderr, environment: {}, wallTime: () => 0 };
  const status = await runProgram(words, {
    terminal,
    registerConfigCommands: (program) => registerConfigCommands(program, systemClock),
    runDaemon: async () => 0,
    cleanupKernel: async () => 0,
  });
  return { status, out: stdout.text, err: stderr.text };
}

let directory = "";
const path = (name: string) => join(directory, name);
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "starling-commands-"));
  writeFileSync(path("right.yaml"), "asNumber: 64512\nrouterId: 10.0.0.1\npeers: [{address: 10.0.0.2}]\n");
  writeFileSync(
    path("wrong.yaml"),
    "asNumber: 64512\nrouterId: 10.0.0.1\npeers: [{address: 10.0.0.2, prot: 1}, {address: 10.0.0.3}]\n",
  );
  writeFileSync(path("hopeless.yaml"), "asNumber: [\n");
  writeFileSync(path("calico.yaml"), "calico: {nodeName: a, datastore: {type: file, path: nowhere}}\n");
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("starling check", () => {
  it("a file that is right", async () => {
    expect(await starling("check", "-c", path("right.yaml"))).toEqual({
      status: 0,
      out: `${path("right.yaml")} is valid: AS 64512, 1 peer\n`,
      err: "",
    });
  });

  it("a file that is wrong: what is wrong and what to do, then each error with its place", async () => {
    const file = path("wrong.yaml");
    expect(await starling("check", "--config", file)).toEqual({
      status: 2,
      out: "",
      err: `error: ${file} has an error: correct it and run \`starling check -c ${file}\` again\n${file}:3:29: peers[0].prot: unknown key (did you mean \`port\`?)\n`,
    });
  });

  it("as JSON, one document on stdout", async () => {
    const { status, out } = await starling("check", "--json", "-c", path("wrong.yaml"));
    expect(status).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      problems: [{ line: 3, column: 29, path: "peers[0].prot", severity: "error", peer: "10.0.0.2" }],
    });
    const right = await starling("check", "--json", "-c", path("right.yaml"));
    expect([right.status, JSON.parse(right.out)]).toEqual([0, { ok: true, file: path("right.yaml"), problems: [] }]);
  });

  it("without a file: the embedded default", async () => {
    expect(await starling("check")).toEqual({
      status: 0,
      out: "the embedded default is valid: AS 64512, 7 peers\n",
      err: "",
    });
  });
});

describe("starling config", () => {
  it("show --json: the model without the wrong peer, and what is wrong with it", async () => {
    const { status, out, err } = await starling("config", "show", "--json", "-c", path("wrong.yaml"));
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      peers: [{ name: "10.0.0.3" }],
      problems: [{ path: "peers[0].prot", message: "unknown key (did you mean `port`?)" }],
    });
    expect(err).toContain("peers[0].prot");
  });

  it("show: as the file would be written", async () => {
    const { status, out } = await starling("config", "show", "-c", path("right.yaml"));
    expect(status).toBe(0);
    expect(out).toContain("asNumber: 64512\nrouterId: 10.0.0.1\n");
    expect(out).toContain("  - name: 10.0.0.2\n    address: 10.0.0.2\n    port: 179\n");
  });

  it("a Calico node's files that are not there are told at once", async () => {
    const { status, err } = await starling("check", "-c", path("calico.yaml"));
    expect(status).toBe(2);
    expect(err).toMatch(
      /Calico's datastore \(file\): does not answer: cannot read .*nowhere: there is no such file or folder/,
    );
    expect(err).not.toContain("waiting");
  });

  it("show without a file says that it is none of the daemon's", async () => {
    const { status, out } = await starling("config", "show");
    expect(status).toBe(0);
    expect(out.split("\n", 1)[0]).toBe(
      "# The built-in configuration, since no file was given: `-c FILE` shows what a file comes to.",
    );
  });

  it("show of a file that comes to nothing", async () => {
    const { status, out, err } = await starling("config", "show", "--json", "-c", path("hopeless.yaml"));
    expect([status, out]).toEqual([2, ""]);
    expect(err).toContain("hopeless.yaml:2:1: not valid YAML");
  });

  it("schema: one JSON document", async () => {
    const { status, out } = await starling("config", "schema");
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ title: "starling configuration", type: "object" });
  });

  it("a wrong option is wrong usage", async () => {
    expect((await starling("check", "--conf", "x")).status).toBe(2);
  });
});
