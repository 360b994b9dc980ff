/** The TCP MD5 keys of those who connect to us (RFC 2385), on every socket that listens. */

import { coveringKeys, type Key } from "./key-cover.ts";
import { formatAddress, ipv6 } from "./model/address.ts";
import { addressBits } from "./model/family.ts";
import type { PeerId } from "./model/ids.ts";
import type { Clock, Logger } from "./model/ports.ts";
import { formatPrefix, type Prefix, prefixContains, prefixOf } from "./model/prefix.ts";
import type { PeerOptions } from "./options.ts";
import type { Listening } from "./transport.ts";

/** What a socket holds beside its data (net.core.optmem_max) is enough for 150 keys on older systems: beyond this number they are gathered. */
const MANY_KEYS = 100;
/** Peers come in swarms: the keys of many are worked out together. */
const GATHER_MILLISECONDS = 20;
/** The whole of link-local space for an unnumbered peer, whose address nobody knows. */
const LINK_LOCAL_BITS = 10;

interface Lock {
  readonly listening: Listening;
  /** By prefix: what the kernel has. */
  readonly keys: Map<string, Key>;
  isGathered: boolean;
}

export class KeyRing {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #signed = new Map<PeerId, Key>();
  /** Those who do not sign. */
  readonly #open = new Map<PeerId, Prefix>();
  #locks: Lock[] = [];
  #isDue = false;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  attach(listening: Listening): void {
    const lock = { listening, keys: new Map<string, Key>(), isGathered: false };
    this.#locks.push(lock);
    this.#fit(lock);
  }

  detach(listening: Listening): void {
    this.#locks = this.#locks.filter((lock) => lock.listening !== listening);
  }

  /** The key that this peer must sign with, or that it has none. */
  set({ id, remote, password }: PeerOptions): void {
    const from = whereFrom(remote);
    const before = this.#signed.get(id);
    if (password === undefined) {
      this.#signed.delete(id);
      this.#open.set(id, from);
    } else {
      this.#open.delete(id);
      this.#signed.set(id, { from, password });
    }
    this.#changed(before, password === undefined ? undefined : { from, password });
  }

  forget(peer: PeerId): void {
    const before = this.#signed.get(peer);
    this.#signed.delete(peer);
    this.#open.delete(peer);
    this.#changed(before, undefined);
  }

  /** Its key is where it belongs. Without it the system would let in whoever does not sign. */
  isProtected(peer: PeerId): boolean {
    const key = this.#signed.get(peer);
    if (key === undefined) return true;
    const locks = this.#locks.filter(({ listening }) => listening.address.family === key.from.family);
    return locks.every((lock) => keyFor(lock, key.from)?.password === key.password);
  }

  /** Few keys are set as they come; many need to be looked at as a whole, and so do those who do not sign among them. */
  #changed(before: Key | undefined, now: Key | undefined): void {
    const isCrowded = this.#signed.size > MANY_KEYS;
    for (const lock of this.#locks) {
      if (isCrowded || lock.isGathered) this.#fitSoon();
      else {
        if (before !== undefined && !this.#has(before.from)) this.#remove(lock, before.from);
        if (now !== undefined) this.#put(lock, now);
      }
    }
  }

  /** Two peers may share an address. */
  #has(from: Prefix): boolean {
    for (const key of this.#signed.values()) if (isSame(key.from, from)) return true;
    return false;
  }

  #fitSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#clock.after(GATHER_MILLISECONDS, () => {
      this.#isDue = false;
      for (const lock of this.#locks) this.#fit(lock);
    });
  }

  #fit(lock: Lock): void {
    const { family } = lock.listening.address;
    const keys = [...this.#signed.values()].filter(({ from }) => from.family === family);
    lock.isGathered = keys.length > MANY_KEYS;
    const open = lock.isGathered ? [...this.#open.values()].filter((from) => from.family === family) : [];
    const wanted = new Map(
      (lock.isGathered ? coveringKeys(keys, open) : keys).map((key) => [formatPrefix(key.from), key]),
    );
    // First, so that there is room. Until the new ones are there, whoever does not sign is refused by his first segment.
    for (const [text, { from }] of [...lock.keys]) if (!wanted.has(text)) this.#remove(lock, from);
    for (const key of wanted.values()) this.#put(lock, key);
  }

  #put(lock: Lock, key: Key): void {
    const text = formatPrefix(key.from);
    if (lock.listening.address.family !== key.from.family || lock.keys.get(text)?.password === key.password) return;
    // What the kernel has if it refuses is not known to be right.
    lock.keys.delete(text);
    if (this.#tell(lock, key.from, key.password)) lock.keys.set(text, key);
  }

  #remove(lock: Lock, from: Prefix): void {
    if (lock.keys.delete(formatPrefix(from))) this.#tell(lock, from, undefined);
  }

  /** False if the system refused. */
  #tell({ listening }: Lock, from: Prefix, password: string | undefined): boolean {
    try {
      listening.setKey(from, from.length, password);
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#logger.error(
        { address: formatAddress(from), reason },
        "cannot set TCP MD5 key: connections from there are refused",
      );
      return false;
    }
  }
}

function whereFrom(remote: PeerOptions["remote"]): Prefix {
  switch (remote.kind) {
    case "address":
      return prefixOf(remote.address, addressBits(remote.address.family));
    case "range":
      return remote.prefix;
    default:
      return prefixOf(ipv6(0xfe800000, 0, 0, 0), LINK_LOCAL_BITS);
  }
}

/** As the kernel finds it: by the longest prefix. */
function keyFor({ keys }: Lock, from: Prefix): Key | undefined {
  const exact = keys.get(formatPrefix(from));
  if (exact !== undefined) return exact;
  let best: Key | undefined;
  for (const key of keys.values())
    if (prefixContains(key.from, from, from.length) && key.from.length > (best?.from.length ?? -1)) best = key;
  return best;
}

function isSame(a: Prefix, b: Prefix): boolean {
  return a.length === b.length && prefixContains(a, b, b.length);
}
