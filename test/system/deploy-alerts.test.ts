import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump } from "js-yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProgram, runCommand } from "../harness/process.ts";
import { ruleFile } from "../harness/prometheus-rules.ts";

const promtool = findProgram("promtool");

const target = (node: string) => `job="starling", instance="${node}:9179", node="${node}", component="node"`;
const peer = (node: string, name: string, type = "internal") =>
  `${target(node)}, peer="${name}", as="64512", type="${type}"`;

interface Case {
  readonly alert: string;
  /** A minute apart. */
  readonly series: Readonly<Record<string, string>>;
  readonly quiet: string;
  readonly fires: string;
  /** Of each alert that fires then. */
  readonly summaries: readonly string[];
}

const cases: readonly Case[] = [
  {
    alert: "StarlingDown",
    series: { [`up{${target("a")}}`]: "1 1 0 0 0 0", [`up{${target("b")}}`]: "1x6" },
    quiet: "3m",
    fires: "5m",
    summaries: ["starling on a does not answer"],
  },
  {
    alert: "StarlingAbsent",
    series: { 'up{job="other"}': "1x10" },
    quiet: "4m",
    fires: "6m",
    summaries: ["Prometheus finds no starling at all"],
  },
  {
    alert: "StarlingNotReady",
    series: { [`starling_ready{${target("a")}}`]: "1 0x9" },
    quiet: "5m",
    fires: "7m",
    summaries: ["starling on a is not ready"],
  },
  {
    alert: "StarlingIsolated",
    series: {
      [`starling_peer_up{${peer("a", "Mesh_10_0_0_2")}}`]: "1 1 0x8",
      [`starling_peer_up{${peer("a", "Mesh_10_0_0_3")}}`]: "1 1 1 1 0x6",
      // One of its two is enough.
      [`starling_peer_up{${peer("b", "Mesh_10_0_0_1")}}`]: "0x10",
      [`starling_peer_up{${peer("b", "Mesh_10_0_0_3")}}`]: "1x10",
    },
    quiet: "4m",
    fires: "6m",
    summaries: ["no session of a is up"],
  },
  {
    alert: "StarlingNoExternalSession",
    series: {
      [`starling_peer_up{${peer("a", "Node_10_0_1_253", "external")}}`]: "1 0x9",
      [`starling_peer_up{${peer("a", "Mesh_10_0_0_2")}}`]: "1x10",
    },
    quiet: "1m",
    fires: "3m",
    summaries: ["a has no session with a switch"],
  },
  {
    alert: "StarlingSessionDown",
    series: {
      ...Object.fromEntries(
        ["a", "b", "c"].map((node) => [`starling_peer_up{${peer(node, "Mesh_10_0_0_9")}}`, "1 0x9"]),
      ),
      ...Object.fromEntries(
        ["a", "b", "c"].map((node) => [`starling_peer_enabled{${target(node)}, peer="Mesh_10_0_0_9"}`, "1x10"]),
      ),
      // Kept down by its operator: nobody needs to be told.
      [`starling_peer_up{${peer("a", "Mesh_10_0_0_8")}}`]: "0x10",
      [`starling_peer_enabled{${target("a")}, peer="Mesh_10_0_0_8"}`]: "0x10",
    },
    quiet: "5m",
    fires: "7m",
    summaries: ["the session with Mesh_10_0_0_9 is down, as 3 of its peers see it"],
  },
  {
    alert: "StarlingSessionFlaps",
    series: { [`starling_peer_transitions_total{${target("a")}, peer="tor"}`]: "1x15 2 3 4 5 6 6 6 6 6 6 6 6 6 6 6" },
    quiet: "15m",
    fires: "24m",
    summaries: ["the session with tor came up 5 times in a quarter of an hour"],
  },
  {
    alert: "StarlingNoRoutes",
    series: {
      [`starling_peer_up{${peer("a", "tor")}}`]: "1x12",
      [`starling_peer_prefixes_accepted{${target("a")}, peer="tor", family="ipv4"}`]: "7 0x11",
      [`starling_peer_prefixes_accepted{${target("a")}, peer="tor", family="ipv6"}`]: "0x12",
      // Without a session it is no surprise.
      [`starling_peer_up{${peer("b", "tor")}}`]: "0x12",
      [`starling_peer_prefixes_accepted{${target("b")}, peer="tor", family="ipv4"}`]: "0x12",
    },
    quiet: "5m",
    fires: "7m",
    summaries: ["a has sessions and not one route from them"],
  },
  {
    alert: "StarlingRoutesLost",
    series: {
      [`starling_peer_prefixes_accepted{${target("a")}, peer="tor", family="ipv4"}`]: "100x60 40x30",
      [`starling_peer_prefixes_accepted{${target("b")}, peer="tor", family="ipv4"}`]: "100x60 60x30",
    },
    quiet: "65m",
    fires: "75m",
    summaries: ["a has less than half of the routes that it had an hour ago"],
  },
  {
    alert: "StarlingPrefixLimitNear",
    series: {
      [`starling_peer_prefixes_received{${target("a")}, peer="tor", family="ipv4"}`]: "500 950x11",
      [`starling_peer_prefix_limit{${target("a")}, peer="tor", family="ipv4"}`]: "1000x12",
    },
    quiet: "5m",
    fires: "7m",
    summaries: ["tor sends 95% of the ipv4 prefixes that a allows it"],
  },
  {
    alert: "StarlingKernelDiffers",
    series: { [`starling_kernel_routes_unwritten{${target("a")}, family="ipv4"}`]: "0 3x11" },
    quiet: "5m",
    fires: "7m",
    summaries: ["3 ipv4 routes are not in the kernel of a"],
  },
  {
    alert: "StarlingDatastoreAway",
    series: { [`starling_datastore_current{${target("a")}, type="kubernetes"}`]: "1 0x11" },
    quiet: "5m",
    fires: "7m",
    summaries: ["starling on a does not hear the datastore (kubernetes)"],
  },
  {
    alert: "StarlingResourcesRejected",
    series: { [`starling_datastore_problems{${target("a")}}`]: "0 2x11" },
    quiet: "5m",
    fires: "7m",
    summaries: ["starling on a cannot use 2 parts of Calico's resources"],
  },
  {
    alert: "StarlingConfigurationRejected",
    series: { [`starling_config_problems{${target("a")}}`]: "0 1x11" },
    quiet: "5m",
    fires: "7m",
    summaries: ["starling on a rejected 1 parts of its configuration"],
  },
  {
    alert: "StarlingLate",
    series: {
      [`starling_event_loop_lag_seconds{${target("a")}, quantile="1"}`]: "0.01 3x11",
      [`starling_event_loop_lag_seconds{${target("b")}, quantile="1"}`]: "0.01x12",
    },
    quiet: "5m",
    fires: "7m",
    summaries: ["starling on a is late by 3s"],
  },
  {
    alert: "StarlingSlowConvergence",
    series: {
      [`starling_convergence_seconds_bucket{${target("a")}, stage="kernel", le="5"}`]: "0x40",
      [`starling_convergence_seconds_bucket{${target("a")}, stage="kernel", le="10"}`]: "0+60x40",
      [`starling_convergence_seconds_bucket{${target("a")}, stage="kernel", le="+Inf"}`]: "0+60x40",
      [`starling_convergence_seconds_bucket{${target("a")}, stage="sent", le="5"}`]: "0+60x40",
      [`starling_convergence_seconds_bucket{${target("a")}, stage="sent", le="10"}`]: "0+60x40",
      [`starling_convergence_seconds_bucket{${target("a")}, stage="sent", le="+Inf"}`]: "0+60x40",
    },
    quiet: "9m",
    fires: "20m",
    summaries: ["routes take 9.95s at a until they are kernel"],
  },
];

describe("alerts of deploy/kubernetes", () => {
  it("are all tested", () => {
    const alerts = ruleFile().groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
    expect(cases.map(({ alert }) => alert).sort()).toEqual([...alerts].sort());
  });
});

describe.skipIf(promtool === undefined)("alerts of deploy/kubernetes, as Prometheus reads them", () => {
  const folder = mkdtempSync(join(tmpdir(), "starling-alerts-"));
  const rules = join(folder, "rules.yaml");
  beforeAll(() => writeFileSync(rules, dump(ruleFile())));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("are expressions that it takes", async () => {
    expect(await runCommand([promtool ?? "", "check", "rules", rules])).toContain(`${cases.length} rules found`);
  });

  it.each(cases)("$alert fires when it should, and not before", async ({ alert, series, quiet, fires, summaries }) => {
    const text = await runCommand([promtool ?? "", "test", "rules", testFile(alert, series, quiet, [])]);
    expect(text).toContain("SUCCESS");
    // What it says is compared by its summary: promtool wants all of an alert, and prints what there was.
    const said = await runCommand([promtool ?? "", "test", "rules", testFile(alert, series, fires, [])]).catch(String);
    expect(said).toContain("FAILED");
    const got = [...said.matchAll(/summary="((?:[^"\\]|\\.)*)"/g)].map(([, summary]) => summary);
    expect(got).toEqual(summaries);
  });

  function testFile(alert: string, series: Case["series"], moment: string, wanted: readonly object[]): string {
    const file = join(folder, `${alert}.yaml`);
    const test = {
      interval: "1m",
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      alert_rule_test: [{ eval_time: moment, alertname: alert, exp_alerts: wanted }],
    };
    writeFileSync(file, dump({ rule_files: [rules], evaluation_interval: "1m", tests: [test] }));
    return file;
  }
});
