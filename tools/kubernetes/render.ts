import { spawnSync } from "node:child_process";
import { parseAllDocuments } from "yaml";
import type { Manifest } from "./manifest.ts";

/** The first whose kustomize, 5.0, is of the kind that the files are written for. */
const OLDEST_MINOR = 27;

/** @returns why nothing can be rendered here, undefined where it can */
export function missingKubectl(): string | undefined {
  const { status, stdout } = spawnSync("kubectl", ["version", "--client", "--output=json"], { encoding: "utf8" });
  if (status !== 0) return "there is no kubectl on the path";
  const { clientVersion }: { clientVersion: { gitVersion: string; minor: string } } = JSON.parse(stdout);
  if (Number.parseInt(clientVersion.minor, 10) >= OLDEST_MINOR) return undefined;
  return `kubectl is ${clientVersion.gitVersion}, and v1.${OLDEST_MINOR} is the oldest that can`;
}

/**
 * What a folder of Kustomize comes to. It has been held against no schema yet.
 * @throws Error with what kubectl says where it cannot be rendered
 */
export function render(folder: string): Manifest[] {
  const { status, stdout, stderr } = spawnSync("kubectl", ["kustomize", folder], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${folder}: ${stderr.trim()}`);
  return parseAllDocuments(stdout).map((document) => document.toJS());
}
