/** The cluster as its resources describe it: each object read once, when it comes, with what is wrong with it. */

import { BlockTable } from "./cluster/block-table.ts";
import { NodeTable } from "./cluster/node-table.ts";
import { ServiceTable } from "./cluster/service-table.ts";
import { Table } from "./cluster/table.ts";
import { keyOf, keyText } from "./object-key.ts";
import type { Release } from "./options.ts";
import { type CalicoProblem, type Finding, Place } from "./problem.ts";
import { type BgpConfiguration, readBgpConfiguration } from "./resources/bgp-configuration.ts";
import { type BgpFilter, readBgpFilter } from "./resources/bgp-filter.ts";
import { type BgpPeer, readBgpPeer } from "./resources/bgp-peer.ts";
import { readBlockAffinity } from "./resources/block-affinity.ts";
import { readClusterInformation } from "./resources/cluster-information.ts";
import { type EndpointStatus, readEndpointStatus } from "./resources/endpoint-status.ts";
import { type FelixConfiguration, readFelixConfiguration } from "./resources/felix-configuration.ts";
import { type IpPool, readIpPool } from "./resources/ip-pool.ts";
import { readCalicoNode, readKubernetesNode } from "./resources/node.ts";
import { readSecret, type Secret } from "./resources/secret.ts";
import { readEndpointSlice, readService } from "./resources/service.ts";
import type { ObjectKey, StoredObject } from "./stored-object.ts";

/** How one kind of object is read and kept. */
interface Kind<T = unknown> {
  readonly read: (object: StoredObject, place: Place) => T | undefined;
  readonly get: (name: string) => T | undefined;
  readonly put: (name: string, value: T | undefined) => void;
  /**
   * What counts of an object in which something is wrong. As the API server refuses a change, the version before it stays in force,
   * where there is one; where there is none, either nothing counts, or what is right. Of objects that the API server does not
   * check in this respect, what is right counts always.
   */
  readonly whenWrong: "nothing" | "what is right" | "always what is right";
}

const LATER_CHECKED: ReadonlySet<string> = new Set(["BGPPeer", "BGPConfiguration", "FelixConfiguration", "Node"]);

/** Of more resources nobody reads what is wrong with them; they show once the first ones are mended. */
const MAX_FAULTY = 1000;

interface Faults {
  readonly resource: string;
  readonly origin: string;
  readonly findings: readonly Finding[];
}

export class Cluster {
  readonly nodes = new NodeTable();
  readonly blocks = new BlockTable();
  readonly services = new ServiceTable();
  readonly bgpConfigurations = new Table<BgpConfiguration>();
  readonly bgpPeers = new Table<BgpPeer>();
  readonly bgpFilters = new Table<BgpFilter>();
  readonly ipPools = new Table<IpPool>();
  readonly felixConfigurations = new Table<FelixConfiguration>();
  /** By "namespace/name". */
  readonly secrets = new Table<Secret>();
  readonly endpointStatus = new Table<EndpointStatus>();
  readonly #releases = new Table<Release>();
  readonly #kinds = this.#kindsOfObjects();
  /** By resource, of the kinds in which something may be found later. */
  readonly #origins = new Map<string, string>();
  readonly #faults = new Map<string, Faults>();
  #problems: readonly CalicoProblem[] | undefined;

  /** As ClusterInformation says. */
  get release(): Release | undefined {
    return this.#releases.get("default");
  }

  /** A new object, or a new version of one. `origin` names the place for people. Never throws, whatever the object holds. */
  set(object: StoredObject, origin: string): void {
    const key = keyOf(object);
    const kind = this.#kinds.get(`${key.group}/${key.kind}`);
    if (kind === undefined) return;
    const place = new Place();
    const value = kind.read(object, place);
    const name = tableName(key);
    const isWrong = place.hasErrors && kind.whenWrong !== "always what is right";
    const stands = isWrong && kind.get(name) !== undefined;
    if (!stands) kind.put(name, isWrong && kind.whenWrong === "nothing" ? undefined : value);
    if (LATER_CHECKED.has(key.kind)) this.#origins.set(resourceName(key), origin);
    if (isWrong) place.warn(consequence(stands, kind.whenWrong));
    this.#note(keyText(key), { resource: resourceName(key), origin, findings: place.findings });
  }

  deleted(key: ObjectKey): void {
    this.#kinds.get(`${key.group}/${key.kind}`)?.put(tableName(key), undefined);
    this.#origins.delete(resourceName(key));
    this.#note(keyText(key), undefined);
  }

  /** Something at `origin` cannot be read as an object; undefined: it can again. */
  unreadable(origin: string, message: string | undefined): void {
    const findings: Finding[] = message === undefined ? [] : [{ field: "", message, severity: "error" }];
    this.#note(`unreadable/${origin}`, { resource: "", origin, findings });
  }

  /** Sorted by resource, of the first of them. The same array until something changes. */
  problems(): readonly CalicoProblem[] {
    this.#problems ??= [...this.#faults.values()]
      .sort((a, b) => (a.resource + a.origin < b.resource + b.origin ? -1 : 1))
      .slice(0, MAX_FAULTY)
      .flatMap(({ resource, origin, findings }) => findings.map((one) => problemOf(resource, origin, one)));
    return this.#problems;
  }

  /** What was found in a resource later than on its own, with the place that it came from. */
  problemsOf(resource: string, { findings }: Place): readonly CalicoProblem[] {
    const origin = findings.length === 0 ? "" : (this.#origins.get(resource) ?? "");
    return findings.map((one) => problemOf(resource, origin, one));
  }

  #note(key: string, faults: Faults | undefined): void {
    if (faults === undefined || faults.findings.length === 0) {
      if (!this.#faults.delete(key)) return;
    } else {
      this.#faults.set(key, faults);
    }
    this.#problems = undefined;
  }

  #kindsOfObjects(): ReadonlyMap<string, Kind> {
    const { nodes, services, blocks } = this;
    const kinds = new Map<string, Kind>();
    const add = <T>(name: string, kind: Kind<T>) => kinds.set(name, kind as Kind);
    const ofTable = <T>(table: Table<T>): Pick<Kind<T>, "get" | "put"> => ({
      get: (name) => table.get(name),
      put: (name, value) => table.put(name, value),
    });
    add("calico/BGPConfiguration", {
      ...ofTable(this.bgpConfigurations),
      read: readBgpConfiguration,
      whenWrong: "what is right",
    });
    add("calico/BGPPeer", { ...ofTable(this.bgpPeers), read: readBgpPeer, whenWrong: "nothing" });
    add("calico/BGPFilter", { ...ofTable(this.bgpFilters), read: readBgpFilter, whenWrong: "nothing" });
    add("calico/IPPool", { ...ofTable(this.ipPools), read: readIpPool, whenWrong: "nothing" });
    add("calico/FelixConfiguration", {
      ...ofTable(this.felixConfigurations),
      read: readFelixConfiguration,
      whenWrong: "what is right",
    });
    add("calico/BlockAffinity", {
      read: readBlockAffinity,
      get: (name) => blocks.get(name),
      put: (name, block) => blocks.put(name, block),
      whenWrong: "nothing",
    });
    add("calico/Node", {
      read: readCalicoNode,
      get: (name) => nodes.part("calico", name),
      put: (name, part) => nodes.put("calico", name, part),
      whenWrong: "what is right",
    });
    add("kubernetes/Node", {
      read: readKubernetesNode,
      get: (name) => nodes.part("kubernetes", name),
      put: (name, part) => nodes.put("kubernetes", name, part),
      whenWrong: "always what is right",
    });
    add("kubernetes/Service", {
      read: readService,
      get: (name) => services.records().get(name)?.service,
      put: (name, service) => services.putService(name, service),
      whenWrong: "always what is right",
    });
    add("kubernetes/EndpointSlice", {
      read: readEndpointSlice,
      get: (name) => services.slice(name),
      put: (name, slice) => services.putSlice(name, slice),
      whenWrong: "always what is right",
    });
    add("kubernetes/Secret", { ...ofTable(this.secrets), read: readSecret, whenWrong: "always what is right" });
    for (const group of ["calico", "kubernetes"]) {
      add(`${group}/EndpointStatus`, {
        ...ofTable(this.endpointStatus),
        read: readEndpointStatus,
        whenWrong: "always what is right",
      });
    }
    add("calico/ClusterInformation", {
      ...ofTable(this.#releases),
      read: readClusterInformation,
      whenWrong: "always what is right",
    });
    return kinds;
  }
}

function consequence(stands: boolean, whenWrong: Kind["whenWrong"]): string {
  if (stands) return "the version before this one stays in force until what is wrong is mended";
  return whenWrong === "nothing"
    ? "has no effect until what is wrong is mended"
    : "what is right of it counts, until what is wrong is mended";
}

function tableName({ namespace, name }: ObjectKey): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

function resourceName(key: ObjectKey): string {
  return `${key.kind}/${tableName(key)}`;
}

function problemOf(resource: string, origin: string, finding: Finding): CalicoProblem {
  return { ...finding, resource, origin };
}
