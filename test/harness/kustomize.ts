/**
 * Builds a kustomization as `kubectl kustomize` does, as far as deploy/kubernetes goes: resources, components, strategic merge patches,
 * ConfigMaps from files, images and a suffix. Anything else in a kustomization is refused, so that nothing is silently left out.
 */

import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { load, loadAll } from "js-yaml";

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly [key: string]: unknown;
}

interface Patch {
  readonly path: string;
  readonly target?: { readonly kind: string; readonly labelSelector: string };
}

interface Generator {
  readonly name: string;
  readonly namespace: string;
  readonly files: readonly string[];
  readonly options?: { readonly disableNameSuffixHash: boolean; readonly labels: Record<string, string> };
}

interface Kustomization {
  readonly apiVersion: string;
  readonly kind: string;
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly patches?: readonly Patch[];
  readonly configMapGenerator?: readonly Generator[];
  readonly images?: readonly { readonly name: string; readonly newName: string; readonly newTag: string }[];
  readonly nameSuffix?: string;
}

const understood: readonly (keyof Kustomization)[] = [
  "apiVersion",
  "kind",
  "resources",
  "components",
  "patches",
  "configMapGenerator",
  "images",
  "nameSuffix",
];

/** Generated ConfigMaps keep their plain names: who compares cuts off the suffix of the other side. */
export function buildKustomization(folder: string): Manifest[] {
  return [...apply(folder, []).values()];
}

function apply(folder: string, from: readonly (readonly [string, Manifest])[]): Map<string, Manifest> {
  const kustomization = load(readFileSync(join(folder, "kustomization.yaml"), "utf8")) as Kustomization;
  for (const key of Object.keys(kustomization)) {
    if (!understood.includes(key as keyof Kustomization)) throw new RangeError(`${folder}: ${key} is not understood`);
  }
  let manifests = new Map(from);
  const add = (manifest: Manifest) => {
    const key = keyOf(manifest);
    if (manifests.has(key)) throw new RangeError(`${folder}: ${key} is there twice`);
    manifests.set(key, manifest);
  };
  for (const path of kustomization.resources ?? []) resourcesAt(join(folder, path)).forEach(add);
  for (const path of kustomization.components ?? []) manifests = apply(join(folder, path), [...manifests]);
  for (const generator of kustomization.configMapGenerator ?? []) add(generated(folder, generator));
  for (const patch of kustomization.patches ?? []) patched(folder, patch, manifests);
  const images = new Map(kustomization.images?.map(({ name, newName, newTag }) => [name, `${newName}:${newTag}`]));
  const suffix = kustomization.nameSuffix ?? "";
  return new Map(
    [...manifests].map(([key, manifest]) => {
      const metadata = { ...manifest.metadata, name: `${manifest.metadata.name}${suffix}` };
      return [key, withImages({ ...manifest, metadata }, images) as Manifest];
    }),
  );
}

function resourcesAt(path: string): Manifest[] {
  if (!existsSync(path)) throw new RangeError(`${path}: no such file`);
  if (statSync(path).isDirectory()) return buildKustomization(path);
  return loadAll(readFileSync(path, "utf8")) as Manifest[];
}

export function keyOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
}

function generated(folder: string, { name, namespace, files, options }: Generator): Manifest {
  const data = files.map((file) => {
    const [key, path] = file.includes("=") ? file.split("=") : [basename(file), file];
    return [key, readFileSync(join(folder, path ?? ""), "utf8")];
  });
  const labels = options === undefined ? {} : { labels: options.labels };
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace, ...labels },
    data: Object.fromEntries(data),
  };
}

function patched(folder: string, { path, target }: Patch, manifests: Map<string, Manifest>): void {
  const patch = load(readFileSync(join(folder, path), "utf8")) as Manifest;
  const [label = "", value = ""] = target?.labelSelector.split("=") ?? [];
  const matches = (manifest: Manifest) =>
    target === undefined
      ? keyOf(manifest) === keyOf(patch)
      : new RegExp(`^(${target.kind})$`).test(manifest.kind) && manifest.metadata.labels?.[label] === value;
  const found = [...manifests].filter(([, manifest]) => matches(manifest));
  if (found.length === 0) throw new RangeError(`${join(folder, path)}: nothing to patch`);
  for (const [key, manifest] of found) {
    const merged = merge(manifest, patch) as Manifest;
    const { metadata } = manifest;
    manifests.set(key, target === undefined ? merged : { ...merged, kind: manifest.kind, metadata });
  }
}

/** What tells elements of a list apart; a list without such a key is replaced as a whole. */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: "name",
  initContainers: "name",
  volumes: "name",
  env: "name",
  volumeMounts: "mountPath",
};

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Strategic merge: null removes, mappings merge, and what a patch says of a list's elements comes first. */
function merge(base: unknown, patch: unknown, field = ""): unknown {
  const key = mergeKeys[field];
  if (Array.isArray(base) && Array.isArray(patch) && key !== undefined) {
    const same = (one: Fields) => (other: Fields) => one[key] === other[key];
    const first = patch.map((element: Fields) => merge(base.find(same(element)) ?? {}, element));
    return [...first, ...base.filter((element: Fields) => !patch.some(same(element)))];
  }
  if (!isFields(patch)) return patch;
  const result: Record<string, unknown> = isFields(base) ? { ...base } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merge(result[name], value, name);
  }
  return result;
}

function withImages(value: unknown, images: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((element) => withImages(element, images));
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      name === "image" && typeof inner === "string" ? (images.get(inner) ?? inner) : withImages(inner, images),
    ]),
  );
}
