// Compares two schemas, given as files, and prints each change from the first to the second.
// Run from a folder in which @graphql-inspector/core is installed.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "package.json"));
const { buildSchema } = require("graphql");
const { diff } = require("@graphql-inspector/core");
const [before, after] = process.argv.slice(2).map((file) => buildSchema(readFileSync(file, "utf8")));
const changes = await diff(before, after);
console.log(
  JSON.stringify(
    changes.map(({ message, path, criticality }) => ({ message, path, level: criticality.level })),
  ),
);
