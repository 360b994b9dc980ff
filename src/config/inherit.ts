/** Inheritance of peer keys: templates below peerDefaults, the templates that a peer uses above them, the peer itself on top. */

import { suggestion } from "./nearest.ts";
import type { KeyPath, ProblemList } from "./problem.ts";
import { EXCLUSIVE_KEYS, type PeerInput, type PeerKeys } from "./schema-peer.ts";

/** One mapping of peer keys as written. */
export interface Layer<T extends PeerKeys = PeerKeys> {
  readonly path: KeyPath;
  readonly values: T;
  /** Keys written as null: the default again, whatever was inherited. */
  readonly nulls: readonly string[];
}

/** Mappings in which a layer changes single keys; every other value is replaced as a whole. */
const MERGED = new Set(["timers", "families", "gracefulRestart"]);

export class Templates {
  readonly #templates: ReadonlyMap<string, Layer>;
  readonly #defaults: readonly Layer[];
  readonly #problems: ProblemList;

  constructor(templates: ReadonlyMap<string, Layer>, peerDefaults: Layer | undefined, problems: ProblemList) {
    this.#templates = templates;
    this.#problems = problems;
    for (const [name, layer] of templates) this.#chain(layer, [name], undefined);
    this.#defaults = peerDefaults === undefined ? [] : this.#chain(peerDefaults, [], undefined);
  }

  /** The peer's keys with all that they inherit. */
  apply(layer: Layer<PeerInput>, peer: string | undefined): PeerInput {
    const layers = [...this.#defaults, ...this.#chain(layer, [], peer)];
    return layers.reduce<Record<string, unknown>>(merge, {});
  }

  /** What the layer stands on, lowest first, and then itself. */
  #chain(layer: Layer, within: readonly string[], peer: string | undefined): readonly Layer[] {
    const { use = [] } = layer.values;
    const names = typeof use === "string" ? [use] : use;
    const below = names.flatMap((name, i) => {
      const path = typeof use === "string" ? [...layer.path, "use"] : [...layer.path, "use", i];
      const template = this.#templates.get(name);
      if (template === undefined) {
        const known = [...this.#templates.keys()];
        const accepted = known.length === 0 ? "; there are no templates" : `; accepted: ${known.join(", ")}`;
        this.#problems.error(path, `no template "${name}"${suggestion(name, known) || accepted}`, peer);
        return [];
      }
      if (within.includes(name)) {
        // Told once, where the circle begins; who merely leads into it need not hear of it again.
        if (within[0] === name) {
          this.#problems.error(path, `templates use each other in a circle: ${[...within, name].join(" -> ")}`, peer);
        }
        return [];
      }
      return this.#chain(template, [...within, name], peer);
    });
    return [...below, layer];
  }
}

function merge(lower: Record<string, unknown>, layer: Layer): Record<string, unknown> {
  const result = { ...lower };
  for (const key of layer.nulls) delete result[key];
  for (const group of EXCLUSIVE_KEYS) {
    if (group.some((key) => layer.values[key] !== undefined)) for (const key of group) delete result[key];
  }
  for (const [key, value] of Object.entries(layer.values)) {
    if (key === "use" || value === undefined) continue;
    result[key] = MERGED.has(key) ? mergeMappings(result[key], value) : value;
  }
  return result;
}

function mergeMappings(lower: unknown, upper: unknown): unknown {
  if (!isMapping(lower) || !isMapping(upper)) return upper;
  const result = { ...lower };
  for (const [key, value] of Object.entries(upper)) result[key] = mergeMappings(result[key], value);
  return result;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
