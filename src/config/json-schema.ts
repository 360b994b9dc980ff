/** The file's JSON Schema: what `starling config schema` prints, and where the known keys of any place are looked up. */

import * as z from "zod";
import type { KeyPath } from "./problem.ts";
import { fileSchema } from "./schema.ts";

/** As much of JSON Schema as zod writes. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  /** What is accepted, in words. */
  readonly $comment?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
}

let cached: JsonSchema | undefined;

/** Made once. */
export function jsonSchema(): JsonSchema {
  cached ??= z.toJSONSchema(fileSchema, { io: "input", override: restore }) as JsonSchema;
  return cached;
}

/** zod leaves defaults and examples out where the text is transformed; a default of null means that null may be written. */
function restore(context: {
  readonly zodSchema: z.core.$ZodTypes;
  readonly jsonSchema: z.core.JSONSchema.BaseSchema;
}): void {
  const about = z.globalRegistry.get(context.zodSchema);
  const schema = context.jsonSchema;
  if (about?.["examples"] !== undefined) Object.assign(schema, { examples: about["examples"] });
  const value = about?.["default"];
  if (value === undefined) return;
  Object.assign(schema, { default: value });
  if (value !== null || typeof schema.type !== "string") return;
  Object.assign(schema, { type: [schema.type, "null"] });
  if (schema.enum !== undefined) schema.enum = [...schema.enum, null];
}

/** The keys that a mapping at this place may hold. */
export function knownKeys(path: KeyPath): readonly string[] {
  let nodes: readonly JsonSchema[] = alternatives(jsonSchema());
  for (const key of path) nodes = nodes.flatMap((node) => below(node, key).flatMap(alternatives));
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}

function below(node: JsonSchema, key: string | number): readonly JsonSchema[] {
  if (typeof key === "number") return node.items === undefined ? [] : [node.items];
  const named = node.properties?.[key];
  if (named !== undefined) return [named];
  return typeof node.additionalProperties === "object" ? [node.additionalProperties] : [];
}

/** The node itself, or what it refers to and chooses from. */
export function alternatives(node: JsonSchema): readonly JsonSchema[] {
  const name = node.$ref?.replace("#/$defs/", "");
  const target = name === undefined ? undefined : jsonSchema().$defs?.[name];
  if (target !== undefined) return alternatives(target);
  const choices = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
  return choices.length === 0 ? [node] : choices.flatMap(alternatives);
}
