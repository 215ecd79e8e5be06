import { modulesAmong } from "../../src/runtime/database-files.ts";
import { type ModuleName, remoteNeighbours, servesAll } from "../../src/runtime/modules.ts";
import { readSettings, type ValuesOf } from "../../src/runtime/setting.ts";
import { databaseSetting, settings, urlSetting } from "../../src/runtime/settings.ts";
import { type Manifest, ofKind, type Pod } from "./manifest.ts";

export type Values = ValuesOf<typeof settings>;

/** A variable's value; undefined where a Secret has it. */
type Variables = ReadonlyMap<string, string | undefined>;

/** What the image sets it to. */
const DATA_DIR = "/data";

/** What is meant for Node or the driver of PostgreSQL. */
const OF_OTHERS = ["NODE_EXTRA_CA_CERTS", "NODE_OPTIONS", "PGSSLMODE", "TZ"];

/** What the process in a pod is set to. */
export function valuesOf(pod: Pod, manifests: readonly Manifest[]): Values {
  return readSettings(settings, new Map(), Object.fromEntries(variablesOf(pod, manifests))).values;
}

/** The modules in a pod that have their data in PostgreSQL; a Secret may say where. */
export function modulesInPostgres(pod: Pod, manifests: readonly Manifest[]): ModuleName[] {
  const variables = variablesOf(pod, manifests);
  const isThere = (name: ModuleName) => variables.has("DATABASE_URL") || variables.has(databaseSetting(name));
  return modulesAmong(valuesOf(pod, manifests).SERVE).filter(isThere);
}

/** What is wrong with a pod's variables: names that no setting has, values that it cannot have, and what is missing. */
export function variableFaults(pod: Pod, manifests: readonly Manifest[]): string[] {
  const variables = variablesOf(pod, manifests);
  const { values, mistakes } = readSettings(settings, new Map(), Object.fromEntries(variables));
  return [
    ...missingMaps(pod, manifests).map((name) => `there is no ConfigMap ${name}`),
    ...[...variables.keys()].filter(isUnknown).map((name) => `${name}: there is no such setting`),
    ...mistakes,
    ...(pod.serves ? missingVariables(variables, values) : []),
    ...lostData(pod, manifests),
    ...missingFiles(pod, variables),
  ];
}

function isUnknown(name: string): boolean {
  return !Object.hasOwn(settings, name) && !OF_OTHERS.includes(name);
}

function variablesOf({ container }: Pod, manifests: readonly Manifest[]): Variables {
  const maps = ofKind(manifests, "ConfigMap");
  const variables = new Map<string, string | undefined>();
  for (const { configMapRef } of container.envFrom ?? []) {
    const map = maps.find(({ metadata }) => metadata?.name === configMapRef?.name);
    for (const [name, value] of Object.entries(map?.data ?? {})) variables.set(name, value);
  }
  for (const { name, value } of container.env ?? []) variables.set(name, value);
  return variables;
}

function missingMaps({ container }: Pod, manifests: readonly Manifest[]): string[] {
  const there = ofKind(manifests, "ConfigMap").map(({ metadata }) => metadata?.name);
  const named = (container.envFrom ?? []).flatMap(({ configMapRef }) => configMapRef?.name ?? []);
  return named.filter((name) => !there.includes(name));
}

function missingVariables(variables: Variables, { SERVE }: Values): string[] {
  const needed: string[] = remoteNeighbours(SERVE).map(urlSetting);
  if (!servesAll(SERVE)) needed.push("REDIS_URL");
  return needed.filter((name) => !variables.has(name)).map((name) => `${name} is missing`);
}

/** Modules whose data would go with the pod: in files, and on no volume. */
function lostData(pod: Pod, manifests: readonly Manifest[]): string[] {
  const folders = (pod.container.volumeMounts ?? []).map(({ mountPath }) => mountPath);
  const inPostgres = modulesInPostgres(pod, manifests);
  const inFiles = modulesAmong(valuesOf(pod, manifests).SERVE).filter((name) => !inPostgres.includes(name));
  return inFiles.length === 0 || folders.includes(DATA_DIR)
    ? []
    : [`${inFiles} would be in ${DATA_DIR}, and nothing is mounted there`];
}

/** Files that it is told to read, and that are nowhere. */
function missingFiles({ container }: Pod, variables: Variables): string[] {
  const folders = (container.volumeMounts ?? []).map(({ mountPath }) => `${mountPath}/`);
  return [...variables].flatMap(([name, file]) => {
    if (!name.endsWith("_FILE") || file === undefined || folders.some((folder) => file.startsWith(folder))) return [];
    return [`${name}=${file}: nothing is mounted there`];
  });
}
