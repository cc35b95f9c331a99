// Prints what the rival runs on: interpreter and packages, one line each.

import { readFileSync } from "node:fs";

const lock = JSON.parse(readFileSync(new URL("package-lock.json", import.meta.url), "utf8"));
const lines = [`node ${process.versions.node}`];
const { dependencies, devDependencies } = lock.packages[""];
for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
  lines.push(`${name} ${lock.packages[`node_modules/${name}`].version}`);
}
console.log(lines.join("\n"));
