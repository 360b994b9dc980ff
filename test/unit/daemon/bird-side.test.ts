import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Config } from "../../../src/config/model.ts";
import { UsageError } from "../../../src/control/views.ts";
import { BirdSide } from "../../../src/daemon/bird-side.ts";
import { askBird } from "../../harness/bird-client.ts";
import { ExampleBirdView } from "../../harness/example-bird-view.ts";
import { MemoryLog } from "../../harness/memory-log.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { configOf } from "../config/fixtures.ts";

let folder: string;
let clock: VirtualClock;
let log: MemoryLog;
let side: BirdSide;
const config = (birdSocket: Config["birdSocket"], bird6Socket?: Config["bird6Socket"]): Config => ({
  ...configOf("asNumber: 64512\nrouterId: 10.0.0.1\nkernel: {enabled: false}"),
  birdSocket,
  bird6Socket,
});
const at = (name: string) => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "starling-bird-side-"));
  clock = new VirtualClock();
  log = new MemoryLog();
  side = new BirdSide({ view: new ExampleBirdView(), clock, logger: log, isCalicoNode: false });
});

afterEach(async () => {
  await side.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("BIRD's sockets and the configuration", () => {
  it("none, where none is named", async () => {
    await side.open(config(undefined, false));
    expect(log.lines).toEqual([]);
  });

  it("come, move and go with a reload", async () => {
    await side.open(config(at("a")));
    expect(existsSync(at("a"))).toBe(true);
    expect(await side.move(config(at("b"), at("b6")))).toEqual([]);
    expect(["a", "b", "b6"].map((name) => existsSync(at(name)))).toEqual([false, true, true]);
    await side.move(config(false, at("b6")));
    expect(["b", "b6"].map((name) => existsSync(at(name)))).toEqual([false, true]);
    await side.close();
    expect(existsSync(at("b6"))).toBe(false);
  });

  it("one that cannot be had stops the first start, leaves a reload where it was, and is tried again", async () => {
    const rival = createServer().listen(at("taken"));
    await once(rival, "listening");
    await expect(side.open(config(at("taken")))).rejects.toThrow(UsageError);
    await side.move(config(at("a")));
    const problems = await side.move(config(at("taken")));
    expect(problems).toEqual([
      { path: "control.birdSocket", message: expect.stringMatching(/^BIRD or another starling answers on .*taken/) },
    ]);
    expect(existsSync(at("a"))).toBe(true);
    clock.advance(5_000);
    await side.move(config(at("taken")));
    // Once for the start and once for the reload, however often it is tried.
    expect(log.lines.filter(({ level }) => level === "error")).toHaveLength(2);
    rival.close();
    await once(rival, "close");
    clock.advance(5_000);
    await waitFor(() => existsSync(at("taken")) && !existsSync(at("a")), { what: "the socket to move" });
    expect(log.lines.at(-1)).toMatchObject({ level: "info", event: "BIRD's control socket is open now" });
  });

  it("says BIRD with a v, which Calico's status reporter wants", async () => {
    await side.open(config(at("a")));
    const asked = askBird(at("a"), "show status");
    let isDone = false;
    void asked.finally(() => {
      isDone = true;
    });
    await waitFor(
      () => {
        clock.settle();
        return isDone;
      },
      { what: "an answer", interval: 5 },
    );
    expect((await asked)[0]).toMatch(/^1000-BIRD v1\.6\.8\+starling-\d/);
  });
});
