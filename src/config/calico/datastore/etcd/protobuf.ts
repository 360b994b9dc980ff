/** As much of Protocol Buffers' encoding as etcd's messages need: varints, octets, and messages within messages. */

export class MalformedMessage extends Error {
  override readonly name = "MalformedMessage";
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** Zero and empty are what an absent field means, so they are not written. */
export class MessageWriter {
  readonly #octets: number[] = [];
  readonly #parts: Uint8Array[] = [];

  number(field: number, value: number): this {
    if (value === 0) return this;
    this.#varint(field * 8 + VARINT);
    this.#varint(value);
    return this;
  }

  boolean(field: number, value: boolean): this {
    return this.number(field, value ? 1 : 0);
  }

  bytes(field: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.message(field, value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }

  /** Written even where it is empty: that it is there says something. */
  message(field: number, value: Uint8Array): this {
    this.#varint(field * 8 + LENGTH_DELIMITED);
    this.#varint(value.length);
    this.#parts.push(Uint8Array.from(this.#octets.splice(0)), value);
    return this;
  }

  finish(): Uint8Array {
    return Buffer.concat([...this.#parts, Uint8Array.from(this.#octets)]);
  }

  /** Up to 2^53: far above any revision. */
  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#octets.push((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.#octets.push(rest);
  }
}

/** A field of a message as it stands there. Of a number above 2^53 the lowest bits are lost; only identifiers are so large. */
export interface Field {
  readonly number: number;
  readonly value: number;
  readonly bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** Throws MalformedMessage. The octets are lent: they are part of the message. */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  const reader = new VarintReader(message);
  while (reader.at < message.length) {
    const tag = reader.varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case VARINT:
        yield { number, value: reader.varint(), bytes: NOTHING };
        break;
      case LENGTH_DELIMITED:
        yield { number, value: 0, bytes: reader.take(reader.varint()) };
        break;
      case FIXED64:
        yield { number, value: 0, bytes: reader.take(8) };
        break;
      case FIXED32:
        yield { number, value: 0, bytes: reader.take(4) };
        break;
      default:
        throw new MalformedMessage(`wire type ${tag % 8} of field ${number} is not known`);
    }
  }
}

class VarintReader {
  at = 0;
  readonly #message: Uint8Array;

  constructor(message: Uint8Array) {
    this.#message = message;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1, n = 0; n < 10; n++, scale *= 0x80) {
      const octet = this.#message[this.at++];
      if (octet === undefined) throw new MalformedMessage("the message ends within a number");
      value += (octet & 0x7f) * scale;
      if (octet < 0x80) return value;
    }
    throw new MalformedMessage("a number has more than ten octets");
  }

  take(length: number): Uint8Array {
    if (length > this.#message.length - this.at) throw new MalformedMessage("the message ends within a field");
    this.at += length;
    return this.#message.subarray(this.at - length, this.at);
  }
}
