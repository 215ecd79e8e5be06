import { fileURLToPath } from "node:url";
import { manifestFaults } from "./kubernetes/check.ts";
import { missingKubectl, render } from "./kubernetes/render.ts";

/**
 * Renders folders of Kustomize, ours or those that are named, and checks what comes of them; `kubernetes/check.ts` says how. Ends with
 * status 1 when something is wrong. Without kubectl it says so and is content.
 */
const OURS = ["base", "overlays/one", "overlays/scale"];

const root = fileURLToPath(new URL("../deploy/kubernetes", import.meta.url));
const named = process.argv.slice(2);
const folders = named.length > 0 ? named : OURS.map((folder) => `${root}/${folder}`);
const missing = missingKubectl();

if (missing === undefined) {
  for (const folder of folders) {
    for (const fault of await manifestFaults(render(folder))) {
      console.error(`${folder}: ${fault}`);
      process.exitCode = 1;
    }
  }
} else {
  console.log(`deploy/kubernetes is not rendered here: ${missing}. https://kubernetes.io/docs/tasks/tools/ has one.`);
}
