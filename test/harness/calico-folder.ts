/** A case of Calico's laid out on disk: its resources one to a file, Felix's status files, and a configuration that reads them. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dump } from "js-yaml";
import type { CalicoCase, CaseState } from "./calico-case.ts";
import type { ApiObject } from "./kubernetes-objects.ts";

export interface StatusFile {
  readonly name: string;
  readonly content: unknown;
}

/** The folder of endpoint-status files: CALICO_ENDPOINT_STATUS_PATH_PREFIX. */
export function writeStatusFiles(directory: string, files: readonly StatusFile[]): string {
  const folder = join(directory, "run");
  mkdirSync(join(folder, "endpoint-status"), { recursive: true });
  for (const { name, content } of files) writeFileSync(join(folder, "endpoint-status", name), JSON.stringify(content));
  return folder;
}

/** The folder of resources. */
export function writeResources(directory: string, { resources, kubernetes }: CaseState): string {
  const folder = join(directory, "resources");
  mkdirSync(folder, { recursive: true });
  for (const object of [...resources, ...kubernetes]) writeFileSync(join(folder, fileName(object)), text(object));
  return folder;
}

/** A file that asks for that folder, and for a control socket beside it. */
export function writeConfig(directory: string, one: CalicoCase, resources: string): string {
  const path = join(directory, "starling.yaml");
  const datastore = { type: "file", path: resources };
  const value = {
    calico: { nodeName: one.node, release: one.release, datastore },
    control: { socket: join(directory, "control.sock") },
  };
  writeFileSync(path, dump(value));
  return path;
}

export function fileName({ apiVersion, kind, metadata }: ApiObject): string {
  const group = apiVersion.startsWith("projectcalico.org/") ? "" : "k8s-";
  const namespace = metadata.namespace === undefined ? "" : `${metadata.namespace}-`;
  return `${group}${kind.toLowerCase()}-${namespace}${metadata.name}.yaml`;
}

/** What begins with _ is a note of the case to its reader. */
function text(object: ApiObject): string {
  return dump(Object.fromEntries(Object.entries(object).filter(([key]) => !key.startsWith("_"))));
}
