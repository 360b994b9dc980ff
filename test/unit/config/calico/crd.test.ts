/** The fields that are known, and the texts that they take, are those of Calico's own schemas: in both API groups. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { bgpConfigurationFields } from "../../../../src/config/calico/resources/bgp-configuration.ts";
import { bgpFilterFields } from "../../../../src/config/calico/resources/bgp-filter.ts";
import { bgpPeerFields } from "../../../../src/config/calico/resources/bgp-peer.ts";
import { blockAffinityFields } from "../../../../src/config/calico/resources/block-affinity.ts";
import type { Field, Fields } from "../../../../src/config/calico/resources/fields.ts";
import { ipPoolFields } from "../../../../src/config/calico/resources/ip-pool.ts";
import { shared } from "../../../harness/shared-data.ts";

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly allOf?: readonly Schema[];
  readonly pattern?: string;
  readonly type?: string;
}

const kinds: readonly (readonly [string, Fields])[] = [
  ["bgpconfigurations", bgpConfigurationFields],
  ["bgppeers", bgpPeerFields],
  ["bgpfilters", bgpFilterFields],
  ["ippools", ipPoolFields],
  ["blockaffinities", blockAffinityFields],
];
const groups = [
  ["crd-v1", "crd.projectcalico.org"],
  ["crd-v3", "projectcalico.org"],
] as const;

const files = groups.flatMap(([folder, group]) =>
  kinds.flatMap(([plural, fields]) => {
    const path = join(shared(`calico/${folder}`) ?? "", `${group}_${plural}.yaml`);
    return existsSync(path) ? [[`${folder}/${plural}`, path, fields] as const] : [];
  }),
);

describe.skipIf(files.length === 0)("Calico's schemas (skipped without ../shared/data)", () => {
  it.each(files)("%s", (_name, path, fields) => {
    const schema = specOf(load(readFileSync(path, "utf8")));
    expect(known("spec", fields)).toEqual(expect.objectContaining(written("spec", schema, fields)));
    expect(Object.keys(known("spec", fields)).sort()).toEqual(Object.keys(written("spec", schema, fields)).sort());
  });
});

function specOf(definition: unknown): Schema {
  const { spec } = definition as {
    spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: Schema } } } }[] };
  };
  const schema = spec.versions[0]?.schema.openAPIV3Schema.properties.spec;
  if (schema === undefined) throw new Error("no schema");
  return schema;
}

/** Choices by the path of each field; null where any text or number is taken. */
function known(path: string, fields: Fields): Record<string, readonly string[] | null> {
  return Object.assign({}, ...Object.entries(fields).map(([key, field]) => ofField(`${path}.${key}`, field)));
}

function ofField(path: string, field: Field<unknown>): Record<string, readonly string[] | null> {
  const own = { [path]: field.choices === undefined ? null : [...field.choices].sort() };
  return {
    ...own,
    ...(field.fields === undefined ? {} : known(path, field.fields)),
    ...(field.items === undefined ? {} : ofField(`${path}[]`, field.items)),
  };
}

/** Of fields that have no meaning for BGP the inside is not compared. */
function written(path: string, { properties = {} }: Schema, fields: Fields): Record<string, readonly string[] | null> {
  return Object.assign(
    {},
    ...Object.entries(properties).map(([key, schema]) => ofSchema(`${path}.${key}`, schema, fields[key])),
  );
}

function ofSchema(
  path: string,
  schema: Schema,
  field: Field<unknown> | undefined,
): Record<string, readonly string[] | null> {
  if (field?.accepts === "anything") return { [path]: null };
  const choices = schema.enum ?? schema.allOf?.find((one) => one.enum !== undefined)?.enum;
  return {
    [path]: choices === undefined ? null : [...choices].sort(),
    ...written(path, schema, field?.fields ?? {}),
    ...(schema.items === undefined ? {} : ofSchema(`${path}[]`, schema.items, field?.items)),
  };
}
