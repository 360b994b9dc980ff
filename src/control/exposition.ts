/** The Prometheus text format (version 0.0.4), written line by line. */

export interface MetricInfo {
  readonly name: string;
  readonly type: "gauge" | "counter" | "histogram" | "summary";
  readonly labels: readonly string[];
  readonly help: string;
}

export function metricHead(metric: MetricInfo): string {
  return `# HELP ${metric.name} ${escapeHelp(metric.help)}\n# TYPE ${metric.name} ${metric.type}\n`;
}

/** `labels` as from `labelText`; one sample is one line. */
export function sampleLine(name: string, labels: string, value: number): string {
  return labels === "" ? `${name} ${numberText(value)}\n` : `${name}{${labels}} ${numberText(value)}\n`;
}

export function labelText(labels: Readonly<Record<string, string>>): string {
  let text = "";
  for (const name of Object.keys(labels)) {
    text += `${text === "" ? "" : ","}${name}="${escapeLabel(labels[name] ?? "")}"`;
  }
  return text;
}

/** Counts observations per bucket without allocating; for hot code. */
export class Histogram {
  readonly #bounds: Float64Array;
  readonly #counts: Float64Array;
  #sum = 0;

  /** `bounds` ascend; the last bucket, +Inf, is implied. */
  constructor(bounds: readonly number[]) {
    this.#bounds = Float64Array.from(bounds);
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number, times: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] ?? 0)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + times;
    this.#sum += value * times;
  }

  text(name: string, labels: string): string {
    const comma = labels === "" ? "" : `${labels},`;
    let lines = "";
    let cumulative = 0;
    for (let bucket = 0; bucket <= this.#bounds.length; bucket++) {
      cumulative += this.#counts[bucket] ?? 0;
      lines += sampleLine(`${name}_bucket`, `${comma}le="${numberText(this.#bounds[bucket] ?? Infinity)}"`, cumulative);
    }
    return `${lines}${sampleLine(`${name}_sum`, labels, this.#sum)}${sampleLine(`${name}_count`, labels, cumulative)}`;
  }
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}

function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value) ? value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n") : value;
}

function escapeHelp(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/\n/g, "\\n");
}
