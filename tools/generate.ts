import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dictionary } from "@zxcvbn-ts/language-common";
import { moduleNames, modules, remoteNeighbours } from "../src/runtime/modules.ts";
import { withPorts, withPostgres, withProduction, withScale, withServices } from "./compose-files.ts";
import { scaleFile, serviceFile, withAddresses, withServiceFiles } from "./kubernetes/files.ts";
import { describeForPage } from "./page-modules.ts";

/**
 * Holds what follows from the list of modules against it: what the page knows of them, and the services of Compose and of
 * Kubernetes; and the list of common passwords against the package that it is of. With `--write` writes what follows. Ends with status 1
 * when they differ.
 */
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const KUBERNETES = "deploy/kubernetes";
const PAGE = "console/src/model/modules.ts";

const isWriting = process.argv.includes("--write");
/** Ports from 8001 on, as the settings have them. */
const listed = moduleNames.map((name, at) => ({ name, port: 8001 + at, calls: modules[name].calls }));
/** The gateway is one of the services there. */
const services = [
  { name: "gateway", port: 8000, reaches: remoteNeighbours(["gateway"]), hasStore: false },
  ...listed.map(({ name, port }) => ({ name, port, reaches: remoteNeighbours([name]), hasStore: true })),
];

await hold(PAGE, async () => formatted(PAGE, await describeForPage(listed)));
await hold("docker-compose.yml", (text) => withServices(text, listed));
await hold("compose.dev.yml", (text) => withPorts(text, listed));
await hold("compose.production.yml", (text) => withProduction(text, listed));
await hold("compose.postgres.yml", (text) => withPostgres(text, listed));
await hold("compose.scale.yml", (text) => withScale(text, listed));
await hold(`${KUBERNETES}/base/kustomization.yaml`, (text) => withServiceFiles(text, services));
await hold(`${KUBERNETES}/base/settings.env`, (text) => withAddresses(text, services));
await hold(`${KUBERNETES}/overlays/scale/services.yaml`, () => scaleFile(services));
for (const service of services) {
  await hold(`${KUBERNETES}/base/services/${service.name}.yaml`, () => serviceFile(service, services));
}
for (const file of readdirSync(`${ROOT}/${KUBERNETES}/base/services`)) {
  if (!services.some(({ name }) => file === `${name}.yaml`))
    await hold(`${KUBERNETES}/base/services/${file}`, () => "");
}
await hold(
  "src/modules/users/passwords/common-passwords.txt",
  () => `${dictionary["passwords-common"].toSorted().join("\n")}\n`,
);

/** @param make what the file has to be, of what it is; "" for one that is not to be */
async function hold(file: string, make: (text: string) => string | Promise<string>): Promise<void> {
  const path = `${ROOT}/${file}`;
  const kept = existsSync(path) ? readFileSync(path, "utf8") : "";
  const made = await make(kept);
  if (made === kept) return;
  if (isWriting) return made === "" ? rmSync(path) : writeFileSync(path, made);
  console.error(`${file} is not what it follows from: npm run generate`);
  process.exitCode = 1;
}

/** As the linter wants it. */
function formatted(file: string, text: string): string {
  const biome = `${ROOT}/node_modules/.bin/biome`;
  return execFileSync(biome, ["format", `--stdin-file-path=${file}`], { cwd: ROOT, input: text, encoding: "utf8" });
}
