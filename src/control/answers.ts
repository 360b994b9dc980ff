/** What the daemon's view answers to each method of the control socket. */

import { assertNever } from "../bgp/model/errors.ts";
import { didYouMean } from "./nearest.ts";
import type { ControlRequest, Params } from "./protocol.ts";
import { parseRouteFilter } from "./route-filter.ts";
import { type DaemonView, type PeerAction, type PeerView, UsageError } from "./views.ts";

export const PEER_ACTIONS = ["enable", "disable", "reset", "refresh-in", "refresh-out"] as const satisfies PeerAction[];

/** RFC 9003 §2: the shutdown communication is at most 255 octets of UTF-8. */
const MAX_MESSAGE_OCTETS = 255;

export type Answer =
  | { readonly kind: "result"; readonly value: unknown }
  | { readonly kind: "rows"; readonly rows: Iterator<object | undefined, void> };

export async function answer(view: DaemonView, request: ControlRequest): Promise<Answer> {
  const { method, params } = request;
  switch (method) {
    case "summary":
      return result(view.summary());
    case "peers":
      return result(view.peers());
    case "peer":
      return result(existingPeer(view, peerName(params)));
    case "routes":
      return { kind: "rows", rows: view.routes(parseRouteFilter(params)) };
    case "count":
      return result(await view.countRoutes(parseRouteFilter(params)));
    case "kernel":
      return { kind: "rows", rows: view.kernel() };
    case "readiness":
      return result(view.readiness());
    case "configuration":
      return result(view.configuration());
    case "reload":
      return result(await view.reload());
    case "peerAction": {
      const { name } = existingPeer(view, peerName(params));
      return result(view.peerAction(name, peerAction(params), shutdownMessage(params)));
    }
    case "cleanup":
      return result(await view.cleanup());
    default:
      return assertNever(method);
  }
}

export function existingPeer(view: DaemonView, name: string): PeerView {
  const peer = view.peer(name);
  if (peer !== undefined) return peer;
  const names = view.peers().map((each) => each.name);
  const guess = didYouMean(name, names);
  const hint =
    guess !== "" ? guess : names.length === 0 ? "; there are no peers" : "; `starling show peers` lists them";
  throw new UsageError(`no peer named ${JSON.stringify(name)}${hint}`);
}

function result(value: unknown): Answer {
  return { kind: "result", value };
}

function peerName(params: Params): string {
  const name = params["name"];
  if (typeof name !== "string" || name === "") throw new UsageError("name the peer");
  return name.slice(0, 256);
}

function peerAction(params: Params): PeerAction {
  const wanted = String(params["action"]);
  const action = PEER_ACTIONS.find((each) => each === wanted);
  if (action === undefined) throw new UsageError(`an action is one of ${PEER_ACTIONS.join(", ")}`);
  return action;
}

function shutdownMessage(params: Params): string | undefined {
  const message = params["message"] ?? undefined;
  if (message === undefined) return undefined;
  if (typeof message !== "string") throw new UsageError("message is a text");
  const octets = Buffer.byteLength(message);
  if (octets > MAX_MESSAGE_OCTETS) {
    throw new UsageError(
      `a shutdown message has at most ${MAX_MESSAGE_OCTETS} octets (RFC 9003); this one has ${octets}`,
    );
  }
  return message;
}
