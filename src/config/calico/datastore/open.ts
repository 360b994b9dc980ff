/** The datastore that the options name, with Felix's files beside it. Each kind is loaded only where it is used. */

import type { Clock, Logger } from "../../../bgp/model/ports.ts";
import type { CalicoOptions } from "../options.ts";
import { joinEvents } from "./joined-events.ts";
import type { Datastore, DatastoreEvents } from "./port.ts";

export async function openDatastore(
  options: CalicoOptions,
  events: DatastoreEvents,
  clock: Clock,
  log: Logger,
): Promise<Datastore> {
  const [ofResources = events, ofStatuses = events] = joinEvents(events, 2);
  const { endpointStatusDatastore } = await import("./endpoint-status.ts");
  const statuses = endpointStatusDatastore(options.endpointStatusFolder, ofStatuses, clock, log);
  const resources = await openResources(options, ofResources, clock, log);
  return {
    start: () => {
      statuses.start();
      resources.start();
    },
    wantSecrets: (namespace, names) => resources.wantSecrets(namespace, names),
    writeNodeStatus: resources.writeNodeStatus?.bind(resources),
    close: async () => {
      await Promise.all([statuses.close(), resources.close()]);
    },
  };
}

async function openResources(
  options: CalicoOptions,
  events: DatastoreEvents,
  clock: Clock,
  log: Logger,
): Promise<Datastore> {
  const { datastore } = options;
  switch (datastore.type) {
    case "file": {
      const { FileDatastore } = await import("./file.ts");
      return new FileDatastore(datastore.path, events, clock, log);
    }
    case "etcd": {
      const { EtcdDatastore } = await import("./etcd.ts");
      return new EtcdDatastore(datastore, options.nodeName, events, clock, log);
    }
    case "kubernetes": {
      const { KubernetesDatastore } = await import("./kubernetes.ts");
      return new KubernetesDatastore(datastore, options, events, clock, log);
    }
    default:
      return datastore satisfies never;
  }
}
