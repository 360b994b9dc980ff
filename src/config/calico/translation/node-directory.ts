/** What the rules of sessions ask of nodes: AS numbers and ports, with what holds for nodes that have none of their own. */

import type { NodeTable } from "../cluster/node-table.ts";
import type { BgpConfiguration } from "../resources/bgp-configuration.ts";
import type { ClusterNode } from "../resources/node.ts";
import type { Selector } from "../selector/selector.ts";
import { DEFAULT_PORT } from "./node-settings.ts";

const NODE_PREFIX = "node.";

export class NodeDirectory {
  readonly #nodes: NodeTable;
  readonly #globalAsNumber: number;
  readonly #globalPort: number | undefined;
  readonly #ports: ReadonlyMap<string, number>;

  constructor(nodes: NodeTable, globalAsNumber: number, configurations: readonly BgpConfiguration[]) {
    this.#nodes = nodes;
    this.#globalAsNumber = globalAsNumber;
    this.#globalPort = configurations.find(({ name }) => name === "default")?.listenPort;
    this.#ports = new Map(
      configurations.flatMap(({ name, listenPort }) =>
        name.startsWith(NODE_PREFIX) && listenPort !== undefined ? [[name.slice(NODE_PREFIX.length), listenPort]] : [],
      ),
    );
  }

  get(name: string): ClusterNode | undefined {
    return this.#nodes.get(name);
  }

  all(): readonly ClusterNode[] {
    return this.#nodes.all();
  }

  get sharedAddresses(): ReadonlySet<string> {
    return this.#nodes.sharedAddresses;
  }

  matching(selector: Selector): readonly ClusterNode[] {
    return this.#nodes.matching(selector);
  }

  asNumberOf(node: ClusterNode): number {
    return node.asNumber ?? this.#globalAsNumber;
  }

  /** Undefined: none is configured, and it is 179. */
  portOf(node: ClusterNode): number | undefined {
    return this.#ports.get(node.name) ?? this.#globalPort;
  }

  /** The node that a BGPPeer means by an address: undefined for AS number and port stand for any. */
  at(address: string, asNumber: number | undefined, port: number | undefined): ClusterNode | undefined {
    return this.#nodes.withAddress(address).find((node) => this.isAt(node, asNumber, port));
  }

  isNode(address: string): boolean {
    return this.#nodes.withAddress(address).length > 0;
  }

  isAt(node: ClusterNode, asNumber: number | undefined, port: number | undefined): boolean {
    return (
      (asNumber === undefined || this.asNumberOf(node) === asNumber) &&
      (port === undefined || (this.portOf(node) ?? DEFAULT_PORT) === port)
    );
  }
}
