/** Routing tables by name: the kernel's own, those of /etc/iproute2/rt_tables, and a VRF device's. */

import { readFileSync } from "node:fs";
import { UsageError } from "../bgp/model/errors.ts";
import { MessageType } from "./netlink/constants.ts";
import { linkRequest } from "./netlink/dump-request.ts";
import { decodeVrfTable } from "./netlink/link-message.ts";
import { MessageCursor } from "./netlink/message.ts";
import { RECEIVE_BYTES, RequestSocket } from "./netlink/socket.ts";

const KERNEL_TABLES: ReadonlyMap<string, number> = new Map([
  ["default", 253],
  ["main", 254],
  ["local", 255],
]);
const FILES = ["/etc/iproute2/rt_tables", "/usr/share/iproute2/rt_tables", "/usr/lib/iproute2/rt_tables"];
const BUFFER_BYTES = 1 << 18;
const LARGEST = 0xffffffff;

/** The number of a table. Throws UsageError for a name that neither the files nor a VRF device has. */
export function tableNumber(nameOrNumber: string | number, files: readonly string[] = FILES): number {
  const number = typeof nameOrNumber === "number" || /^\d+$/.test(nameOrNumber) ? Number(nameOrNumber) : undefined;
  if (number !== undefined) {
    if (Number.isInteger(number) && number > 0 && number <= LARGEST) return number;
    throw new UsageError(`no routing table has the number ${nameOrNumber}: 1 to ${LARGEST}`);
  }
  const name = String(nameOrNumber);
  const known = KERNEL_TABLES.get(name) ?? numberInFiles(name, files) ?? vrfTable(name);
  if (known !== undefined) return known;
  throw new UsageError(
    `no routing table ${JSON.stringify(name)}: give its number, name it in ${files[0]}, or make a VRF device of that name`,
  );
}

function numberInFiles(name: string, files: readonly string[]): number | undefined {
  for (const file of files) {
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch {
      continue;
    }
    for (const line of text.split("\n")) {
      const [number = "", entry] = line.replace(/#.*/, "").trim().split(/\s+/);
      if (entry === name && /^(\d+|0x[0-9a-f]+)$/i.test(number)) return Number(number);
    }
  }
  return undefined;
}

/** The table of the VRF device with that name. */
function vrfTable(name: string): number | undefined {
  const socket = new RequestSocket(BUFFER_BYTES, BUFFER_BYTES);
  try {
    const bytes = new Uint8Array(RECEIVE_BYTES);
    const cursor = new MessageCursor(bytes);
    cursor.reset(Math.max(0, socket.ask(linkRequest(name, 1), bytes)));
    return cursor.next() && cursor.type === MessageType.NewLink ? decodeVrfTable(cursor) : undefined;
  } finally {
    socket.close();
  }
}
