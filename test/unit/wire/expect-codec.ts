/** The contract of every attribute codec: the same octets and the same value, both ways. */

import { expect } from "vitest";
import type { AttributeCodec, AttributeContext } from "../../../src/bgp/wire/attributes/contract.ts";
import { Reader } from "../../../src/bgp/wire/reader.ts";
import { Writer } from "../../../src/bgp/wire/writer.ts";

export const INTERNAL: AttributeContext = { internal: true, fourOctetAs: true };

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Hex, with spaces where they help the reader. */
export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s+/g, ""), "hex"));
}

export function decodeWith<T>(codec: AttributeCodec<T>, hex: string, context = INTERNAL): T | undefined {
  return codec.decode(new Reader(bytesOf(hex)), context);
}

export function encodeWith<T>(codec: AttributeCodec<T>, value: T, context = INTERNAL): string {
  const w = new Writer(1);
  codec.encode(value, w, context);
  return hexOf(w.view());
}

export function expectCodec<T>(codec: AttributeCodec<T>, hex: string, value: T, context = INTERNAL): void {
  const reader = new Reader(bytesOf(hex));
  expect(codec.decode(reader, context)).toEqual(value);
  expect(reader.remaining, "octets left over").toBe(0);
  expect(encodeWith(codec, value, context)).toBe(hex.replaceAll(/\s+/g, ""));
}
