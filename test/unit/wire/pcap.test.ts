/** Messages from packet captures: every one that Wireshark finds well-formed decodes, with the prefixes that it sees. */

import { expect, it } from "vitest";
import { MessageType } from "../../../src/bgp/model/messages.ts";
import { Framer } from "../../../src/bgp/wire/framer.ts";
import { decodeNotification } from "../../../src/bgp/wire/notification.ts";
import { describeNotification } from "../../../src/bgp/wire/notification-text.ts";
import { decodeOpen } from "../../../src/bgp/wire/open.ts";
import { decodeRouteRefresh } from "../../../src/bgp/wire/route-refresh.ts";
import { bytesOf } from "./expect-codec.ts";
import { notificationFrom } from "./messages.ts";
import { describeData, rowsOf } from "./shared-data.ts";
import { mpPrefixes, nlriPrefixes, readAnyUpdate, type WiresharkUpdate, withdrawnPrefixes } from "./wireshark.ts";

const FILE = "pcap/pcap-messages.jsonl";

/** RFC 8205: BGPsec_PATH stands for AS_PATH, which we miss, and so the prefixes are withdrawn. */
const BGPSEC = "tcpdump.bgpsec_invalid_signature_block_length.pcap";

interface Row {
  readonly pcap: string;
  readonly frame: number;
  readonly i: number;
  readonly hex: string;
  readonly wireshark_malformed_frame: boolean;
  readonly wireshark: WiresharkUpdate;
}

function read(row: Row): void {
  const framer = new Framer(65535);
  framer.push(bytesOf(row.hex));
  const frame = framer.next();
  if (frame === undefined) return;
  if (frame.type === MessageType.Open) {
    decodeOpen(frame.body);
  } else if (frame.type === MessageType.Notification) {
    const { code, subcode, data } = decodeNotification(frame.body);
    expect(describeNotification(code, subcode, data)).not.toMatch(/code \d/);
  } else if (frame.type === MessageType.RouteRefresh) {
    decodeRouteRefresh(frame.body);
  } else if (frame.type === MessageType.Update) {
    const update = readAnyUpdate(frame.body, row.wireshark);
    if (row.wireshark_malformed_frame || row.pcap === BGPSEC) return;
    expect(nlriPrefixes(update)).toEqual(nlriPrefixes(row.wireshark));
    expect(withdrawnPrefixes(update)).toEqual(withdrawnPrefixes(row.wireshark));
    expect(mpPrefixes(update)).toEqual(mpPrefixes(row.wireshark));
  }
}

describeData(FILE, "messages of packet captures", () => {
  const files = new Map<string, Row[]>();
  for (const row of rowsOf<Row>(FILE)) files.set(row.pcap, [...(files.get(row.pcap) ?? []), row]);

  it.each([...files])("%s", (_name, rows) => {
    for (const row of rows) {
      const error = notificationFrom(() => read(row));
      if (!row.wireshark_malformed_frame)
        expect(error?.message, `frame ${row.frame}, message ${row.i}`).toBeUndefined();
    }
  });
});
