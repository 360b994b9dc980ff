/** Where the kernel gives no notice of changes: its limit of watches is reached, or the file system has none. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FileDatastore } from "../../../../src/config/calico/datastore/file.ts";
import { silentLogger } from "../../../harness/silent-logger.ts";
import { systemClock } from "../../../harness/system-clock.ts";
import { ToldObjects } from "../../../harness/told-objects.ts";
import { waitFor } from "../../../harness/wait-for.ts";

const kernel = vi.hoisted(() => ({ isFull: false }));

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const watch = (path: string, listener: (event: string, name: string | null) => void) => {
    if (kernel.isFull) throw new Error("ENOSPC: System limit for number of file watchers reached");
    return fs.watch(path, listener);
  };
  return { ...fs, watch };
});

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "starling-watch-"));
});
afterEach(() => {
  kernel.isFull = false;
  rmSync(folder, { recursive: true, force: true });
});

it("folders are looked at again and again, and that is told, until the kernel has room", async () => {
  kernel.isFull = true;
  const told = new ToldObjects();
  const datastore = new FileDatastore(folder, told, systemClock, silentLogger);
  datastore.start();
  try {
    await waitFor(() => told.isSynced, { what: "the first reading" });
    expect(told.disturbance).toMatch(/^cannot watch .* \(ENOSPC: .*\); looking every 5 seconds instead$/);
    writeFileSync(join(folder, "a.yaml"), "apiVersion: v1\nkind: Node\nmetadata: {name: a}\n");
    await waitFor(() => told.names().length > 0, { what: "the file to be found" });
    kernel.isFull = false;
    await waitFor(() => told.disturbance === undefined, { what: "the end of the trouble" });
  } finally {
    await datastore.close();
  }
}, 30_000);
