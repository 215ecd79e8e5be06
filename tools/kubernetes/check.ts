import { commands } from "../../src/operate/commands/index.ts";
import { addressFaults, serviceFaults, targetFaults } from "./addresses.ts";
import { hardeningFaults } from "./hardening.ts";
import { type Manifest, nameOf, ofKind, type Pod, podsOf } from "./manifest.ts";
import { networkFaults } from "./network.ts";
import { schemaFaults } from "./schemas.ts";
import { variableFaults } from "./variables.ts";

/**
 * Holds the objects of a shop against the published schemas and, where these hold, against what the code says of names, ports and
 * variables, and what every pod has to be kept from.
 * @returns what is wrong, a line each
 */
export async function manifestFaults(manifests: readonly Manifest[]): Promise<string[]> {
  const malformed = await Promise.all(manifests.map(async (each) => told(nameOf(each), await schemaFaults(each))));
  if (malformed.flat().length > 0) return malformed.flat();
  const pods = podsOf(manifests);
  if (pods.length === 0) return ["there is no pod of the shop"];
  return [
    ...pods.flatMap((pod) =>
      told(pod.name, [
        ...hardeningFaults(pod),
        ...variableFaults(pod, manifests),
        ...(pod.serves ? addressFaults(pod, pods, manifests) : commandFaults(pod)),
      ]),
    ),
    ...ofKind(manifests, "Service").flatMap((service) => told(nameOf(service), serviceFaults(service, pods))),
    ...manifests.flatMap((manifest) => told(nameOf(manifest), targetFaults(manifest, pods))),
    ...networkFaults(pods, manifests),
  ];
}

function commandFaults({ container }: Pod): string[] {
  const [program, file, command = ""] = container.command ?? [];
  const isKnown = program === "node" && file === "bin/main.js" && Object.hasOwn(commands, command);
  return isKnown ? [] : [`runs ${container.command?.join(" ")}, and there is no such command`];
}

function told(name: string, faults: readonly string[]): string[] {
  return faults.map((fault) => `${name}: ${fault}`);
}
