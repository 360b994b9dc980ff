/** A datastore that reads from the API server double, with waits of milliseconds. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type KubernetesContext, KubernetesDatastore } from "../../../../src/config/calico/datastore/kubernetes.ts";
import type { KubernetesOptions } from "../../../../src/config/calico/datastore/kubernetes-access.ts";
import { systemClock } from "../../../../src/daemon/clock.ts";
import { KubernetesApi } from "../../../harness/kubernetes-api.ts";
import type { ApiObject } from "../../../harness/kubernetes-objects.ts";
import { silentLogger } from "../../../harness/silent-logger.ts";
import { ToldObjects } from "../../../harness/told-objects.ts";
import { waitFor } from "../../../harness/wait-for.ts";

export const V1 = "crd.projectcalico.org/v1";

const QUICK = {
  firstWait: 20,
  longestWait: 100,
  refused: 50,
  answer: 15_000,
  shortWatch: 10,
};

export interface Followed {
  readonly api: KubernetesApi;
  readonly told: ToldObjects;
  readonly datastore: KubernetesDatastore;
}

export async function startApi(tls?: { key: string; cert: string }): Promise<KubernetesApi> {
  const api = await KubernetesApi.start(tls);
  onTestFinished(() => api.close());
  return api;
}

function optionsFor(api: KubernetesApi, given: Partial<KubernetesOptions> = {}): KubernetesOptions {
  return {
    type: "kubernetes",
    kubeconfig: undefined,
    context: undefined,
    apiGroup: undefined,
    apiServer: { url: api.url, ca: undefined, cert: undefined, key: undefined, token: undefined, skipVerify: false },
    ...given,
  };
}

export function follow(
  api: KubernetesApi,
  context: Partial<KubernetesContext> = {},
  options: Partial<KubernetesOptions> = {},
): Followed {
  const told = new ToldObjects();
  const whole = {
    nodeName: "node-1",
    advertiseClusterIps: undefined,
    ...context,
    timings: { ...QUICK, ...context.timings },
  };
  const datastore = new KubernetesDatastore(optionsFor(api, options), whole, told, systemClock, silentLogger);
  onTestFinished(() => datastore.close());
  datastore.start();
  return { api, told, datastore };
}

/** Follows until all is told, and every kind is being watched. */
export async function followed(...given: Parameters<typeof follow>): Promise<Followed> {
  const all = follow(...given);
  await synced(all);
  await waitFor(() => all.api.watched.length >= 9, { what: "a watch of every kind", interval: 5 });
  return all;
}

export async function synced({ told }: Pick<Followed, "told">): Promise<void> {
  await waitFor(() => told.isSynced, { what: `the first picture; disturbed: ${told.disturbance}`, interval: 5 });
}

export function seen(told: ToldObjects, what: string): Promise<unknown> {
  return waitFor(() => told.log.includes(what), { what, interval: 5 });
}

export function peer(name: string, spec: object = { peerIP: "10.0.0.9", asNumber: 64512 }): ApiObject {
  return { apiVersion: V1, kind: "BGPPeer", metadata: { name }, spec };
}

export function node(name: string, more: object = {}): ApiObject {
  const annotations = { "projectcalico.org/IPv4Address": "10.0.0.1/24", "volumes.kubernetes.io/controller": "true" };
  return { apiVersion: "v1", kind: "Node", metadata: { name, labels: { rack: "a" }, annotations }, ...more };
}

export function secret(name: string, namespace = "kube-system"): ApiObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, type: "Opaque", data: { a: "cGFzcw==" } };
}

/** A folder that goes when the test ends. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "starling-kubernetes-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A kubeconfig whose token stands in a file. */
export function kubeconfig(api: KubernetesApi, tokenFile: string): string {
  const path = join(folder(), "config");
  const provider = { name: "tokenFile", config: { tokenFile } };
  const cluster = { server: api.url, "insecure-skip-tls-verify": true };
  writeFileSync(
    path,
    JSON.stringify({
      clusters: [{ name: "double", cluster }],
      users: [{ name: "starling", user: { "auth-provider": provider } }],
      contexts: [{ name: "test", context: { cluster: "double", user: "starling" } }],
      "current-context": "test",
    }),
  );
  return path;
}
