/** The executables birdcl and birdcl6: their name says which daemon they mean. */

import { basename } from "node:path";
import { birdcl } from "./cli/birdcl.ts";

const name = basename(process.argv[1] ?? "").startsWith("birdcl6") ? "birdcl6" : "birdcl";
// A reader that has seen enough (`birdcl show route | head`) is no failure.
process.stdout.on("error", () => process.exit(0));
process.exitCode = await birdcl(name, process.argv.slice(2), process);
