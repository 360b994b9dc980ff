/**
 * Decoders of UPDATEs, one for all sessions that read the same way: what a decoder gives is used before the next message is decoded,
 * and what a thousand alike send in an odd form is remembered once.
 */

import type { Negotiated } from "./negotiation.ts";
import { UpdateDecoder } from "./wire/update-decoder.ts";

export class UpdateDecoders {
  /** By what a decoder is told; a few bits for each family, so that there are never many. */
  readonly #decoders = new Map<string, UpdateDecoder>();

  for({ internal, fourOctetAs, families }: Negotiated): UpdateDecoder {
    const alike = families.map((f) => [f.family, f.addPathReceive, f.extendedNextHop].join());
    const key = [internal, fourOctetAs, ...alike.sort()].join(" ");
    let decoder = this.#decoders.get(key);
    if (decoder === undefined) {
      decoder = new UpdateDecoder({ internal, fourOctetAs, families });
      this.#decoders.set(key, decoder);
    }
    return decoder;
  }
}
