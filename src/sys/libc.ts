/** The one door to libc: the few functions for which Node has no interface, through koffi. */

import { createRequire } from "node:module";
import { InternalError } from "../bgp/model/errors.ts";
import { SystemError } from "./errno.ts";

/** Signatures as in section 2 of the manual. Bytes are used in place, never copied; -1 means look at `errno()`. */
interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  socketpair(domain: number, type: number, protocol: number, pair: Int32Array): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  getsockname(fd: number, address: Uint8Array, length: Uint32Array): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array | Int32Array, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Int32Array | Uint8Array, length: Uint32Array): number;
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  recv(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  /** On a thread of libuv's pool, so that a call that waits inside the kernel does not hold up the event loop. No errno. */
  sendLater(fd: number, bytes: Uint8Array, length: number, flags: number, done: Done): void;
  recvLater(fd: number, bytes: Uint8Array, length: number, flags: number, done: Done): void;
  dup3(from: number, to: number, flags: number): number;
  close(fd: number): number;
  if_nametoindex(name: string): number;
  errno(): number;
  /** Where the bytes are, for structures that point to others. They must outlive the call that is given the structure. */
  address(bytes: Uint8Array): bigint;
}

type Done = (error: unknown, result: number) => void;

let loaded: Libc | undefined;

/** Loaded at the first call, so that commands that need none of it start faster. Throws InternalError where koffi has no build for the machine. */
export function libc(): Libc {
  loaded ??= load();
  return loaded;
}

/** `result` itself, or SystemError with errno if it is -1. */
export function checked(syscall: string, result: number, detail?: string): number {
  if (result < 0) throw new SystemError(syscall, libc().errno(), detail);
  return result;
}

function load(): Libc {
  try {
    const koffi: typeof import("koffi") = createRequire(import.meta.url)("koffi");
    const library = koffi.load(null);
    const send = library.func("intptr_t send(int, const void *, size_t, int)");
    const recv = library.func("intptr_t recv(int, void *, size_t, int)");
    return {
      socket: library.func("int socket(int, int, int)"),
      socketpair: library.func("int socketpair(int, int, int, void *)"),
      bind: library.func("int bind(int, const void *, uint32_t)"),
      getsockname: library.func("int getsockname(int, void *, void *)"),
      setsockopt: library.func("int setsockopt(int, int, int, const void *, uint32_t)"),
      getsockopt: library.func("int getsockopt(int, int, int, void *, void *)"),
      send,
      recv,
      sendLater: send.async,
      recvLater: recv.async,
      dup3: library.func("int dup3(int, int, int)"),
      close: library.func("int close(int)"),
      if_nametoindex: library.func("unsigned int if_nametoindex(const char *)"),
      errno: () => koffi.errno(),
      address: (bytes) => koffi.address(bytes),
    };
  } catch (error) {
    throw new InternalError(
      `cannot reach libc: ${error instanceof Error ? error.message : String(error)}; ` +
        "kernel routes, TCP MD5, GTSM and source addresses need the package koffi (Linux on x64 or arm64, glibc or musl)",
      { cause: error },
    );
  }
}
