/** BGP messages as bytes, put together by hand: what a test sends must not come from the code under test (RFC 4271 §4). */

export const MessageKind = { Open: 1, Update: 2, Notification: 3, Keepalive: 4, RouteRefresh: 5 } as const;

export interface RawMessage {
  readonly type: number;
  /** Without the header. */
  readonly body: Buffer;
  /** On the monotonic clock of this process. */
  readonly at: number;
}

export interface RawNotification {
  readonly code: number;
  readonly subcode: number;
  readonly data: Buffer;
}

export interface RawHeader {
  readonly marker?: Uint8Array;
  /** What the length field says; default the truth. */
  readonly length?: number;
}

export interface OpenFields {
  readonly asNumber: number;
  readonly routerId: string;
  readonly holdTime?: number;
  readonly version?: number;
  /** Replaces the optional parameters: what stands behind the field that gives their length. */
  readonly parameters?: Buffer;
  /** Replaces the field that gives the length of the optional parameters. */
  readonly parametersLength?: number;
}

const MARKER = Buffer.alloc(16, 0xff);
const HEADER_LENGTH = 19;

export function rawMessage(type: number, body: Uint8Array = new Uint8Array(0), header: RawHeader = {}): Buffer {
  const length = header.length ?? HEADER_LENGTH + body.length;
  return Buffer.concat([header.marker ?? MARKER, Buffer.of(length >> 8, length & 0xff, type), body]);
}

export const KEEPALIVE = rawMessage(MessageKind.Keepalive);

/** With the capabilities that every speaker has today: IPv4 unicast, route refresh, four-octet AS numbers. */
export function rawOpen(fields: OpenFields): Buffer {
  const { asNumber, routerId, holdTime = 90, version = 4 } = fields;
  const parameters = fields.parameters ?? capabilities(asNumber);
  const body = Buffer.alloc(10);
  body.writeUInt8(version, 0);
  body.writeUInt16BE(asNumber > 0xffff ? 23456 : asNumber, 1);
  body.writeUInt16BE(holdTime, 3);
  body.set(address(routerId), 5);
  body.writeUInt8(fields.parametersLength ?? parameters.length, 9);
  return rawMessage(MessageKind.Open, Buffer.concat([body, parameters]));
}

function capabilities(asNumber: number): Buffer {
  const as = Buffer.alloc(4);
  as.writeUInt32BE(asNumber);
  const list = Buffer.concat([Buffer.from("010400010001" + "0200" + "4104", "hex"), as]);
  return Buffer.concat([Buffer.of(2, list.length), list]);
}

/** ORIGIN IGP, AS_PATH, NEXT_HOP and, towards an internal peer, LOCAL_PREF. */
export function rawAttributes(nextHop: string, path: readonly number[], localPref?: number): Buffer {
  const segment = Buffer.alloc(path.length === 0 ? 0 : 2 + 4 * path.length);
  if (path.length > 0) {
    segment.writeUInt8(2, 0);
    segment.writeUInt8(path.length, 1);
    for (const [index, as] of path.entries()) segment.writeUInt32BE(as, 2 + 4 * index);
  }
  const parts = [rawAttribute(0x40, 1, Buffer.of(0)), rawAttribute(0x40, 2, segment)];
  parts.push(rawAttribute(0x40, 3, address(nextHop)));
  if (localPref !== undefined) {
    const value = Buffer.alloc(4);
    value.writeUInt32BE(localPref);
    parts.push(rawAttribute(0x40, 5, value));
  }
  return Buffer.concat(parts);
}

export function rawAttribute(flags: number, type: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(flags, type, value.length), value]);
}

export function rawUpdate(attributes: Uint8Array, announced: Uint8Array, withdrawn: Uint8Array = Buffer.of()): Buffer {
  const body = Buffer.alloc(4 + withdrawn.length + attributes.length + announced.length);
  body.writeUInt16BE(withdrawn.length, 0);
  body.set(withdrawn, 2);
  body.writeUInt16BE(attributes.length, 2 + withdrawn.length);
  body.set(attributes, 4 + withdrawn.length);
  body.set(announced, 4 + withdrawn.length + attributes.length);
  return rawMessage(MessageKind.Update, body);
}

/** NLRI of "10.0.0.0/8" and the like. */
export function rawPrefixes(...prefixes: readonly string[]): Buffer {
  return Buffer.concat(
    prefixes.map((prefix) => {
      const [base = "", length = "32"] = prefix.split("/");
      return Buffer.concat([Buffer.of(Number(length)), address(base).subarray(0, Math.ceil(Number(length) / 8))]);
    }),
  );
}

/** UPDATEs that announce, or withdraw, `count` /24 prefixes from `first` (an address as a number) on, a thousand a message. */
export function rawTable(count: number, first: number, attributes: Uint8Array | undefined): Buffer {
  const messages: Buffer[] = [];
  for (let done = 0; done < count; done += 1000) {
    const size = Math.min(1000, count - done);
    const nlri = Buffer.alloc(4 * size);
    for (let i = 0; i < size; i++) nlri.writeUInt32BE(((24 << 24) | ((first + ((done + i) << 8)) >>> 8)) >>> 0, 4 * i);
    messages.push(attributes === undefined ? rawUpdate(Buffer.of(), Buffer.of(), nlri) : rawUpdate(attributes, nlri));
  }
  return Buffer.concat(messages);
}

export function rawRouteRefresh(afi = 1, safi = 1, subtype = 0): Buffer {
  return rawMessage(MessageKind.RouteRefresh, Buffer.of(afi >> 8, afi & 0xff, subtype, safi));
}

/** What an UPDATE says about IPv4 in its own fields. */
export function readUpdate(body: Buffer): { announced: string[]; withdrawn: string[] } {
  const withdrawnEnd = 2 + body.readUInt16BE(0);
  const attributesEnd = withdrawnEnd + 2 + body.readUInt16BE(withdrawnEnd);
  return {
    withdrawn: readPrefixes(body.subarray(2, withdrawnEnd)),
    announced: readPrefixes(body.subarray(attributesEnd)),
  };
}

function readPrefixes(nlri: Buffer): string[] {
  const prefixes: string[] = [];
  for (let at = 0; at < nlri.length; ) {
    const length = nlri[at] ?? 0;
    const octets = Math.ceil(length / 8);
    const bytes = [0, 1, 2, 3].map((i) => (i < octets ? (nlri[at + 1 + i] ?? 0) : 0));
    prefixes.push(`${bytes.join(".")}/${length}`);
    at += 1 + octets;
  }
  return prefixes;
}

function address(text: string): Buffer {
  return Buffer.from(text.split(".").map(Number));
}
