#!/usr/bin/env node
/** The executable: starts what `npm run build` made, and says what to do where that is missing. */

import { existsSync } from "node:fs";
import { setFlagsFromString } from "node:v8";

// What a message leaves behind is dead before the next one: a young generation of 2 MiB holds as much of it as need be, and stays in
// the processor's cache. Left alone it grows to 32 or 64 MiB that are never given back. NODE_OPTIONS=--max-semi-space-size and
// --min-semi-space-size have their effect all the same.
setFlagsFromString("--semi-space-growth-factor=1");
// And the old one is collected when it has grown by 20 %: what lives long is mostly outside of it, in the tables' columns.
setFlagsFromString("--heap-growing-percent=20");

const [major, minor] = process.versions.node.split(".").map(Number);
const built = new URL("../dist/starling.mjs", import.meta.url);

if (major < 20 || (major === 20 && minor < 11)) {
  process.stderr.write(`error: starling needs Node 20.11 or newer; this is ${process.versions.node}\n`);
  process.exitCode = 1;
} else if (existsSync(built)) {
  await import(built.href);
} else {
  process.stderr.write("error: starling is not built yet: run `npm run build` in its checkout\n");
  process.exitCode = 1;
}
