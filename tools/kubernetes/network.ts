import { parseSentinelUrl } from "../../src/bus/redis/sentinels.ts";
import { ownDatabase, portOf } from "../../src/runtime/config.ts";
import { remoteNeighbours, servesAll } from "../../src/runtime/modules.ts";
import { chooses, type Manifest, ofKind, type Pod } from "./manifest.ts";
import { modulesInPostgres, valuesOf } from "./variables.ts";

type Policy = ReturnType<typeof policiesOf>[number];
type Way = "Ingress" | "Egress";

/**
 * What is wrong with who may speak with whom: every pod has to be closed both ways, then open to those whom its modules call, to
 * their stores and to nobody else.
 */
export function networkFaults(pods: readonly Pod[], manifests: readonly Manifest[]): string[] {
  const policies = policiesOf(manifests);
  return pods.flatMap((pod) => {
    const others = pods.filter((other) => other !== pod && other.serves);
    const faults = [
      ...closedFaults(pod, policies),
      ...others.flatMap((other) => neighbourFaults(pod, other, manifests, policies)),
      ...storeFaults(pod, manifests, policies),
    ];
    return faults.map((fault) => `${pod.name}: ${fault}`);
  });
}

function policiesOf(manifests: readonly Manifest[]) {
  return ofKind(manifests, "NetworkPolicy").flatMap(({ spec }) => spec ?? []);
}

function closedFaults({ labels }: Pod, policies: readonly Policy[]): string[] {
  const ways: readonly Way[] = ["Ingress", "Egress"];
  const isClosed = (way: Way) =>
    policies.some(({ podSelector = {}, policyTypes }) => chooses(podSelector, labels) && policyTypes?.includes(way));
  return ways.filter((way) => !isClosed(way)).map((way) => `no NetworkPolicy closes it to ${way}`);
}

function neighbourFaults(pod: Pod, other: Pod, manifests: readonly Manifest[], policies: readonly Policy[]): string[] {
  const { SERVE: served, ...ports } = valuesOf(other, manifests);
  const needed = pod.serves ? remoteNeighbours(valuesOf(pod, manifests).SERVE) : [];
  const needs = needed.some((name) => served.includes(name));
  const isOpen = served.some((name) => mayReach(pod, other, portOf(ports, name), policies));
  return needs === isOpen ? [] : [speech(other.name, needs)];
}

/** Both have to allow it: who asks, and who is asked. */
function mayReach(from: Pod, to: Pod, port: number, policies: readonly Policy[]): boolean {
  return allows("Egress", from, port, policies, to.labels) && allows("Ingress", to, port, policies, from.labels);
}

function storeFaults(pod: Pod, manifests: readonly Manifest[], policies: readonly Policy[]): string[] {
  const values = valuesOf(pod, manifests);
  const modules = modulesInPostgres(pod, manifests);
  const database = modules.map((name) => ownDatabase(values, name)?.url).find((url) => url !== undefined);
  const needsRedis = pod.serves && !servesAll(values.SERVE);
  const stores = [
    ...redisPorts(values.REDIS_URL).map(([name, port]) => ({ name, port, needs: needsRedis })),
    { name: "PostgreSQL", port: portIn(database, 5432), needs: modules.length > 0 },
  ];
  return stores
    .filter(({ port, needs }) => needs !== allows("Egress", pod, port, policies))
    .map(({ name, port, needs }) => speech(`${name} at port ${port}`, needs));
}

/** Which server is the primary's, and so its port, only the sentinels know: it has the usual one here. */
function redisPorts(url: string | undefined): [string, number][] {
  const sentinels = url === undefined ? undefined : parseSentinelUrl(url);
  if (sentinels === undefined) return [["Redis", portIn(url, 6379)]];
  const ports = new Set(sentinels.addresses.map(({ port }) => port));
  return [["Redis", 6379], ...[...ports].map((port): [string, number] => ["the sentinels of Redis", port])];
}

function portIn(url: string | undefined, usual: number): number {
  return url === undefined ? usual : Number(new URL(url).port || usual);
}

/** What is told of a way that is open though it need not be, or the other way round. */
function speech(name: string, needs: boolean): string {
  return needs ? `may not speak with ${name}, and has to` : `may speak with ${name}, and need not`;
}

/** @param labels of the other one, where that is a pod of the shop */
function allows(
  way: Way,
  { labels: own }: Pod,
  port: number,
  policies: readonly Policy[],
  labels?: Pod["labels"],
): boolean {
  return policies
    .filter(({ podSelector = {} }) => chooses(podSelector, own))
    .flatMap(({ ingress = [], egress = [] }) =>
      way === "Ingress"
        ? ingress.map(({ ports, from }) => ({ ports, peers: from }))
        : egress.map(({ ports, to }) => ({ ports, peers: to })),
    )
    .some(
      ({ ports, peers }) =>
        (ports === undefined || ports.some((each) => each.port === port)) &&
        (labels === undefined || peers === undefined || peers.some((peer) => isPeer(peer, labels))),
    );
}

/** Pods of the shop are chosen as those of its namespace, or of all. */
function isPeer(
  { podSelector, namespaceSelector }: { podSelector?: Parameters<typeof chooses>[0]; namespaceSelector?: object },
  labels: Pod["labels"],
): boolean {
  if (podSelector === undefined) return namespaceSelector !== undefined;
  return namespaceSelector === undefined && chooses(podSelector, labels);
}
