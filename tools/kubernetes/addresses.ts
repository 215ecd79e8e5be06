import type { IProbe, IService } from "kubernetes-models/v1";
import { portOf } from "../../src/runtime/config.ts";
import { listeningServices, remoteNeighbours } from "../../src/runtime/modules.ts";
import { urlSetting } from "../../src/runtime/settings.ts";
import { chooses, type Manifest, nameOf, ofKind, type Pod } from "./manifest.ts";
import { type Values, valuesOf } from "./variables.ts";

const LIVE = "/livez";
const READY = "/readyz";

/** What is wrong with the ports of a pod that serves, with how it is looked at, and with where it looks for its neighbours. */
export function addressFaults(pod: Pod, pods: readonly Pod[], manifests: readonly Manifest[]): string[] {
  const values = valuesOf(pod, manifests);
  return [
    ...portFaults(pod, values),
    ...probeFaults(pod, values),
    ...remoteNeighbours(values.SERVE).flatMap((name) => {
      const serves = (other: Pod) => valuesOf(other, manifests).SERVE.includes(name);
      return [values[urlSetting(name)] ?? []].flat().flatMap((url) => {
        const there = podsAt(new URL(url), pods, manifests);
        return there.length > 0 && there.every(serves) ? [] : [`${urlSetting(name)}=${url}: ${name} is not there`];
      });
    }),
  ];
}

/** What is wrong with a Service: that nobody is behind it, or nobody listens at its port. */
export function serviceFaults(service: IService, pods: readonly Pod[]): string[] {
  const behind = podsBehind(service, pods);
  if (behind.length === 0) return ["chooses no pod"];
  return (service.spec?.ports ?? []).flatMap(({ port, targetPort = port }) =>
    behind
      .filter((pod) => portNumber(pod, targetPort) === undefined)
      .map(({ name }) => `${name} has no port ${targetPort}`),
  );
}

/** What is wrong with an object that is for others: that they are not there. */
export function targetFaults(manifest: Manifest, pods: readonly Pod[]): string[] {
  if (manifest.kind === "HorizontalPodAutoscaler") {
    const { kind, name } = manifest.spec?.scaleTargetRef ?? { kind: "", name: "" };
    return pods.some((pod) => pod.name === `${kind}/${name}`) ? [] : [`there is no ${kind}/${name}`];
  }
  if (manifest.kind === "PodDisruptionBudget") {
    const selector = manifest.spec?.selector ?? {};
    return pods.some(({ labels }) => chooses(selector, labels)) ? [] : ["chooses no pod"];
  }
  return [];
}

function portFaults({ container }: Pod, values: Values): string[] {
  const listened = listeningServices(values.SERVE).map((name) => portOf(values, name));
  const told = (container.ports ?? []).map(({ containerPort }) => containerPort);
  if (`${told}` === `${listened}`) return [];
  return [`has the port ${told}, and ${values.SERVE} listens at ${listened}`];
}

/** Its life is its own, and its readiness that of its own store: a gateway whose modules are elsewhere has none. */
function probeFaults(pod: Pod, { SERVE }: Values): string[] {
  const { startupProbe, livenessProbe, readinessProbe } = pod.container;
  const answersForOthers = SERVE.includes("gateway") && remoteNeighbours(SERVE).length > 0;
  const faultOf = (kind: string, probe: IProbe | undefined, path: string) => {
    const { path: asked, port = "" } = probe?.httpGet ?? {};
    if (asked !== path) return [`${kind} asks for ${asked ?? "nothing"}, and is to ask for ${path}`];
    return portNumber(pod, port) === undefined ? [`${kind}: there is no port ${port}`] : [];
  };
  return [
    ...faultOf("startupProbe", startupProbe, LIVE),
    ...faultOf("livenessProbe", livenessProbe, LIVE),
    ...faultOf("readinessProbe", readinessProbe, answersForOthers ? LIVE : READY),
  ];
}

/** The pods that a URL leads to: those behind the Service of that name which listen at what its port stands for. */
function podsAt(url: URL, pods: readonly Pod[], manifests: readonly Manifest[]): Pod[] {
  const service = ofKind(manifests, "Service").find((each) => nameOf(each) === `Service/${url.hostname}`);
  const isHeadless = service?.spec?.clusterIP === "None";
  const entry = service?.spec?.ports?.find(({ port }) => port === Number(url.port || 80));
  if (service === undefined || entry === undefined) return [];
  const target = isHeadless ? entry.port : (entry.targetPort ?? entry.port);
  return podsBehind(service, pods).filter((pod) => portNumber(pod, target) !== undefined);
}

function podsBehind({ spec }: IService, pods: readonly Pod[]): Pod[] {
  return pods.filter(({ labels }) => chooses({ matchLabels: spec?.selector ?? {} }, labels));
}

/** The number of a pod's port, by its name or its number. */
function portNumber({ container }: Pod, port: string | number): number | undefined {
  return container.ports?.find(({ name, containerPort }) => port === name || port === containerPort)?.containerPort;
}
