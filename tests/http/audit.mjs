// Audits the GraphQL server at the URL given and prints one JSON object for each audit.
// Run from a folder in which graphql-http is installed.
import { createRequire } from "node:module";
import { join } from "node:path";

const { serverAudits } = createRequire(join(process.cwd(), "package.json"))("graphql-http");
const [url] = process.argv.slice(2);
const audits = serverAudits({ url, fetchFn: fetch });
const results = [];
for (const audit of audits) {
  const { status, reason } = await audit.fn();
  results.push({ id: audit.id, name: audit.name, status, reason: reason ?? null });
}
console.log(JSON.stringify(results));
