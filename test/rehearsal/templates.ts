import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { IProbe } from "kubernetes-models/v1";
import { type Manifest, ofKind, type Pod, podsOf } from "../../tools/kubernetes/manifest.ts";
import type { Settings } from "../support/topology.ts";

/** What a Secret holds, by its name. */
export type Secrets = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** How the manifests have a service run; seconds as they have them. */
export interface Template {
  readonly name: string;
  readonly port: number;
  readonly replicas: number;
  readonly env: Settings;
  readonly startup: IProbe;
  readonly readiness: IProbe;
  readonly preStopS: number;
  readonly graceS: number;
}

/** The services of an overlay, and the Job that migrates. */
export interface Templates {
  readonly services: readonly Template[];
  readonly job: { readonly env: Settings; readonly args: readonly string[] };
}

/**
 * Reads what manifests say of the pods.
 * @param folder where the files of Secrets are put, as if it were the root of their file system
 * @throws Error when they say what is not played
 */
export async function readTemplates(
  manifests: readonly Manifest[],
  secrets: Secrets,
  folder: string,
): Promise<Templates> {
  const services: Template[] = [];
  let job: Templates["job"] | undefined;
  for (const pod of podsOf(manifests)) {
    await putSecrets(pod, secrets, folder);
    const env = envOf(pod, manifests, secrets, folder);
    if (pod.serves) services.push(templateOf(pod, manifests, env));
    else job = { env, args: (pod.container.command ?? []).slice(2) };
  }
  if (job === undefined) throw new Error("there is no Job");
  return { services, job };
}

function templateOf(pod: Pod, manifests: readonly Manifest[], env: Settings): Template {
  const [, name = ""] = pod.name.split("/");
  const scaler = ofKind(manifests, "HorizontalPodAutoscaler").find(({ metadata }) => metadata?.name === name);
  const deployment = ofKind(manifests, "Deployment").find(({ metadata }) => metadata?.name === name);
  const { maxSurge, maxUnavailable } = deployment?.spec?.strategy?.rollingUpdate ?? {};
  if (maxSurge !== 1 || maxUnavailable !== 0) throw new Error(`${name}: one more, and none less, is what is played`);
  const { startupProbe, readinessProbe, lifecycle, ports } = pod.container;
  const [program, seconds] = lifecycle?.preStop?.exec?.command ?? [];
  if (program !== "sleep") throw new Error(`${name}: a preStop that sleeps is what is played`);
  return {
    name,
    port: ports?.[0]?.containerPort ?? 0,
    replicas: scaler?.spec?.minReplicas ?? 1,
    env,
    startup: startupProbe ?? {},
    readiness: readinessProbe ?? {},
    preStopS: Number(seconds),
    graceS: pod.spec.terminationGracePeriodSeconds ?? 30,
  };
}

/** A process here has the machine's files: what is mounted is below the folder, and variables that name it say so. */
function envOf({ container }: Pod, manifests: readonly Manifest[], secrets: Secrets, folder: string): Settings {
  const maps = ofKind(manifests, "ConfigMap");
  const named = (container.envFrom ?? []).flatMap(({ configMapRef }) => {
    const map = maps.find(({ metadata }) => metadata?.name === configMapRef?.name);
    return Object.entries(map?.data ?? {});
  });
  const own = (container.env ?? []).map(({ name, value, valueFrom }): [string, string] => {
    const { name: secret = "", key = "" } = valueFrom?.secretKeyRef ?? {};
    return [name, value ?? secrets[secret]?.[key] ?? ""];
  });
  const mounted = (container.volumeMounts ?? []).map(({ mountPath }) => `${mountPath}/`);
  const placed = [...named, ...own].map(([name, value]): [string, string] => {
    return [name, mounted.some((path) => value.startsWith(path)) ? join(folder, value) : value];
  });
  return Object.fromEntries(placed);
}

async function putSecrets({ spec, container }: Pod, secrets: Secrets, folder: string): Promise<void> {
  for (const { name, mountPath } of container.volumeMounts ?? []) {
    const secret = spec.volumes?.find((volume) => volume.name === name)?.secret;
    for (const [key, value] of Object.entries(secrets[secret?.secretName ?? ""] ?? {})) {
      const file = join(folder, mountPath, key);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, value);
      await chmod(file, 0o400);
    }
  }
}
