/** Builds messages for tests out of hex, so that a test names only what it is about. */

import { sameAddress } from "../../../src/bgp/model/address.ts";
import type { PathAttributes } from "../../../src/bgp/model/attributes.ts";
import type { NegotiatedFamily } from "../../../src/bgp/model/capability.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { MessageType, NotificationError, type UpdateMessage } from "../../../src/bgp/model/messages.ts";
import { formatPrefix, prefixOf } from "../../../src/bgp/model/prefix.ts";
import type { PrefixBatch } from "../../../src/bgp/model/prefix-batch.ts";
import { decodeNotification } from "../../../src/bgp/wire/notification.ts";
import { describeNotification } from "../../../src/bgp/wire/notification-text.ts";
import { decodeOpen } from "../../../src/bgp/wire/open.ts";
import { decodeRouteRefresh } from "../../../src/bgp/wire/route-refresh.ts";
import { UpdateDecoder, type UpdateDecoderOptions } from "../../../src/bgp/wire/update-decoder.ts";
import { attributesIn } from "../../harness/canonical.ts";
import { bytesOf } from "./expect-codec.ts";

export const ORIGIN_IGP = "400101 00";
/** AS 65001. */
export const AS_PATH = "400206 0201 0000fde9";
export const NEXT_HOP = "400304 0a000001";
export const MANDATORY = `${ORIGIN_IGP}${AS_PATH}${NEXT_HOP}`;
/** 192.0.2.0/24. */
export const NLRI = "18 c00002";
/** 2001:db8::/32 by 2001:db8::1. */
export const MP_REACH = "800e1a 0002 01 10 20010db8000000000000000000000001 00 20 20010db8";

export const BOTH_FAMILIES: readonly NegotiatedFamily[] = [Family.Ipv4, Family.Ipv6].map((family) => ({
  family,
  addPathReceive: false,
  addPathSend: false,
  extendedNextHop: false,
}));

/** The body of an UPDATE. */
export function updateBody(attributes: string, nlri = "", withdrawn = ""): Uint8Array {
  return bytesOf(`${field(withdrawn)}${field(attributes)}${nlri}`);
}

/** A message with its header. */
export function message(type: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(19 + body.length).fill(0xff, 0, 16);
  bytes[16] = bytes.length >>> 8;
  bytes[17] = bytes.length & 255;
  bytes[18] = type;
  bytes.set(body, 19);
  return bytes;
}

export function decoderFor(options: Partial<UpdateDecoderOptions> = {}): UpdateDecoder {
  return new UpdateDecoder({ internal: true, fourOctetAs: true, families: BOTH_FAMILIES, ...options });
}

export function prefixesOf(batch: PrefixBatch | undefined): string[] {
  if (batch === undefined) return [];
  return Array.from({ length: batch.count }, (_, i) => {
    const id = batch.pathIds[i] ?? 0;
    return `${formatPrefix(batch.prefixAt(i))}${id === 0 ? "" : `#${id}`}`;
  });
}

/** Of the first announcement. */
export function attributesOf(update: UpdateMessage): PathAttributes | undefined {
  const first = update.announced[0];
  return first === undefined ? undefined : attributesIn(first.attributes);
}

export interface Outcome {
  readonly announced: readonly string[];
  readonly withdrawn: readonly string[];
  readonly problems: readonly string[];
}

/** The prefixes of an UPDATE, and "name outcome" for each problem. */
export function outcomeOf(update: UpdateMessage): Outcome {
  return {
    announced: update.announced.flatMap((a) => prefixesOf(a.prefixes)),
    withdrawn: update.withdrawn.flatMap(prefixesOf),
    problems: update.problems.map((p) => `${p.name} ${p.outcome}`),
  };
}

/** The NotificationError that `run` throws; undefined if it throws nothing, and anything else passes through. */
export function notificationFrom(run: () => unknown): NotificationError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof NotificationError) return error;
    throw error;
  }
}

const DECODERS = [true, false].flatMap((internal) =>
  [true, false].flatMap((fourOctetAs) =>
    [true, false].map((on) => {
      const families = BOTH_FAMILIES.map((f) => ({ ...f, addPathReceive: on, extendedNextHop: on }));
      return decoderFor({ internal, fourOctetAs, families });
    }),
  ),
);

/** Decodes a message as every sort of session would; the first NotificationError comes through. */
export function decodeAnything(type: MessageType, body: Uint8Array): void {
  if (type === MessageType.Open) {
    decodeOpen(body);
  } else if (type === MessageType.Notification && body.length >= 2) {
    const { code, subcode, data } = decodeNotification(body);
    describeNotification(code, subcode, data);
  } else if (type === MessageType.RouteRefresh) {
    decodeRouteRefresh(body);
  } else if (type === MessageType.Update) {
    let first: NotificationError | undefined;
    for (const decoder of DECODERS) {
      const error = notificationFrom(() => checkUpdate(decoder.decode(body)));
      first ??= error;
    }
    if (first !== undefined) throw first;
  }
}

/** What holds of every decoded UPDATE. */
function checkUpdate(update: UpdateMessage): void {
  const batches = [...update.withdrawn, ...update.announced.map((a) => a.prefixes)];
  if (batches.some((b) => b.count === 0)) throw new TypeError("an empty batch");
  if (update.problems.some((p) => p.outcome === "withdraw") && update.announced.length > 0) {
    throw new TypeError("announced in spite of treat-as-withdraw");
  }
  for (const batch of batches) {
    for (let i = 0; i < batch.count; i++) {
      const prefix = batch.prefixAt(i);
      const masked = prefixOf(prefix, prefix.length);
      if (!sameAddress(prefix, masked)) throw new TypeError("host bits");
    }
  }
}

function field(hex: string): string {
  return `${bytesOf(hex).length.toString(16).padStart(4, "0")}${hex}`;
}
