// Lints a schema, given as a file, by graphql-eslint's recommended and relay rules, and prints
// what they find. Run from a folder in which @graphql-eslint/eslint-plugin and eslint are installed.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "package.json"));
const { ESLint } = require("eslint");
const plugin = require("@graphql-eslint/eslint-plugin").default;
const [file] = process.argv.slice(2);

const rules = {
  ...plugin.configs["flat/schema-recommended"].rules,
  ...plugin.configs["flat/schema-relay"].rules,
  // Stricter than recommended: everything that has a name says what it is.
  "@graphql-eslint/require-description": [
    "error",
    {
      types: true,
      rootField: true,
      FieldDefinition: true,
      InputValueDefinition: true,
      EnumValueDefinition: true,
      DirectiveDefinition: true,
    },
  ],
  // Where the contract decides otherwise than a rule, the contract wins:
  // totals, histories, readings, pages and payloads are values, which no ID stands for;
  "@graphql-eslint/strict-id-in-types": [
    "error",
    {
      acceptedIdNames: ["id"],
      acceptedIdTypes: ["ID"],
      exceptions: {
        types: [
          "DeviceState",
          "EnergyBucket",
          "EnergyHistory",
          "PageInfo",
          "Reading",
          "UserError",
        ],
        suffixes: ["Connection", "Edge", "Payload", "Summary"],
      },
    },
  ],
  // connections offer `nodes` beside `edges`, and readings and groups are listed without an ID;
  "@graphql-eslint/relay-edge-types": [
    "error",
    { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
  ],
  // and readings and groups are paged through forward only.
  "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
};

const eslint = new ESLint({
  cwd: process.cwd(),
  overrideConfigFile: true,
  overrideConfig: [
    {
      files: ["**/*.graphql"],
      languageOptions: { parser: plugin.parser, parserOptions: { graphQLConfig: { schema: file } } },
      plugins: { "@graphql-eslint": plugin },
      rules,
    },
  ],
});
const results = await eslint.lintText(readFileSync(file, "utf8"), { filePath: "schema.graphql" });
const found = results.flatMap((result) => result.messages);
console.log(
  JSON.stringify(found.map(({ ruleId, line, message }) => ({ rule: ruleId, line, message }))),
);
