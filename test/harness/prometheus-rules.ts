/** The alerts of deploy/kubernetes, and the metrics that an expression names. */

import { manifestsOf } from "./deploy-kubernetes.ts";

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly AlertRule[] }[];
}

/** As Prometheus itself reads it: what stands under `spec` of the PrometheusRule. */
export function ruleFile(): RuleFile {
  const rule = manifestsOf(["mesh", "monitoring"]).find(({ kind }) => kind === "PrometheusRule");
  if (rule === undefined) throw new RangeError("no PrometheusRule");
  return rule["spec"] as RuleFile;
}

/** Every name in an expression that is a metric and no function, keyword, label or text. */
export function metricsIn(expression: string): string[] {
  const bare = expression.replaceAll(/"[^"]*"/g, '""').replaceAll(/\b(?:by|on|without)\s*\([^)]*\)/g, "");
  return [...bare.matchAll(/\b(up|(?:starling|process|nodejs)_\w+)\b(?!\s*\()/g)].map(([, name = ""]) => name);
}

/** The labels that an expression selects by, with the metric they stand at. */
export function selectorsIn(expression: string): { readonly metric: string; readonly labels: readonly string[] }[] {
  return [...expression.matchAll(/\b(\w+)\{([^}]*)\}/g)].map(([, metric = "", inner = ""]) => ({
    metric,
    labels: [...inner.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = ""]) => label),
  }));
}
