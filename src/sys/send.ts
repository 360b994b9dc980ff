/** What the kernel takes at once of a TCP connection's octets: a system call, and nothing that lives after it. */

import { libc } from "./libc.ts";

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_MORE = 0x8000;

type Send = ReturnType<typeof libc>["send"];

const NOTHING_TAKEN: Send = () => -1;
let send: Send | undefined;

/**
 * How many octets the kernel took; none where it has no room, where the connection failed (whoever writes by other means will hear
 * why), and where libc is out of reach. `more`: others follow at once, and may share a segment with these.
 */
export function sendNow(fd: number, bytes: Uint8Array, more: boolean): number {
  send ??= loadSend();
  const taken = send(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0));
  return Math.max(0, taken);
}

function loadSend(): Send {
  try {
    return libc().send;
  } catch {
    return NOTHING_TAKEN;
  }
}
