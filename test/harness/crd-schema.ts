/** Judges objects by the schema of a CustomResourceDefinition, as an API server does that refuses what it does not know. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
}

interface Definition {
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

/** By kind, of all definitions in a folder. */
export function schemasIn(folder: string): Map<string, Schema> {
  const definitions = readdirSync(folder).map((name) => load(readFileSync(join(folder, name), "utf8")) as Definition);
  return new Map(
    definitions.flatMap(({ spec }) => {
      const schema = spec.versions[0]?.schema.openAPIV3Schema;
      return schema === undefined ? [] : [[spec.names.kind, schema] as const];
    }),
  );
}

/** What is wrong, one line each: the path, and why. */
export function problemsBy(schema: Schema, value: unknown, path = ""): string[] {
  const problem = (why: string) => [`${path || "."}: ${why}`];
  if (schema.enum !== undefined && !schema.enum.includes(value)) return problem(`none of ${schema.enum.join(", ")}`);
  if (schema["x-kubernetes-int-or-string"] === true) {
    return Number.isInteger(value) || typeof value === "string" ? [] : problem("neither an integer nor text");
  }
  switch (schema.type) {
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value)
        ? objectProblems(schema, value as Readonly<Record<string, unknown>>, path)
        : problem("no object");
    case "array":
      if (!Array.isArray(value)) return problem("no list");
      if (value.length < (schema.minItems ?? 0)) return problem("too few");
      if (value.length > (schema.maxItems ?? Number.POSITIVE_INFINITY)) return problem("too many");
      return value.flatMap((element, i) => problemsBy(schema.items ?? {}, element, `${path}[${i}]`));
    case "integer":
    case "number":
      if (typeof value !== "number" || (schema.type === "integer" && !Number.isInteger(value)))
        return problem("no number");
      return value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity)
        ? problem("out of range")
        : [];
    case "string":
      if (typeof value !== "string") return problem("no text");
      if (value.length < (schema.minLength ?? 0) || value.length > (schema.maxLength ?? Infinity))
        return problem("too long or short");
      return schema.pattern === undefined || new RegExp(schema.pattern).test(value)
        ? []
        : problem(`not as ${schema.pattern}`);
    case "boolean":
      return typeof value === "boolean" ? [] : problem("neither true nor false");
    default:
      return [];
  }
}

function objectProblems(schema: Schema, value: Readonly<Record<string, unknown>>, path: string): string[] {
  const { properties, additionalProperties, required = [] } = schema;
  const missing = required.filter((name) => !(name in value)).map((name) => `${path}.${name}: missing`);
  const open = properties === undefined && additionalProperties === undefined;
  const wrong = Object.entries(value).flatMap(([name, inner]) => {
    const known = properties?.[name] ?? additionalProperties;
    if (known !== undefined) return problemsBy(known, inner, `${path}.${name}`);
    return open || schema["x-kubernetes-preserve-unknown-fields"] === true ? [] : [`${path}.${name}: unknown field`];
  });
  return [...missing, ...wrong];
}
