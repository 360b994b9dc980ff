/** The common description of a BGP daemon in a lab, and what a test may ask of any of them. */

import type { BackgroundProcess } from "../process.ts";

export type DaemonName = "bird" | "frr" | "gobgp" | "openbgpd" | "exabgp" | "starling";
export type FamilyName = "ipv4" | "ipv6";

export interface PeerSpec {
  readonly address: string;
  readonly asNumber: number;
  readonly localAddress?: string;
  readonly port?: number;
  /** TCP MD5, RFC 2385. */
  readonly password?: string;
  /** TTL of what is sent; for external peers that are not on the link. */
  readonly multihop?: number;
  /** GTSM, RFC 5082: how many hops away the peer may be. */
  readonly ttlSecurity?: number;
  readonly passive?: boolean;
  /** Default: the family of the address. */
  readonly families?: readonly FamilyName[];
  readonly addPath?: "send" | "receive" | "both";
  readonly routeReflectorClient?: boolean;
  readonly nextHopSelf?: boolean;
  /** Seconds of the restart time, RFC 4724; left out: no graceful restart. */
  readonly gracefulRestart?: number;
  /** Seconds that routes are kept beyond that, RFC 9494. */
  readonly longLived?: number;
  /** False: an old speaker, RFC 6793. */
  readonly fourOctetAs?: false;
  /** RFC 8654. */
  readonly extendedMessages?: boolean;
  /** RFC 8950: IPv4 routes with IPv6 next hops. */
  readonly extendedNextHop?: boolean;
  /** Seconds. */
  readonly holdTime?: number;
}

export interface RouteSpec {
  readonly prefix: string;
  /** Default: the speaker itself. */
  readonly nextHop?: string;
  /** What stands after the speaker's own AS number. */
  readonly asPath?: readonly number[];
  readonly communities?: readonly string[];
  /** "rt:65000:1", "ro:65000:1", with a four-octet AS or an IPv4 address in the middle too. */
  readonly extendedCommunities?: readonly string[];
  readonly largeCommunities?: readonly string[];
  readonly med?: number;
  readonly localPref?: number;
}

export interface SpeakerSpec {
  readonly asNumber: number;
  readonly routerId: string;
  /** Default: every address of the node. */
  readonly listen?: readonly string[];
  readonly peers: readonly PeerSpec[];
  readonly routes?: readonly RouteSpec[];
  /** Whether learnt routes are written into the node's kernel. Default: no. */
  readonly kernel?: boolean;
  /** Default: the router id. */
  readonly clusterId?: string;
}

/** A route in the daemon's table, in the notation of starling's own views. */
export interface SeenRoute {
  readonly prefix: string;
  readonly best: boolean;
  /** The peer's address; undefined for the speaker's own routes. */
  readonly peer: string | undefined;
  /** Undefined where the daemon does not show it, which BIRD and GoBGP never do. */
  readonly pathId: number | undefined;
  readonly nextHop: string | undefined;
  /** "65001 65002 {65003 65004}" */
  readonly asPath: string;
  readonly origin: "igp" | "egp" | "incomplete";
  readonly med: number | undefined;
  readonly localPref: number | undefined;
  /** Numbers throughout: "65535:65281", whatever name the daemon has for it. */
  readonly communities: readonly string[];
  /** As in `RouteSpec`; undefined where the driver does not read them. */
  readonly extendedCommunities?: readonly string[] | undefined;
  readonly largeCommunities: readonly string[];
  readonly originatorId: string | undefined;
  readonly clusterList: readonly string[];
  /** Attributes that the daemon has no name for; undefined where the driver does not read them. Values in hexadecimal. */
  readonly unknownAttributes?: readonly SeenAttribute[] | undefined;
}

export interface SeenAttribute {
  readonly type: number;
  readonly flags: number;
  readonly value: string;
}

export interface SeenSession {
  readonly peer: string;
  /** As RFC 4271 names it, or nearest to it. */
  readonly state: string;
  readonly established: boolean;
}

/** What the daemon says about its session; a key that it does not show is left out. */
export interface SeenNegotiation {
  readonly families?: readonly FamilyName[];
  readonly holdTime?: number;
  readonly fourOctetAs?: boolean;
  readonly routeRefresh?: boolean;
  readonly enhancedRouteRefresh?: boolean;
  readonly extendedMessages?: boolean;
  readonly extendedNextHop?: boolean;
  /** Both sides have it. */
  readonly gracefulRestart?: boolean;
  readonly longLived?: boolean;
  /** For which families it receives, and for which it sends, several paths. */
  readonly addPath?: { readonly receive: readonly FamilyName[]; readonly send: readonly FamilyName[] };
  /** Of the other side, RFC 4724 and the draft of FQDN. */
  readonly restartTime?: number;
  readonly hostName?: string;
}

/** What an operator does to one session. `refreshIn` asks for the peer's routes again, `refreshOut` sends its own again. */
export type SessionAction = "disable" | "enable" | "refreshIn" | "refreshOut";

/** One running daemon, whichever it is. */
export interface Speaker {
  readonly daemon: DaemonName;
  /** The process, once started: to stop it (SIGSTOP), to read its log. */
  readonly process: BackgroundProcess;
  /** Writes the configuration, starts, and resolves when the daemon answers on its control channel. */
  start(): Promise<void>;
  /** Asks it to end, as its service would be stopped. */
  stop(): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** All paths of all prefixes, in no particular order. */
  routes(family: FamilyName): Promise<SeenRoute[]>;
  sessions(): Promise<SeenSession[]>;
  announce(route: RouteSpec): Promise<void>;
  withdraw(prefix: string): Promise<void>;
  /** Takes over what was changed while it runs, restarting no more sessions than it must. */
  reconfigure?(change: Partial<SpeakerSpec>): Promise<void>;
  negotiated?(address: string): Promise<SeenNegotiation>;
  /** `message`: the shutdown communication of RFC 9003, with "disable". */
  operate?(address: string, action: SessionAction, message?: string): Promise<void>;
  /** What it says about the end of its last session with this peer. */
  lastError?(address: string): Promise<string>;
}

export class DaemonError extends Error {
  override readonly name = "DaemonError";
}

export const familyOf = (text: string): FamilyName => (text.includes(":") ? "ipv6" : "ipv4");

export const familiesOf = (peer: PeerSpec): readonly FamilyName[] => peer.families ?? [familyOf(peer.address)];

/** The peer's entry of the specification, with what the specification leaves open. */
export function isInternal(spec: SpeakerSpec, peer: PeerSpec): boolean {
  return spec.asNumber === peer.asNumber;
}

/** A value of JSON that a daemon printed: read field by field, since none of them promises a shape. */
export type Json = Readonly<Record<string, unknown>>;

export const asJson = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const asText = (value: unknown): string | undefined => (value === undefined ? undefined : String(value));
export const asNumber = (value: unknown): number | undefined => (value === undefined ? undefined : Number(value));

/** IGP, EGP or INCOMPLETE in whatever form. */
export function asOrigin(value: unknown): SeenRoute["origin"] {
  const text = String(value).toLowerCase();
  if (text === "igp" || text === "0" || text === "i") return "igp";
  return text === "egp" || text === "1" || text === "e" ? "egp" : "incomplete";
}

const wellKnown: Readonly<Record<string, string>> = {
  gracefulshutdown: "65535:0",
  acceptown: "65535:1",
  llgrstale: "65535:6",
  nollgr: "65535:7",
  blackhole: "65535:666",
  noexport: "65535:65281",
  noadvertise: "65535:65282",
  noexportsubconfed: "65535:65283",
  localas: "65535:65283",
  nopeer: "65535:65284",
};

/** "no-export", "noExport", "NO_EXPORT" and 4294967041 all become "65535:65281". */
export function asCommunity(value: unknown): string {
  if (typeof value === "number") return `${value >>> 16}:${value & 0xffff}`;
  const text = String(value);
  return wellKnown[text.toLowerCase().replace(/[-_]/g, "")] ?? text;
}
