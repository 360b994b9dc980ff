/**
 * Those of etcd's messages (api/etcdserverpb/rpc.proto, v3) that reading, following and writing one key take, with the reader and the
 * writer of protobufjs, whose one door this is.
 */

import protobuf from "protobufjs/minimal.js";

type Reader = protobuf.Reader;
type Writer = protobuf.Writer;

export class MalformedMessage extends Error {
  override readonly name = "MalformedMessage";
}

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
  const request = protobuf.Writer.create();
  writeOctets(request, 1, range.key);
  writeOctets(request, 2, range.end);
  writeNumber(request, 3, range.limit);
  writeNumber(request, 4, range.revision);
  return request.finish();
}

/** Throws MalformedMessage. */
export function decodeRange(message: Uint8Array): RangeResponse {
  return decode(message, (reader) => {
    let header = NO_HEADER;
    let more = false;
    const keyValues: KeyValue[] = [];
    for (const tag of tagsOf(reader)) {
      if (tag === octets(1)) header = readHeader(within(reader));
      else if (tag === octets(2)) keyValues.push(readKeyValue(within(reader)));
      else if (tag === number(3)) more = reader.bool();
    }
    return { header, keyValues, more };
  });
}

/** With progress told now and then, and large answers in fragments. */
export function watchRequest(watch: {
  readonly key: string;
  readonly end: string;
  readonly startRevision: number;
}): Uint8Array {
  const create = protobuf.Writer.create().uint32(octets(1)).fork();
  writeOctets(create, 1, watch.key);
  writeOctets(create, 2, watch.end);
  writeNumber(create, 3, watch.startRevision);
  return create.uint32(number(4)).bool(true).uint32(number(8)).bool(true).ldelim().finish();
}

/** Throws MalformedMessage. */
export function decodeWatch(message: Uint8Array): WatchResponse {
  return decode(message, (reader) => {
    let header = NO_HEADER;
    let watchId = 0;
    let created = false;
    let canceled = false;
    let compactRevision = 0;
    let cancelReason = "";
    let isFragment = false;
    const events: WatchEvent[] = [];
    for (const tag of tagsOf(reader)) {
      if (tag === octets(1)) header = readHeader(within(reader));
      else if (tag === number(2)) watchId = numberOf(reader.int64());
      else if (tag === number(3)) created = reader.bool();
      else if (tag === number(4)) canceled = reader.bool();
      else if (tag === number(5)) compactRevision = numberOf(reader.int64());
      else if (tag === octets(6)) cancelReason = reader.string();
      else if (tag === number(7)) isFragment = reader.bool();
      else if (tag === octets(11)) events.push(readEvent(within(reader)));
    }
    return { header, watchId, created, canceled, compactRevision, cancelReason, isFragment, events };
  });
}

/** Writes the value if the key was last written at `modRevision`. */
export function compareAndPutRequest(put: {
  readonly key: string;
  readonly modRevision: number;
  readonly value: Uint8Array;
}): Uint8Array {
  const request = protobuf.Writer.create();
  // Compare: that the key's mod_revision (2) is equal (0, which is not written).
  writeNumber(request.uint32(octets(1)).fork(), 2, 2);
  writeOctets(request, 3, put.key);
  writeNumber(request, 6, put.modRevision);
  request.ldelim();
  // RequestOp: a PutRequest.
  writeOctets(request.uint32(octets(2)).fork().uint32(octets(2)).fork(), 1, put.key);
  writeOctets(request, 2, put.value);
  return request.ldelim().ldelim().finish();
}

/** Whether the comparison held. Throws MalformedMessage. */
export function decodeTransaction(message: Uint8Array): boolean {
  return decode(message, (reader) => {
    let succeeded = false;
    for (const tag of tagsOf(reader)) if (tag === number(2)) succeeded = reader.bool();
    return succeeded;
  });
}

export function authenticateRequest(name: string, password: string): Uint8Array {
  const request = protobuf.Writer.create();
  writeOctets(request, 1, name);
  writeOctets(request, 2, password);
  return request.finish();
}

/** The token. Throws MalformedMessage. */
export function decodeAuthenticate(message: Uint8Array): string {
  return decode(message, (reader) => {
    let token = "";
    for (const tag of tagsOf(reader)) if (tag === octets(2)) token = reader.string();
    return token;
  });
}

const NO_HEADER: Header = { clusterId: 0, revision: 0 };

function readHeader(reader: Reader): Header {
  let clusterId = 0;
  let revision = 0;
  for (const tag of tagsOf(reader)) {
    if (tag === number(1)) clusterId = numberOf(reader.uint64());
    else if (tag === number(3)) revision = numberOf(reader.int64());
  }
  return { clusterId, revision };
}

function readEvent(reader: Reader): WatchEvent {
  let isDeletion = false;
  let keyValue: KeyValue = NO_KEY_VALUE;
  for (const tag of tagsOf(reader)) {
    if (tag === number(1)) isDeletion = reader.int32() === 1;
    else if (tag === octets(2)) keyValue = readKeyValue(within(reader));
  }
  return { isDeletion, keyValue };
}

const NOTHING = Buffer.alloc(0);
const NO_KEY_VALUE: KeyValue = { key: "", keyOctets: NOTHING, modRevision: 0, value: NOTHING };

/** The octets are lent: they are part of the message. */
function readKeyValue(reader: Reader): KeyValue {
  let keyOctets: Uint8Array = NOTHING;
  let modRevision = 0;
  let value: Uint8Array = NOTHING;
  for (const tag of tagsOf(reader)) {
    if (tag === octets(1)) keyOctets = reader.bytes();
    else if (tag === number(3)) modRevision = numberOf(reader.int64());
    else if (tag === octets(5)) value = reader.bytes();
  }
  const key = Buffer.from(keyOctets.buffer, keyOctets.byteOffset, keyOctets.length).toString("utf8");
  return { key, keyOctets, modRevision, value };
}

/** Of a number above 2^53 the lowest bits are lost; only identifiers are so large. */
function numberOf(long: ReturnType<Reader["int64"]>): number {
  return protobuf.util.LongBits.from(long).toNumber(true);
}

/** The tag of a field that holds octets, text or a message. */
function octets(field: number): number {
  return (field << 3) | 2;
}

/** The tag of a field that holds a number or a truth. */
function number(field: number): number {
  return field << 3;
}

/** The tag of each field in turn; a field that is not read before the next is asked for is skipped. */
function* tagsOf(reader: Reader): Generator<number> {
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    const start = reader.pos;
    yield tag;
    if (reader.pos === start) reader.skipType(tag & 7, 0, tag >>> 3);
  }
}

function within(reader: Reader): Reader {
  return protobuf.Reader.create(reader.bytes());
}

/** Empty and zero are what an absent field means; an empty `range_end` that is there would mean another range. */
function writeOctets(writer: Writer, field: number, value: string | Uint8Array): void {
  if (value.length === 0) return;
  writer.uint32(octets(field));
  if (typeof value === "string") writer.string(value);
  else writer.bytes(value);
}

function writeNumber(writer: Writer, field: number, value: number): void {
  if (value !== 0) writer.uint32(number(field)).int64(value);
}

function decode<T>(message: Uint8Array, read: (reader: Reader) => T): T {
  try {
    return read(protobuf.Reader.create(message));
  } catch (thrown) {
    throw new MalformedMessage(
      `a message cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    );
  }
}
