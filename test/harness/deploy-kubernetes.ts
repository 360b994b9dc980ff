/** What deploy/kubernetes comes to: each overlay, as it is and with its components. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { buildKustomization, type Manifest } from "./kustomize.ts";

export const deployFolder = fileURLToPath(new URL("../../deploy/kubernetes", import.meta.url));

/** In the words of a kustomization of a user's own: an overlay and the components added to it. */
export const combinations: readonly (readonly [overlay: string, ...components: string[]])[] = [
  ["mesh"],
  ["reflectors"],
  ["tor"],
  ["mesh", "monitoring"],
  ["reflectors", "monitoring"],
  ["tor", "monitoring"],
  ["mesh", "by-label"],
  ["reflectors", "by-label", "monitoring"],
];

/** A user's kustomization beside ours, for as long as `use` needs it. */
export function withKustomization<Result>(
  [overlay, ...components]: readonly [string, ...string[]],
  use: (folder: string) => Result,
): Result {
  const parent = mkdtempSync(join(tmpdir(), "starling-kustomize-"));
  const folder = join(parent, "own");
  mkdirSync(folder);
  const path = (name: string) => JSON.stringify(relative(folder, join(deployFolder, name)));
  const kustomization = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [${path(`overlays/${overlay}`)}]
components: [${components.map(path).join(", ")}]
`;
  writeFileSync(join(folder, "kustomization.yaml"), kustomization);
  try {
    return use(folder);
  } finally {
    rmSync(parent, { recursive: true });
  }
}

export function manifestsOf(combination: readonly [string, ...string[]]): Manifest[] {
  return withKustomization(combination, buildKustomization);
}
