/** A cluster that is told objects as they are written, and tells what a node makes of them. */

import { Cluster } from "../../../../src/config/calico/cluster.ts";
import { type StoredForm, toStoredForm } from "../../../../src/config/calico/datastore/stored-form.ts";
import type { CalicoFamily, CalicoModel } from "../../../../src/config/calico/model.ts";
import { keyOf, keyText } from "../../../../src/config/calico/object-key.ts";
import type { ObjectKey, StoredObject } from "../../../../src/config/calico/stored-object.ts";
import { type Translation, translate } from "../../../../src/config/calico/translate.ts";

export type Written = Readonly<Record<string, unknown>>;
export type Options = Parameters<typeof translate>[1];

export const OPTIONS: Options = {
  nodeName: "node-1",
  nodeSelector: undefined,
  kubernetesNodeName: "node-1",
  release: "3.33",
  role: "node",
  secretNamespace: "kube-system",
  routerId: "",
  advertiseClusterIps: undefined,
  usePodCidr: false,
};

/** As a datastore does: what is the same is told again, what is missing is deleted. */
export class TestCluster {
  readonly cluster = new Cluster();
  #keys = new Map<string, ObjectKey>();

  become(objects: readonly Written[]): this {
    const keys = new Map<string, ObjectKey>();
    for (const written of objects) {
      const form = formOf(written);
      if (form.kind === "foreign") continue;
      if (form.kind === "wrong") {
        this.cluster.unreadable(JSON.stringify(written), form.message);
        continue;
      }
      this.cluster.set(form.object, `test:${keyText(form.key)}`);
      keys.set(keyText(form.key), form.key);
    }
    for (const [text, key] of this.#keys) if (!keys.has(text)) this.cluster.deleted(key);
    this.#keys = keys;
    return this;
  }

  translate(options: Partial<Options> = {}): Translation {
    return translate(this.cluster, { ...OPTIONS, ...options });
  }

  model(options: Partial<Options> = {}): CalicoModel {
    const { model, waiting } = this.translate(options);
    if (model === undefined) throw new Error(`no model: ${waiting}`);
    return model;
  }

  /** "BGPPeer/a spec.peerIP: ...". */
  problems(options: Partial<Options> = {}): string[] {
    return this.translate(options).problems.map(({ resource, field, message }) =>
      `${resource} ${field}: ${message}`.trim(),
    );
  }
}

/** Felix's files are no resources: what reads them makes objects of them itself. */
function formOf(written: Written): StoredForm {
  if (written["kind"] !== "EndpointStatus") return toStoredForm(written);
  const object = written as unknown as StoredObject;
  return { kind: "object", object, key: keyOf(object) };
}

export function clusterOf(...objects: readonly Written[]): TestCluster {
  return new TestCluster().become(objects);
}

/** The form of the cases: without what is not shown. */
export function shownFamily({ peers, ...family }: CalicoFamily): unknown {
  return { ...family, peers: peers.map(({ source: _, ...peer }) => peer) };
}

export function calico(kind: string, name: string, spec: Written = {}, metadata: Written = {}): Written {
  return { apiVersion: "projectcalico.org/v3", kind, metadata: { ...metadata, name }, spec };
}

/** A Node with an address, and labels. */
export function node(name: string, bgp: Written, labels: Readonly<Record<string, string>> = {}): Written {
  return calico("Node", name, { bgp }, { labels });
}
