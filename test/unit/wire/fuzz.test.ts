/** Inputs that fuzzers made for other implementations: nothing but NotificationError comes out of the codec. */

import { expect, it } from "vitest";
import { MessageType } from "../../../src/bgp/model/messages.ts";
import { Framer } from "../../../src/bgp/wire/framer.ts";
import { bytesOf } from "./expect-codec.ts";
import { decodeAnything, notificationFrom } from "./messages.ts";
import { describeData, rowsOf } from "./shared-data.ts";

const CORPUS = "fuzz/corpus.jsonl";

interface Row {
  readonly sha256: string;
  readonly label: string;
  readonly hex: string;
}

describeData(CORPUS, "fuzzers' corpora", () => {
  const rows = rowsOf<Row>(CORPUS);
  const labels = [...new Set(rows.map((row) => row.label))];

  it.each(labels)("%s, as a byte stream", (label) => {
    for (const row of rows.filter((r) => r.label === label)) {
      const framer = new Framer(65535);
      framer.push(bytesOf(row.hex));
      notificationFrom(() => {
        for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
          const { type, body } = frame;
          notificationFrom(() => decodeAnything(type, body));
        }
      });
    }
  });

  it.each(labels)("%s, as the body of every message", (label) => {
    let decoded = 0;
    for (const row of rows.filter((r) => r.label === label)) {
      const bytes = bytesOf(row.hex);
      for (const body of [bytes, bytes.subarray(19)]) {
        for (const type of Object.values(MessageType)) {
          if (notificationFrom(() => decodeAnything(type, body)) === undefined) decoded++;
        }
      }
    }
    expect(decoded).toBeGreaterThan(0);
  });
});
