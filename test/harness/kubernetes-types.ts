/**
 * Checks objects against Kubernetes' own schema, as its client for TypeScript carries it: each object becomes a literal of its kind's
 * type, and the compiler says which field does not exist, is missing, or has a value of the wrong type.
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { keyOf, type Manifest } from "./kustomize.ts";

/** By API version; kinds of the client's that are not listed are not ours to deploy. */
const typeNames: Readonly<Record<string, readonly string[]>> = {
  v1: ["ConfigMap", "Service", "ServiceAccount"],
  "apps/v1": ["DaemonSet", "Deployment"],
  "policy/v1": ["PodDisruptionBudget"],
  "rbac.authorization.k8s.io/v1": ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
};

export function isKubernetesOwn({ apiVersion, kind }: Manifest): boolean {
  return typeNames[apiVersion]?.includes(kind) === true;
}

/** Returns what is wrong, one line each, with the name of the object. */
export function schemaProblems(manifests: readonly Manifest[]): string[] {
  const kinds = [...new Set(manifests.map(({ kind }) => `V1${kind}`))];
  const lines = manifests.map(
    (manifest, i) => `export const object${i}: ${`V1${manifest.kind}`} = ${JSON.stringify(manifest)};`,
  );
  const text = [`import type { ${kinds.join(", ")} } from "@kubernetes/client-node";`, ...lines].join("\n");
  const name = join(fileURLToPath(new URL("../..", import.meta.url)), "test", "manifests-as-types.ts");
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ["node"],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.ES2023, true);
  host.getSourceFile = (file, ...rest) => (file === name ? source : getSourceFile.call(host, file, ...rest));
  host.fileExists = (file) => file === name || fileExists.call(host, file);
  const program = ts.createProgram([name], options, host);
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "; ");
    if (diagnostic.file?.fileName !== name) return message;
    const manifest = manifests[source.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line - 1];
    return `${manifest === undefined ? "" : keyOf(manifest)}: ${message}`;
  });
}
