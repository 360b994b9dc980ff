/** Those of etcd's messages (api/etcdserverpb/rpc.proto, v3) that reading, following and writing one key take. */

import { fieldsOf, MessageWriter } from "./protobuf.ts";

export interface KeyValue {
  readonly key: string;
  /** The same as it stands in etcd, where it need not be text. */
  readonly keyOctets: Uint8Array;
  /** The revision at which it was last written. */
  readonly modRevision: number;
  readonly value: Uint8Array;
}

export interface Header {
  readonly clusterId: number;
  /** Of the store, at the time of the answer. */
  readonly revision: number;
}

export interface RangeResponse {
  readonly header: Header;
  readonly keyValues: readonly KeyValue[];
  /** There are further keys within the range. */
  readonly more: boolean;
}

export interface WatchEvent {
  readonly isDeletion: boolean;
  readonly keyValue: KeyValue;
}

export interface WatchResponse {
  readonly header: Header;
  readonly watchId: number;
  readonly created: boolean;
  readonly canceled: boolean;
  /** Other than 0: what was asked for is compacted away up to here. */
  readonly compactRevision: number;
  readonly cancelReason: string;
  /** More of the same revision follows. */
  readonly isFragment: boolean;
  readonly events: readonly WatchEvent[];
}

/** `end` is beyond the range; empty for one key alone. `revision` 0: the newest. */
export function rangeRequest(range: {
  readonly key: string | Uint8Array;
  readonly end: string;
  readonly limit: number;
  readonly revision: number;
}): Uint8Array {
  return new MessageWriter()
    .bytes(1, typeof range.key === "string" ? Buffer.from(range.key) : range.key)
    .text(2, range.end)
    .number(3, range.limit)
    .number(4, range.revision)
    .finish();
}

export function decodeRange(message: Uint8Array): RangeResponse {
  let header = NO_HEADER;
  let more = false;
  const keyValues: KeyValue[] = [];
  for (const { number, value, bytes } of fieldsOf(message)) {
    if (number === 1) header = decodeHeader(bytes);
    else if (number === 2) keyValues.push(decodeKeyValue(bytes));
    else if (number === 3) more = value !== 0;
  }
  return { header, keyValues, more };
}

/** With progress told now and then, and large answers in fragments. */
export function watchRequest(watch: {
  readonly key: string;
  readonly end: string;
  readonly startRevision: number;
}): Uint8Array {
  const create = new MessageWriter()
    .text(1, watch.key)
    .text(2, watch.end)
    .number(3, watch.startRevision)
    .boolean(4, true)
    .boolean(8, true)
    .finish();
  return new MessageWriter().message(1, create).finish();
}

export function decodeWatch(message: Uint8Array): WatchResponse {
  let header = NO_HEADER;
  let cancelReason = "";
  const numbers = new Map<number, number>();
  const events: WatchEvent[] = [];
  for (const { number, value, bytes } of fieldsOf(message)) {
    if (number === 1) header = decodeHeader(bytes);
    else if (number === 6) cancelReason = textOf(bytes);
    else if (number === 11) events.push(decodeEvent(bytes));
    else numbers.set(number, value);
  }
  return {
    header,
    watchId: numbers.get(2) ?? 0,
    created: numbers.get(3) === 1,
    canceled: numbers.get(4) === 1,
    compactRevision: numbers.get(5) ?? 0,
    cancelReason,
    isFragment: numbers.get(7) === 1,
    events,
  };
}

/** Writes the value if the key was last written at `modRevision`. */
export function compareAndPutRequest(put: {
  readonly key: string;
  readonly modRevision: number;
  readonly value: Uint8Array;
}): Uint8Array {
  const modRevisionIs = new MessageWriter().number(2, 2).text(3, put.key).number(6, put.modRevision).finish();
  const request = new MessageWriter().text(1, put.key).bytes(2, put.value).finish();
  const operation = new MessageWriter().message(2, request).finish();
  return new MessageWriter().message(1, modRevisionIs).message(2, operation).finish();
}

/** Whether the comparison held. */
export function decodeTransaction(message: Uint8Array): boolean {
  return [...fieldsOf(message)].some(({ number, value }) => number === 2 && value !== 0);
}

export function authenticateRequest(name: string, password: string): Uint8Array {
  return new MessageWriter().text(1, name).text(2, password).finish();
}

/** The token. */
export function decodeAuthenticate(message: Uint8Array): string {
  const token = [...fieldsOf(message)].find(({ number }) => number === 2);
  return token === undefined ? "" : textOf(token.bytes);
}

const NO_HEADER: Header = { clusterId: 0, revision: 0 };

function decodeHeader(message: Uint8Array): Header {
  let clusterId = 0;
  let revision = 0;
  for (const { number, value } of fieldsOf(message)) {
    if (number === 1) clusterId = value;
    else if (number === 3) revision = value;
  }
  return { clusterId, revision };
}

function decodeEvent(message: Uint8Array): WatchEvent {
  let isDeletion = false;
  let keyValue: KeyValue = decodeKeyValue(new Uint8Array(0));
  for (const { number, value, bytes } of fieldsOf(message)) {
    if (number === 1) isDeletion = value === 1;
    else if (number === 2) keyValue = decodeKeyValue(bytes);
  }
  return { isDeletion, keyValue };
}

function decodeKeyValue(message: Uint8Array): KeyValue {
  let keyOctets: Uint8Array = new Uint8Array(0);
  let modRevision = 0;
  let octets: Uint8Array = new Uint8Array(0);
  for (const { number, value, bytes } of fieldsOf(message)) {
    if (number === 1) keyOctets = bytes;
    else if (number === 3) modRevision = value;
    else if (number === 5) octets = bytes;
  }
  return { key: textOf(keyOctets), keyOctets, modRevision, value: octets };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}
