/** Files of whole UPDATE messages, encoded before any clock runs. */

import { closeSync, openSync, writeSync } from "node:fs";
import type { Family } from "../../src/bgp/model/family.ts";
import type { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import { createAttributesCodec } from "../../src/bgp/wire/attributes-codec.ts";
import { UpdateEncoder } from "../../src/bgp/wire/update-encoder.ts";
import { BenchError } from "../bench-error.ts";
import type { Blob } from "../generator.ts";
import type { RouteSet } from "./route-set.ts";

const SLAB = 1 << 20;
const MAX_MESSAGE = 4096;

/** One file for all sessions of a scenario: what is added is found again by its place. */
export class BlobFile {
  readonly #file: string;
  readonly #descriptor: number;
  readonly #codec = createAttributesCodec();
  readonly #encoders = new Map<Family, UpdateEncoder>();
  readonly #slab = new Uint8Array(SLAB);
  #used = 0;
  #written = 0;

  constructor(file: string) {
    this.#file = file;
    this.#descriptor = openSync(file, "w");
  }

  announce(sets: Iterable<RouteSet>): Blob {
    const offset = this.#length;
    for (const { attributes, prefixes } of sets) {
      const encoder = this.#encoder(prefixes.family);
      const bytes = this.#codec.encode(attributes);
      this.#fill(encoder, prefixes, (from) => encoder.announce(bytes, prefixes, from, this.#slab, this.#used));
    }
    return { file: this.#file, offset, length: this.#length - offset };
  }

  withdraw(prefixes: PrefixBatch): Blob {
    const offset = this.#length;
    const encoder = this.#encoder(prefixes.family);
    this.#fill(encoder, prefixes, (from) => encoder.withdraw(prefixes, from, this.#slab, this.#used));
    return { file: this.#file, offset, length: this.#length - offset };
  }

  /** All is on disk after this. */
  close(): void {
    this.#flush();
    closeSync(this.#descriptor);
  }

  get #length(): number {
    return this.#written + this.#used;
  }

  #encoder(family: Family): UpdateEncoder {
    let encoder = this.#encoders.get(family);
    if (encoder === undefined) {
      encoder = new UpdateEncoder({
        family,
        fourOctetAs: true,
        addPath: false,
        extendedNextHop: false,
        maxMessageLength: MAX_MESSAGE,
      });
      this.#encoders.set(family, encoder);
    }
    return encoder;
  }

  #fill(encoder: UpdateEncoder, prefixes: PrefixBatch, encode: (from: number) => number): void {
    for (let i = 0; i < prefixes.count; i = encoder.next) {
      if (SLAB - this.#used < MAX_MESSAGE) this.#flush();
      this.#used = encode(i);
      if (encoder.problem !== undefined) throw new BenchError(`a table that cannot be encoded: ${encoder.problem}`);
    }
  }

  #flush(): void {
    writeSync(this.#descriptor, this.#slab, 0, this.#used);
    this.#written += this.#used;
    this.#used = 0;
  }
}
