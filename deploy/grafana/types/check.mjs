// Holds the dashboards against Grafana's own types: node check.mjs DASHBOARDS NODE_MODULES. Every property that Grafana 11 does not
// know, or misses, is told. `make dashboards` installs what is needed and runs it.

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [dashboards, modules] = process.argv.slice(2).map((place) => path.resolve(place));
const need = createRequire(path.join(modules, "index.js"));
const { Ajv } = need("ajv");
const { createGenerator } = need("ts-json-schema-generator");

const ajv = new Ajv({ strict: false, allErrors: true });
const types = path.join(modules, "@grafana/schema/dist/esm/raw");

// A function that says whether a value is of a type, with its errors.
function compiled(file, type) {
  const generator = createGenerator({ path: file, type, skipTypeCheck: true, additionalProperties: false });
  return ajv.compile(generator.createSchema(type));
}

// Of a kind of panels: its options, and what it adds to a field's configuration.
const panels = {};
for (const [kind, folder] of Object.entries({
  heatmap: "heatmap",
  stat: "stat",
  "state-timeline": "statetimeline",
  table: "table",
  text: "text",
  timeseries: "timeseries",
})) {
  const place = path.join(types, "composable", folder, "panelcfg/x");
  const file = path.join(place, fs.readdirSync(place).find((name) => name.endsWith(".d.ts")));
  const hasFields = fs.readFileSync(file, "utf8").includes("FieldConfig");
  panels[kind] = { options: compiled(file, "Options"), fields: hasFields ? compiled(file, "FieldConfig") : undefined };
}
const dashboard = compiled(path.join(types, "dashboard/x/dashboard_types.gen.d.ts"), "Dashboard");

let wrong = 0;
let checked = 0;

function check(place, is, value) {
  checked += 1;
  if (is && value !== undefined && !is(value)) {
    wrong += 1;
    for (const error of is.errors) {
      console.error(`${place}${error.instancePath}: ${error.message} ${JSON.stringify(error.params)}`);
    }
  }
}

for (const name of fs.readdirSync(dashboards).filter((name) => name.endsWith(".json"))) {
  const document = JSON.parse(fs.readFileSync(path.join(dashboards, name), "utf8"));
  check(name, dashboard, document);
  for (const panel of document.panels.filter((panel) => panel.type !== "row")) {
    const kind = panels[panel.type];
    if (!kind) {
      throw new Error(`${name}: ${panel.title}: a kind of panel that is not checked: ${panel.type}`);
    }
    check(`${name} / ${panel.title} options`, kind.options, panel.options);
    check(`${name} / ${panel.title} custom`, kind.fields, panel.fieldConfig?.defaults?.custom);
  }
}
console.log(`${checked} parts of the dashboards held against @grafana/schema, ${wrong} of them wrong`);
process.exit(wrong ? 1 : 0);
