/** Every metric of starling's own: the contract that dashboards and docs/commands.md rely on. */

import type { MetricInfo } from "./exposition.ts";

export const METRIC = {
  info: {
    name: "starling_info",
    type: "gauge",
    labels: ["version", "as", "router_id"],
    help: "Always 1; the labels say what runs.",
  },
  ready: { name: "starling_ready", type: "gauge", labels: [], help: "1 when /readyz answers 200." },
  peerUp: {
    name: "starling_peer_up",
    type: "gauge",
    labels: ["peer", "as", "type"],
    help: "1 while the session is Established.",
  },
  peerState: {
    name: "starling_peer_state",
    type: "gauge",
    labels: ["peer"],
    help: "1 Idle, 2 Connect, 3 Active, 4 OpenSent, 5 OpenConfirm, 6 Established (as bgpPeerState of RFC 4273).",
  },
  peerEnabled: {
    name: "starling_peer_enabled",
    type: "gauge",
    labels: ["peer"],
    help: "0 while an operator keeps the peer down.",
  },
  peerTransitions: {
    name: "starling_peer_transitions_total",
    type: "counter",
    labels: ["peer"],
    help: "Times that the session became Established (as bgpPeerFsmEstablishedTransitions of RFC 4273).",
  },
  peerReceived: {
    name: "starling_peer_prefixes_received",
    type: "gauge",
    labels: ["peer", "family"],
    help: "Paths in the Adj-RIB-In.",
  },
  peerAccepted: {
    name: "starling_peer_prefixes_accepted",
    type: "gauge",
    labels: ["peer", "family"],
    help: "Paths that import policy let through.",
  },
  peerAdvertised: {
    name: "starling_peer_prefixes_advertised",
    type: "gauge",
    labels: ["peer", "family"],
    help: "Prefixes in the Adj-RIB-Out.",
  },
  peerLimit: {
    name: "starling_peer_prefix_limit",
    type: "gauge",
    labels: ["peer", "family"],
    help: "maxPrefixes.limit, where one is set.",
  },
  peerMessages: {
    name: "starling_peer_messages_total",
    type: "counter",
    labels: ["peer", "direction", "type"],
    help: "BGP messages, by direction (received, sent) and type.",
  },
  ribPrefixes: {
    name: "starling_rib_prefixes",
    type: "gauge",
    labels: ["family"],
    help: "Prefixes with at least one path.",
  },
  ribPaths: { name: "starling_rib_paths", type: "gauge", labels: ["family"], help: "Paths of all peers together." },
  kernelRoutes: {
    name: "starling_kernel_routes",
    type: "gauge",
    labels: ["family"],
    help: "Routes of starling in the kernel.",
  },
  kernelUnwritten: {
    name: "starling_kernel_routes_unwritten",
    type: "gauge",
    labels: ["family"],
    help: "Routes that starling wants in the kernel and that were refused, or whose place a foreign route holds.",
  },
  kernelOperations: {
    name: "starling_kernel_operations_total",
    type: "counter",
    labels: ["op", "result"],
    help: "Finished kernel operations: add, replace, delete; result is ok or the errno's name.",
  },
  configProblems: {
    name: "starling_config_problems",
    type: "gauge",
    labels: [],
    help: "Parts of the configuration that were rejected by the last reload and stay as they were.",
  },
  datastoreCurrent: {
    name: "starling_datastore_current",
    type: "gauge",
    labels: ["type"],
    help: "On a Calico node: 1 while its datastore answers and has told everything; 0 while the last state stands, or nothing is known.",
  },
  datastoreProblems: {
    name: "starling_datastore_problems",
    type: "gauge",
    labels: [],
    help: "On a Calico node: values of its resources that went without effect.",
  },
  convergence: {
    name: "starling_convergence_seconds",
    type: "histogram",
    labels: ["stage"],
    help: "From a route received to it sent on (stage sent) and acknowledged by the kernel (stage kernel).",
  },
  eventLoopLag: {
    name: "starling_event_loop_lag_seconds",
    type: "gauge",
    labels: ["quantile"],
    help: "How late the event loop ran, since the last scrape; quantile 1 is the worst.",
  },
} as const satisfies Record<string, MetricInfo>;

/** Upper bounds in seconds: from one turn of the event loop to a table's full feed. */
export const CONVERGENCE_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
