import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { MetricInfo } from "../../../src/control/exposition.ts";
import { METRIC } from "../../../src/control/metrics-list.ts";
import { ProcessMetrics } from "../../../src/control/process-metrics.ts";
import { deployFolder } from "../../harness/deploy-kubernetes.ts";
import { type AlertRule, metricsIn, ruleFile, selectorsIn } from "../../harness/prometheus-rules.ts";

/** Put there by Prometheus and the ServiceMonitor, not by starling. */
const targetLabels = ["job", "instance", "node", "component", "namespace", "pod"];

const ours = new Map<string, MetricInfo>(Object.values(METRIC).map((metric) => [metric.name, metric]));
const ownName = (name: string) => (ours.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ""));

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string; readonly refId: string }[];
}

const dashboard = JSON.parse(readFileSync(join(deployFolder, "monitoring", "dashboard.json"), "utf8")) as {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
};
const rules: readonly AlertRule[] = ruleFile().groups.flatMap((group) => group.rules);
const expressions = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
];

describe("metrics in alerts and on the dashboard", () => {
  it.each(expressions)("%s: the code has them, with these labels", async (_name, expression) => {
    const ofProcess = new ProcessMetrics();
    const processNames = [...(await ofProcess.text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    ofProcess.close();
    const names = metricsIn(expression);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      expect(name === "up" || ours.has(ownName(name)) || processNames.includes(name), name).toBe(true);
    }
    for (const { metric, labels } of selectorsIn(expression)) {
      const known = [...targetLabels, ...(ours.get(ownName(metric))?.labels ?? [])];
      expect(known, metric).toEqual(expect.arrayContaining([...labels]));
    }
  });

  it("are found wherever they stand in an expression", () => {
    expect(metricsIn('sum by (starling_x) (rate(starling_a_bucket{le="starling_b"}[5m])) / up')).toEqual([
      "starling_a_bucket",
      "up",
    ]);
  });
});

describe("alerts", () => {
  it.each(rules.map((rule) => [rule.alert, rule] as const))("%s says what is wrong and what to do", (_name, rule) => {
    expect(rule.labels.severity).toMatch(/^(critical|warning)$/);
    expect(Object.keys(rule.annotations).sort()).toEqual(["action", "description", "summary"]);
    const grouped = /\bby \(([^)]*)\)/.exec(rule.expr)?.[1]?.split(", ");
    const names = metricsIn(rule.expr).flatMap((name) => ours.get(ownName(name))?.labels ?? []);
    // After an aggregation only the labels that it kept can be named.
    const there = grouped ?? [...targetLabels, ...names];
    for (const text of Object.values(rule.annotations)) {
      for (const [, label = ""] of text.matchAll(/\$labels\.(\w+)/g))
        expect(there, `${rule.alert}: ${text}`).toContain(label);
    }
  });

  it("name sections of docs/operations.md that are there", () => {
    const operations = readFileSync(join(deployFolder, "../../docs/operations.md"), "utf8");
    const quoted = rules.flatMap(({ annotations }) => [...(annotations["action"] ?? "").matchAll(/"([A-Z][^"]+)"/g)]);
    expect(quoted.length).toBeGreaterThan(4);
    for (const [, title = ""] of quoted) expect(operations).toMatch(new RegExp(`^#+ ${title}$`, "m"));
  });
});

describe("the dashboard", () => {
  it("has panels that do not overlap, each with a number of its own", () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });

  it("uses the variables that it defines", () => {
    const names = dashboard.templating.list.map(({ name }) => name);
    const used = new Set(
      [...JSON.stringify(dashboard).matchAll(/\$\{?(\w+)\}?/g)]
        .map(([, name = ""]) => name)
        .filter((name) => !name.startsWith("__")),
    );
    expect([...used].sort()).toEqual([...names].sort());
  });
});
