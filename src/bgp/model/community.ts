/** Communities: standard (RFC 1997), extended (RFC 4360) and large (RFC 8092), and their texts. */

/** A standard community is an unsigned 32-bit number. */
export const WellKnown = {
  GracefulShutdown: 0xffff0000, // RFC 8326
  AcceptOwn: 0xffff0001, // RFC 7611
  LlgrStale: 0xffff0006, // RFC 9494
  NoLlgr: 0xffff0007, // RFC 9494
  Blackhole: 0xffff029a, // RFC 7999
  NoExport: 0xffffff01, // RFC 1997
  NoAdvertise: 0xffffff02, // RFC 1997
  NoExportSubconfed: 0xffffff03, // RFC 1997
  NoPeer: 0xffffff04, // RFC 3765
} as const;

const NAMES: ReadonlyMap<number, string> = new Map([
  [WellKnown.GracefulShutdown, "graceful-shutdown"],
  [WellKnown.AcceptOwn, "accept-own"],
  [WellKnown.LlgrStale, "llgr-stale"],
  [WellKnown.NoLlgr, "no-llgr"],
  [WellKnown.Blackhole, "blackhole"],
  [WellKnown.NoExport, "no-export"],
  [WellKnown.NoAdvertise, "no-advertise"],
  [WellKnown.NoExportSubconfed, "no-export-subconfed"],
  [WellKnown.NoPeer, "no-peer"],
]);
const VALUES: ReadonlyMap<string, number> = new Map([...NAMES].map(([value, name]) => [name, value]));

export interface LargeCommunity {
  readonly global: number;
  readonly local1: number;
  readonly local2: number;
}

/** The eight octets as two words. */
export interface ExtendedCommunity {
  readonly high: number;
  readonly low: number;
}

/** "65000:1", or the well-known name. */
export function formatCommunity(value: number): string {
  return NAMES.get(value) ?? `${value >>> 16}:${value & 0xffff}`;
}

/** Undefined unless "65000:1" or a well-known name. */
export function parseCommunity(text: string): number | undefined {
  const known = VALUES.get(text.toLowerCase());
  if (known !== undefined) return known;
  const parts = decimals(text, 2, 0xffff);
  return parts === undefined ? undefined : (((parts[0] ?? 0) << 16) | (parts[1] ?? 0)) >>> 0;
}

export function formatLargeCommunity(c: LargeCommunity): string {
  return `${c.global}:${c.local1}:${c.local2}`;
}

/** Undefined unless "65000:1:2", each part 0 to 4294967295. */
export function parseLargeCommunity(text: string): LargeCommunity | undefined {
  const parts = decimals(text, 3, 0xffffffff);
  return parts === undefined ? undefined : { global: parts[0] ?? 0, local1: parts[1] ?? 0, local2: parts[2] ?? 0 };
}

const ROUTE_TARGET = 0x02;
const ROUTE_ORIGIN = 0x03;

/** "rt:65000:1", "ro:10.0.0.1:5" (RFC 4360 §4 and 5, RFC 5668), or "0x" and sixteen digits. */
export function formatExtendedCommunity({ high, low }: ExtendedCommunity): string {
  const type = high >>> 24;
  const subtype = (high >>> 16) & 255;
  const name = subtype === ROUTE_TARGET ? "rt" : subtype === ROUTE_ORIGIN ? "ro" : undefined;
  if (name !== undefined && type === 0x00) return `${name}:${high & 0xffff}:${low}`;
  const middle = (((high & 0xffff) << 16) | (low >>> 16)) >>> 0;
  if (name !== undefined && type === 0x01) {
    return `${name}:${middle >>> 24}.${(middle >>> 16) & 255}.${(middle >>> 8) & 255}.${middle & 255}:${low & 0xffff}`;
  }
  if (name !== undefined && type === 0x02) return `${name}:${middle}:${low & 0xffff}`;
  return `0x${high.toString(16).padStart(8, "0")}${low.toString(16).padStart(8, "0")}`;
}

/** The texts that formatExtendedCommunity makes; undefined for others. */
export function parseExtendedCommunity(text: string): ExtendedCommunity | undefined {
  const raw = /^0x([0-9a-f]{8})([0-9a-f]{8})$/i.exec(text);
  if (raw !== null) return { high: Number.parseInt(raw[1] ?? "", 16), low: Number.parseInt(raw[2] ?? "", 16) };
  const match = /^(rt|ro):(\d{1,10}|\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}):(\d{1,10})$/.exec(text);
  if (match === null) return undefined;
  const [, name, admin = "", local = ""] = match;
  const subtype = name === "rt" ? ROUTE_TARGET : ROUTE_ORIGIN;
  const value = Number(local);
  const wide = (type: number, middle: number): ExtendedCommunity | undefined =>
    value > 0xffff
      ? undefined
      : {
          high: ((type << 24) | (subtype << 16) | (middle >>> 16)) >>> 0,
          low: (((middle & 0xffff) << 16) | value) >>> 0,
        };
  if (admin.includes(".")) {
    const octets = admin.split(".").map(Number);
    if (octets.some((o) => o > 255)) return undefined;
    return wide(
      0x01,
      octets.reduce((word, o) => word * 256 + o, 0),
    );
  }
  const number = Number(admin);
  if (number > 0xffffffff || value > 0xffffffff) return undefined;
  return number <= 0xffff ? { high: ((subtype << 16) | number) >>> 0, low: value } : wide(0x02, number);
}

/** Bit 0x40 of the type clear means transitive across AS borders (RFC 4360 §2). */
export function isTransitive(c: ExtendedCommunity): boolean {
  return (c.high & 0x40000000) === 0;
}

function decimals(text: string, count: number, max: number): number[] | undefined {
  const parts = text.split(":");
  if (parts.length !== count) return undefined;
  const numbers: number[] = [];
  for (const part of parts) {
    if (!/^\d{1,10}$/.test(part) || Number(part) > max) return undefined;
    numbers.push(Number(part));
  }
  return numbers;
}
