/** Etcd datastores that tests follow, and what they are given to read. */

import type { EtcdOptions } from "../../src/config/calico/datastore/etcd/endpoints.ts";
import { EtcdDatastore } from "../../src/config/calico/datastore/etcd.ts";
import { silentLogger } from "./silent-logger.ts";
import { systemClock } from "./system-clock.ts";
import { ToldObjects } from "./told-objects.ts";
import { waitFor } from "./wait-for.ts";

/** Under which Calico keeps its resources. */
export const ROOT = "/calico/resources/v3/projectcalico.org";

const open: EtcdDatastore[] = [];

export interface Follower {
  readonly told: ToldObjects;
  readonly datastore: EtcdDatastore;
}

export function follow(endpoints: readonly string[], nodeName = "node-1", more: Partial<EtcdOptions> = {}): Follower {
  const told = new ToldObjects();
  const options: EtcdOptions = {
    type: "etcd",
    endpoints,
    discoverySrv: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
    username: undefined,
    password: undefined,
    ...more,
  };
  const datastore = new EtcdDatastore(options, nodeName, told, systemClock, silentLogger);
  open.push(datastore);
  datastore.start();
  return { told, datastore };
}

/** Until what happens is told as it happens; what has been told so far is no longer in the log. */
export async function following(told: ToldObjects): Promise<void> {
  await waitFor(() => told.log.includes("current"), { what: "the datastore to follow etcd" });
  told.log.length = 0;
}

export async function closeFollowers(): Promise<void> {
  await Promise.all(open.splice(0).map((datastore) => datastore.close()));
}

export function peer(name: string, ip = "10.0.0.1") {
  return {
    apiVersion: "projectcalico.org/v3",
    kind: "BGPPeer",
    metadata: { name },
    spec: { peerIP: ip, asNumber: 65001 },
  };
}
