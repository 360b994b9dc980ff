/** What the commands do that ask a daemon: one piece, loaded when one of them runs. Each further piece costs every start its way through the loader. */

export { ControlClient } from "./control-client.ts";
export { actOnPeer, cleanup, reload } from "./operator-actions.ts";
export { showKernel } from "./show-kernel.ts";
export { showPeer } from "./show-peer.ts";
export { showPeers } from "./show-peers.ts";
export { countRoutes, showRoutes } from "./show-routes.ts";
export { showSummary } from "./show-summary.ts";
