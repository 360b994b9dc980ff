import { mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { endpointStatusDatastore } from "../../../../src/config/calico/datastore/endpoint-status.ts";
import { joinEvents } from "../../../../src/config/calico/datastore/joined-events.ts";
import { silentLogger } from "../../../harness/silent-logger.ts";
import { systemClock } from "../../../harness/system-clock.ts";
import { ToldObjects } from "../../../harness/told-objects.ts";
import { waitFor } from "../../../harness/wait-for.ts";

describe("Felix's endpoint-status files", () => {
  let root = "";
  let folder = "";
  let told: ToldObjects;
  let datastore: ReturnType<typeof endpointStatusDatastore>;

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "starling-status-"));
    folder = join(root, "endpoint-status");
    told = new ToldObjects();
    datastore = endpointStatusDatastore(folder, told, systemClock, silentLogger);
    datastore.start();
    await waitFor(() => told.isSynced, { what: "the first reading" });
  });

  afterEach(async () => {
    await datastore.close();
    rmSync(root, { recursive: true, force: true });
  });

  const status = (peer: string) =>
    JSON.stringify({ ifaceName: "cali1", mac: "ee:ee:ee:ee:ee:ee", ipv4Nets: ["10.65.0.2/32"], bgpPeerName: peer });

  it("may be missing: then there are none, and nothing is wrong", () => {
    expect(told.log).toEqual(["synced"]);
  });

  it("become objects as they come, change and go; those of other workloads do not", async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, "k8s%2fpod-1"), status("to-pods"));
    writeFileSync(join(folder, "k8s%2fpod-2"), status(""));
    await waitFor(() => told.names().length > 0, { what: "the first status" });
    expect([...told.objects.values()]).toEqual([
      {
        apiVersion: "projectcalico.org/v3",
        kind: "EndpointStatus",
        metadata: { name: "k8s%2fpod-1" },
        spec: { ifaceName: "cali1", mac: "ee:ee:ee:ee:ee:ee", ipv4Nets: ["10.65.0.2/32"], bgpPeerName: "to-pods" },
      },
    ]);
    writeFileSync(join(folder, "k8s%2fpod-2"), status("others"));
    await waitFor(() => told.names().length === 2, { what: "the second status" });
    writeFileSync(join(folder, "k8s%2fpod-2"), status(""));
    unlinkSync(join(folder, "k8s%2fpod-1"));
    await waitFor(() => told.names().length === 0, { what: "both to be gone" });
  });

  it("keep what they said while they are broken", async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, "a"), status("to-pods"));
    await waitFor(() => told.names().length > 0, { what: "the status" });
    writeFileSync(join(folder, "a"), '{"ifaceName": "ca');
    await waitFor(() => told.wrong.size > 0, { what: "the complaint" });
    expect([...told.wrong]).toEqual([[join(folder, "a"), "it holds no JSON object"]]);
    expect(told.names()).toEqual(["EndpointStatus a"]);
  });
});

describe("two sources told as one", () => {
  it("are whole when both are, and disturbed while one is", () => {
    const told = new ToldObjects();
    const [a, b] = joinEvents(told, 2);
    a?.synced();
    a?.synced();
    expect(told.isSynced).toBe(false);
    a?.disturbed("a is away");
    b?.disturbed("b is away");
    expect(told.disturbance).toBe("a is away; b is away");
    a?.disturbed(undefined);
    expect(told.disturbance).toBe("b is away");
    b?.synced();
    b?.disturbed(undefined);
    expect(told.log.slice(-2)).toEqual(["synced", "current"]);
  });
});
