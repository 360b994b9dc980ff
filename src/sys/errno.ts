/** A system call that failed, with the kernel's reason by name (errno(3)). */

import { constants } from "node:os";

const NAMES = new Map<number, string>(
  // EAGAIN and EWOULDBLOCK, ENOTSUP and EOPNOTSUPP share numbers: the first name wins, and EAGAIN comes first.
  Object.entries(constants.errno)
    .reverse()
    .filter(([name]) => name !== "EWOULDBLOCK" && name !== "ENOTSUP")
    .map(([name, number]) => [number, name]),
);

export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EAGAIN: 11,
  ENOMEM: 12,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOBUFS: 105,
} as const;

/** "ENOBUFS" for 105; "E105" for a number without a name. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `E${errno}`;
}

/** `code` as in Node's own errors. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  constructor(syscall: string, errno: number, detail?: string) {
    super(`${syscall}: ${errnoName(errno)}${detail === undefined ? "" : ` (${detail})`}`);
    this.code = errnoName(errno);
    this.errno = errno;
    this.syscall = syscall;
  }
}
