/** What the benchmark must know of a daemon to measure it: how it is configured, started, and known to be ready. */

export type FamilyName = "ipv4" | "ipv6";

/** One session that the daemon expects; it waits to be called. */
export interface NetworkPeer {
  readonly address: string;
  readonly asNumber: number;
  /** A client of the reflector (RFC 4456); the others are peers whose routes clients are told, and who are told only those of clients. */
  readonly isClient: boolean;
}

/** The daemon's whole surroundings in one run. */
export interface Network {
  readonly asNumber: number;
  readonly routerId: string;
  /** Where it listens. */
  readonly address: string;
  readonly port: number;
  readonly families: readonly FamilyName[];
  readonly peers: readonly NetworkPeer[];
  /** Whether it writes what it learns to the kernel's table of its namespace. */
  readonly kernel: boolean;
}

/** How to start it, its files being written. */
export interface Launch {
  readonly command: readonly string[];
  /** Set where the listening socket comes before it is ready: a text in its log that comes last. */
  readonly readyText?: string;
  /** Set where it carries the probe of bench/event-loop-probe.mjs. */
  readonly hasProbe?: boolean;
  /** A file that it must have written before anything else, and the program that writes it: zebra's socket for bgpd. */
  readonly companion?: { readonly command: readonly string[]; readonly file: string };
}

export interface Daemon {
  /** As given to --daemons. */
  readonly name: string;
  /** Its Debian package; undefined where it comes with the checkout. */
  readonly debianPackage: string | undefined;
  /** Whether its programs are there. */
  isInstalled(): boolean;
  /** "2.0.12" */
  version(): string;
  /** What of a network it cannot do, in words; undefined where it can. */
  cannot?(network: Network): string | undefined;
  /** What was said is not said again to those who come later: a session that ends takes nothing back. */
  readonly forgets?: true;
  /** Writes its configuration into the folder. */
  prepare(network: Network, folder: string, options: { readonly probe: boolean }): Launch;
}
