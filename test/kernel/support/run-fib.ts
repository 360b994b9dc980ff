/** A process of its own that wants some routes: `run-fib.ts COUNT`; says "settled" and waits to be killed. */

import { batch, hop, probe, unicast } from "./probe.ts";

const count = Number(process.argv[2]);
const p = await probe();
const prefixes = Array.from({ length: count }, (_, i) => `10.7.${i >>> 8}.${i & 255}/32`);
p.fib.set(batch(prefixes), unicast(hop("192.0.2.1")));
await p.settled();
process.stdout.write("settled\n");
setInterval(() => {}, 60_000);
